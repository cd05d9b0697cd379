/** What a benchmark runs on: a database of its own with so many debtors, and a virtual host with an agent's queue. */
import pg from "pg";
import { marksOf } from "../src/broker/agent-topology.ts";
import { runCommand } from "../test/support/command.ts";
import { createTestDatabase } from "../test/support/database.ts";
import { createTestVirtualHost } from "../test/support/virtual-host.ts";
import { connectTo } from "./queue.ts";

/** A database with debtors, all of them active and with an account. */
export interface Fixture extends AsyncDisposable {
  readonly debtorCount: number;
  readonly databaseUrl: string;
  /** A connection for preparing and checking; it has no time limit. */
  readonly client: pg.Client;
  /** The settings of the program's processes that work on this database. */
  readonly environment: Readonly<Record<string, string>>;
}

export { createTestVirtualHost as createVirtualHost };

/** The debtors have this ID and those that follow it. */
export const FIRST_DEBTOR_ID = 4_294_967_296;
/** The configuration of all debtors, as the accounting authority repeats it. */
export const CONFIGURATION = {
  ts: "2026-01-01T00:00:00+00:00",
  data: '{"info":{"iri":"https://example.com/some-currency/.debtor-info"}}',
} as const;
export const ACCOUNT_CREATION_DATE = "2026-01-01";

/** The columns of a debtor that messages may change, as they are at first. */
const INITIAL_STATE: readonly (readonly [column: string, value: string])[] = [
  ["status_flags", "1"],
  ["balance", "-1000"],
  ["transfer_note_max_bytes", "500"],
  ["has_server_account", "true"],
  ["account_creation_date", `date '${ACCOUNT_CREATION_DATE}'`],
  ["account_last_change_ts", "timestamptz '2026-01-01 00:00:00+00'"],
  ["account_last_change_seqnum", "0"],
  ["account_id", "'root-account'"],
  ["last_config_ts", `timestamptz '${CONFIGURATION.ts}'`],
  ["last_config_seqnum", "0"],
  ["is_config_effectual", "true"],
  ["config_data", `'${CONFIGURATION.data}'`],
  ["config_error", "null"],
  ["debtor_info_iri", "'https://example.com/some-currency/.debtor-info'"],
  ["min_balance", "-1000000"],
];
const columns = INITIAL_STATE.map(([column]) => column).join(", ");
const values = INITIAL_STATE.map(([, value]) => value).join(", ");

interface FixtureOptions {
  /** The statistics say that all tables are empty, as before autovacuum comes by for the first time, which it never does. */
  readonly isNew?: boolean | undefined;
}

/** Makes a database with so many debtors. `brokerUrl` is that of a virtual host with an agent's queue. */
export async function createFixture(
  debtorCount: number,
  brokerUrl: string,
  { isNew = false }: FixtureOptions = {},
): Promise<Fixture> {
  const database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  client.on("error", () => {});
  await client.connect();
  if (isNew) await freezeStatistics(client);
  await client.query(`
    insert into debtor (debtor_id, reservation_id, ${columns})
    select ${FIRST_DEBTOR_ID} + i, i + 1, ${values}
    from generate_series(0, ${debtorCount - 1}) as i`);
  if (!isNew) await client.query("vacuum analyze debtor");
  await client.query("checkpoint");
  return {
    debtorCount,
    databaseUrl: database.url,
    client,
    environment: {
      MIN_DEBTOR_ID: String(FIRST_DEBTOR_ID),
      MAX_DEBTOR_ID: String(FIRST_DEBTOR_ID + debtorCount - 1),
      POSTGRES_URL: database.url,
      PROTOCOL_BROKER_URL: brokerUrl,
      PROTOCOL_BROKER_PREFETCH_COUNT: "1000",
      APP_TRUSTED_PROXY_AUTH: "true",
      // A benchmark starts more transfers than a debtor is allowed.
      APP_MAX_TRANSFERS_PER_MONTH: "2000000000",
      WEBSERVER_HOST: "127.0.0.1",
    },
    [Symbol.asyncDispose]: async () => {
      await client.end();
      await database.close();
    },
  };
}

/** The node's queue of incoming messages. */
export const QUEUE = "swpt_debtors";

/** Declares what the node needs at the broker. */
export async function subscribe({ environment }: Fixture): Promise<void> {
  const { code, output } = await runCommand(["subscribe"], environment);
  if (code !== 0) throw new Error(output);
}

/**
 * Empties the stream of the flushers' marks. The databases share one queue, and a flusher that finds the marks of another
 * database says that its own has gone back in time.
 */
export async function renewMarks(fixture: Fixture): Promise<void> {
  const connection = await connectTo(fixture.environment.PROTOCOL_BROKER_URL!);
  const channel = await connection.createChannel();
  await channel.deleteQueue(marksOf(QUEUE));
  await connection.close();
  await subscribe(fixture);
}

/** Keeps the statistics of all tables as they are now. */
async function freezeStatistics(client: pg.Client): Promise<void> {
  await client.query("analyze");
  const { rows } = await client.query<{ name: string }>(`
    select oid::regclass::text as name
    from pg_class
    where relkind = 'r' and relnamespace::regnamespace::text in ('public', 'swpt_debtors_auth')`);
  for (const { name } of rows) await client.query(`alter table ${name} set (autovacuum_enabled = false)`);
}

/** Brings debtors back to the state in which they were made; `changes` are columns with other values. */
export async function restoreDebtors(
  { client }: Fixture,
  debtorIds: readonly number[],
  changes: Readonly<Record<string, string>> = {},
): Promise<void> {
  const state = Object.entries({ ...Object.fromEntries(INITIAL_STATE), ...changes });
  await client.query(
    `update debtor
     set reservation_id = debtor_id - ${FIRST_DEBTOR_ID} + 1, ${state.map(([name, value]) => `${name} = ${value}`).join(", ")}
     where debtor_id = any ($1::bigint[])`,
    [debtorIds],
  );
  await client.query("vacuum analyze debtor");
}

/** Empties the tables that grow, so that each measurement begins alike. */
export async function emptyTables({ client }: Fixture): Promise<void> {
  await client.query(
    "truncate running_transfer, prepare_transfer_signal, finalize_transfer_signal, configure_account_signal",
  );
}

/** The ID of the debtor that the number `i` of a series is about: spread over all debtors, as in production. */
export const scatteredDebtorId = (i: number, debtorCount: number): number =>
  FIRST_DEBTOR_ID + ((i * 104_729) % debtorCount);
