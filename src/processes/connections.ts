/** The connections that a process works with, opened and closed in order. */
import type { Broker } from "../broker/broker.ts";
import { openPool, type Pool } from "../database/database.ts";
import { sessionNameOf } from "../database/other-shards.ts";
import { answerSupervisor } from "../runtime/child-process.ts";
import { createHealth, type Health } from "../runtime/health.ts";
import { finishWithin } from "../runtime/lifetime.ts";
import type { Logger } from "../runtime/log.ts";
import type { Shard } from "../values/shard.ts";
import { collectMetrics, createMetricsRegistry, type MetricsRegistry, watchBatches, watchPool } from "./metrics.ts";
import { checkReadiness } from "./readiness.ts";
import type { ServingCheck } from "./serving-check.ts";

/** What a process works with. */
export interface ProcessConnections {
  readonly pool: Pool;
  readonly registry: MetricsRegistry;
  /** Where the parts of the process say what keeps them from their work. */
  readonly health: Health;
}

export interface ConnectionOptions {
  /** The type of the process; shown by the servers. */
  readonly name: string;
  /** Shown by the database. */
  readonly shard: Shard;
  readonly postgresUrl: string;
  /** Maximum connections to the database. */
  readonly poolSize: number;
  readonly log: Logger;
  /** Why clients cannot reach the process, beside what the database and the broker say. See `ServingCheck`. */
  readonly findServingProblem?: ServingCheck["findProblem"] | undefined;
}

// Nothing is lost when a connection is cut instead.
const CLOSE_MILLIS_MAX = 1_500;

/** Opens a pool, answers the supervisor from then on, does the work, and closes. */
export async function withDatabase(
  options: ConnectionOptions,
  work: (connections: ProcessConnections) => Promise<void>,
): Promise<void> {
  await withConnections(options, undefined, work);
}

/** The same with a broker, on which readiness also depends. */
export async function withDatabaseAndBroker(
  options: ConnectionOptions & { readonly brokerUrl: string },
  work: (connections: ProcessConnections & { readonly broker: Broker }) => Promise<void>,
): Promise<void> {
  const { connectRabbitMq } = await import("../broker/rabbitmq.ts");
  const { name, brokerUrl, log } = options;
  const broker = await connectRabbitMq({ url: brokerUrl, connectionName: `swpt_debtors ${name}`, log });
  try {
    await withConnections(options, broker, (connections) => work({ ...connections, broker }));
  } finally {
    await finishWithin(CLOSE_MILLIS_MAX, "closing the connection to the broker", broker.close(), log);
  }
}

async function withConnections(
  { name, shard, postgresUrl, poolSize, log, findServingProblem }: ConnectionOptions,
  broker: Broker | undefined,
  work: (connections: ProcessConnections) => Promise<void>,
): Promise<void> {
  const pool = openPool({ url: postgresUrl, size: poolSize, applicationName: sessionNameOf(shard.routingKey, name) });
  const registry = createMetricsRegistry();
  const health = createHealth();
  watchPool(registry, pool);
  watchBatches(registry);
  answerSupervisor({
    metrics: () => collectMetrics(registry),
    unreadyReasons: async (address) => {
      const [servingProblem, reasons] = await Promise.all([
        findServingProblem?.(address),
        checkReadiness(pool, broker, health),
      ]);
      return servingProblem === undefined ? reasons : [servingProblem, ...reasons];
    },
  });
  try {
    await work({ pool, registry, health });
  } finally {
    await finishWithin(CLOSE_MILLIS_MAX, "closing the connections to the database", pool.close(), log);
  }
}
