/** A whole node on a broker cluster and a pair of databases, with an accounting authority that loses nothing. */
import assert from "node:assert/strict";
import { pino } from "pino";
import { AUTHORITY_QUEUE } from "../../sandbox/accounting-authority/topology.ts";
import { openPool, type Pool } from "../../src/database/database.ts";
import { type LossyAuthority, startLossyAuthority } from "../chaos/lossy-authority.ts";
import { baseEnvironment } from "../commands/environment.ts";
import { runCommand } from "../support/command.ts";
import { createEmptyDatabase } from "../support/database.ts";
import { type PostgresPair, type Replication, startPostgresPair } from "./postgres-pair.ts";
import { type BrokerCluster, startBrokerCluster } from "./rabbitmq-cluster.ts";

/** Everything but the node's processes. `await using` stops it. */
export interface NodeSurroundings extends AsyncDisposable {
  readonly brokers: BrokerCluster;
  readonly postgres: PostgresPair;
  /** A connection of the test itself to the node's database, whichever server has it. */
  readonly pool: Pool;
  /** The database of the authority, which does not fail over. */
  readonly books: Pool;
  readonly authority: LossyAuthority;
  /** What must be empty when nothing is on its way. */
  readonly queuesByBroker: readonly (readonly [url: string, queues: readonly string[]])[];
  /** For a process of the node; each turn begins with another server of the broker. */
  environment(turn: number): Readonly<Record<string, string>>;
}

/** The node's queue. */
export const QUEUE = "swpt_debtors";
const SERVERS = 3;

/** Starts the servers, and sets the node up by its own commands, as the manual says. */
export async function startSurroundings(replication: Replication): Promise<NodeSurroundings> {
  await using stack = new AsyncDisposableStack();
  const brokers = stack.use(await startBrokerCluster(SERVERS));
  const postgres = stack.use(await startPostgresPair(replication));
  const environment = (turn: number) => ({
    ...baseEnvironment,
    POSTGRES_URL: postgres.url,
    PROTOCOL_BROKER_URL: brokers.urlFrom(turn),
    PROTOCOL_BROKER_QUEUE: QUEUE,
    APP_MAX_TRANSFERS_PER_MONTH: "1000000",
    APP_DOCUMENT_MAX_SAVES_PER_YEAR: "1000000",
    APP_LOG_LEVEL: "warning",
  });
  for (const command of ["configure", "subscribe"]) {
    const { code, output } = await runCommand([command], environment(0));
    assert.equal(code, 0, output);
  }
  const pool = openPool({ url: postgres.url, size: 4, applicationName: "test" });
  stack.defer(() => pool.close());
  const books = stack.use(await createEmptyDatabase());
  const authority = stack.use(
    await startLossyAuthority({
      databaseUrl: books.url,
      brokerUrl: brokers.urlFrom(0),
      directBrokerUrl: brokers.urlFrom(0),
      seed: 1,
      log: pino({ level: "silent" }),
    }),
  );
  authority.endFaults();
  const moved = stack.move();
  return {
    brokers,
    postgres,
    pool,
    books: books.pool,
    authority,
    queuesByBroker: [[brokers.servers[0]!.url, [QUEUE, AUTHORITY_QUEUE]]],
    environment,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}
