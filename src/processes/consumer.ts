/** A message consumer process. */
import type { Broker } from "../broker/broker.ts";
import { type Config, readConfig } from "../config.ts";
import type { Pool } from "../database/database.ts";
import { untilMetricsAreCollected } from "../runtime/child-process.ts";
import type { Health } from "../runtime/health.ts";
import type { Logger } from "../runtime/log.ts";
import type { ShardingRealm } from "../values/shard.ts";
import { createConsumer } from "../workers/consumer.ts";
import { ForeignDebtorError } from "../workers/consumer-batch.ts";
import { withDatabaseAndBroker } from "./connections.ts";
import { createConsumerMetrics, type MetricsRegistry } from "./metrics.ts";
import type { ProcessInput } from "./process-input.ts";
import { untilSchemaIsCurrent } from "./readiness.ts";

export interface ConsumerProcessOptions {
  readonly config: Config & { readonly realm: ShardingRealm };
  readonly pool: Pool;
  readonly broker: Broker;
  readonly drain: boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly registry?: MetricsRegistry | undefined;
  readonly health?: Health | undefined;
}

/** Longer than the interval in which Prometheus usually asks. */
const METRICS_MILLIS_MAX = 60_000;

/** Consumes with connections of its own until the signal is aborted. */
export async function consumerProcess(
  { name, environment, log, signal }: ProcessInput,
  { drain = false } = {},
): Promise<void> {
  const config = readConfig(environment, ["realm", "postgresUrl"]);
  const { postgresUrl } = config;
  // One more, for waking the flushers and for readiness.
  const poolSize = config.consumer.batches + 1;
  await withDatabaseAndBroker(
    { name, shard: config.realm.shard, postgresUrl, poolSize, brokerUrl: config.broker.url, log },
    (connections) =>
      runConsumer({ config, drain, log, signal, ...connections }).catch(async (error: unknown) => {
        // Otherwise the process would exit before Prometheus has read the count.
        if (error instanceof ForeignDebtorError && config.metricsPort !== 0) {
          connections.health.report("debtors", "The consumer has stopped at a message for a debtor of another shard");
          await untilMetricsAreCollected(METRICS_MILLIS_MAX, signal);
        }
        throw error;
      }),
  );
}

/** Consumes until the signal is aborted. Rejects when the process must not go on; see `createConsumer`. */
export async function runConsumer(options: ConsumerProcessOptions): Promise<void> {
  const { config, pool, broker, drain, log, signal, registry, health } = options;
  await untilSchemaIsCurrent(pool, log, signal);
  const consumer = createConsumer({
    pool,
    broker,
    realm: config.realm,
    queue: config.broker.queue,
    prefetchCount: config.consumer.prefetchCount,
    prefetchSize: config.consumer.prefetchSize,
    batches: config.consumer.batches,
    drain,
    log,
    health,
    metrics: registry && createConsumerMetrics(registry),
  });
  await consumer.run(signal);
}
