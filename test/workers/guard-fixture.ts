/** Databases that go back in time, brokers that lose marks, and the flushers that have to notice. */
import { after } from "node:test";
import pg from "pg";
import { pino } from "pino";
import { agentTopology, OUTGOING_EXCHANGE } from "../../src/broker/agent-topology.ts";
import type { Broker, Publication } from "../../src/broker/broker.ts";
import { createMemoryBroker, type MemoryBroker } from "../../src/broker/memory.ts";
import { type Database, openPool, type Pool, type Statement } from "../../src/database/database.ts";
import { recordMessages } from "../../src/database/outbox.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { parseShard } from "../../src/values/shard.ts";
import { now } from "../../src/values/timestamp.ts";
import { createFlushGuard } from "../../src/workers/flush-guard.ts";
import { createFlusher } from "../../src/workers/flusher.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { findPostgres, newTestName } from "../support/services.ts";

export const QUEUE = "in";
export const silent = pino({ level: "silent" });
const realm = { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard: parseShard("#")! };
const opened: AsyncDisposable[] = [];
after(async () => {
  for (const resource of opened.reverse()) await resource[Symbol.asyncDispose]();
});

/** A broker with a queue `out` for all that is sent. */
export const createBroker = (): MemoryBroker => {
  const topology = agentTopology(QUEUE, "#");
  return createMemoryBroker({
    ...topology,
    queues: [...topology.queues, { name: "out", arguments: {} }],
    bindings: [...topology.bindings, { exchange: OUTGOING_EXCHANGE, queue: "out", bindingKey: "" }],
  });
};

/** A database that is dropped after the tests of the file. */
export async function createDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  opened.push(database);
  return database;
}

let requestId = 0n;
/** Commits a message to the outbox. */
export const write = (pool: Pool): Promise<void> =>
  pool.transaction(async (tx) => {
    const message = { debtorId: 1n, coordinatorRequestId: ++requestId, amount: 1n, recipient: "x", ts: now() };
    recordMessages(tx, "prepare_transfer", [message]);
  });

/** A flusher process that begins. */
export function start(pool: Pool, broker: Broker, log = silent) {
  const guard = createFlushGuard({ pool, broker, queue: QUEUE, log });
  const common = { pool, broker, burstCount: 100, periodSeconds: 60, realm, deleteParentShardRecords: false, log };
  return createFlusher({ ...common, outbox: "prepare_transfer", guard });
}

/** The database as it is now, which another server would be at after a failover. */
export async function copyOf(database: TestDatabase): Promise<Pool> {
  const admin = new pg.Client({ connectionString: await findPostgres() });
  await admin.connect();
  const source = new URL(database.url).pathname.slice(1);
  const name = newTestName();
  await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${source}' and pid <> pg_backend_pid()`,
  );
  await admin.query(`create database ${name} template ${source}`);
  const url = new URL(database.url);
  url.pathname = `/${name}`;
  const pool = openPool({ url: url.href, size: 4, applicationName: "test" });
  opened.push({
    [Symbol.asyncDispose]: async () => {
      await pool.close();
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  });
  return pool;
}

/** A flusher that has sent one message, whose database may be switched for another one, as by a failover. */
export async function startSwitchable() {
  const database = await createDatabase();
  const broker = createBroker();
  const pool = switchable(database.pool);
  const flusher = start(pool, broker);
  await write(pool);
  await flusher.runOnce();
  return { database, broker, pool, flusher };
}

/** The pool whose statements go to one database and, once it is switched, to another one. */
function switchable(first: Pool): Pool & { switchTo(next: Pool): void } {
  let current = first;
  return {
    many: (statement) => current.many(statement),
    maybeOne: (statement) => current.maybeOne(statement),
    run: (statement) => current.run(statement),
    transaction: (work) => current.transaction(work),
    usage: () => current.usage(),
    close: async () => {},
    switchTo: (next) => {
      current = next;
    },
  };
}

/** A pool that loses its connection when the first burst is published and is to be committed. */
export function losingOnce(pool: Pool): Pool {
  let failures = 1;
  return {
    ...pool,
    transaction: (work) =>
      pool.transaction(async (tx) => {
        const result = await work(tx);
        const { count } = (await tx.maybeOne<{ count: bigint }>({
          name: "",
          text: "select count(*) from swpt_debtors_guard.lane",
        }))!;
        if (count > 0n && failures-- > 0) throw new Error("lost");
        return result;
      }),
  };
}

/** The pool, whose server says that it is another one. */
export function asOtherServer(pool: Pool): Pool {
  const changed = <Db extends Database>(db: Db): Db => ({
    ...db,
    maybeOne: async <Row>(statement: Statement) => {
      const row = await db.maybeOne<Row & { server?: bigint }>(statement);
      return row?.server === undefined ? row : { ...row, server: row.server + 1n };
    },
  });
  return { ...changed<Pool>(pool), transaction: (work) => pool.transaction((tx) => work(changed(tx))) };
}

/** A log, and what is warned of in it. */
export function createWarnings() {
  const events: string[] = [];
  const write = (line: string): void => void events.push(JSON.parse(line).msg);
  return { events, log: pino({ level: "warn" }, { write }) };
}

/**
 * A broker whose marks get no confirm, in place of a RabbitMQ cluster that loses the server with the leader of the stream: only
 * that makes RabbitMQ itself behave so, and not each time (see test/failover). The marks are held back; `deliver` puts
 * them into the stream.
 */
export function withholdingMarks(broker: MemoryBroker) {
  const held: Publication[] = [];
  let isWithholding = true;
  return {
    broker: {
      ...broker,
      publish: async (publications, options) => {
        const isMark = publications.some(({ type }) => type === "mark");
        if (!isMark || !isWithholding) return broker.publish(publications);
        held.push(...publications);
        const { promise: never, resolve: giveUp } = Promise.withResolvers<void>();
        options!.signal!.addEventListener("abort", () => giveUp());
        await never;
        return publications.map(() => "failed" as const);
      },
    } satisfies Broker,
    heldCount: () => held.length,
    deliver: () => broker.publish(held.splice(0)),
    confirmAgain: () => {
      isWithholding = false;
    },
  };
}
