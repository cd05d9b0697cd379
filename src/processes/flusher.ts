/** A flusher process: a flusher for each outbox, which share the connections. */
import type { Broker } from "../broker/broker.ts";
import { type Config, readConfig } from "../config.ts";
import type { Pool } from "../database/database.ts";
import { OUTBOXES, type Outbox } from "../database/outbox.ts";
import { listenForWakes } from "../database/wake.ts";
import type { Health } from "../runtime/health.ts";
import { runTogether } from "../runtime/lifetime.ts";
import type { Logger } from "../runtime/log.ts";
import type { ShardingRealm } from "../values/shard.ts";
import { createFlushGuard } from "../workers/flush-guard.ts";
import { createFlusher, LANE_COUNT } from "../workers/flusher.ts";
import { withDatabaseAndBroker } from "./connections.ts";
import { createFlusherMetrics, type MetricsRegistry, watchOutboxes } from "./metrics.ts";
import type { ProcessInput } from "./process-input.ts";
import { untilSchemaIsCurrent } from "./readiness.ts";

export interface FlushersOptions {
  readonly config: Config & { readonly realm: ShardingRealm; readonly postgresUrl: string };
  readonly pool: Pool;
  readonly broker: Broker;
  readonly outboxes: readonly Outbox[];
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly registry?: MetricsRegistry | undefined;
  readonly health?: Health | undefined;
}

/** Flushes with connections of its own until the signal is aborted. */
export async function flusherProcess(
  { name, environment, log, signal }: ProcessInput,
  outboxes: readonly Outbox[] = OUTBOXES,
): Promise<void> {
  const config = readConfig(environment, ["realm", "postgresUrl"]);
  const { postgresUrl } = config;
  const poolSize = flusherPoolSize(outboxes);
  await withDatabaseAndBroker(
    { name, shard: config.realm.shard, postgresUrl, poolSize, brokerUrl: config.broker.url, log },
    (connections) => runFlushers({ config, outboxes, log, signal, ...connections }),
  );
}

/**
 * The connections that flushers need. A burst keeps one until the broker has confirmed, 20 seconds at most; readiness and
 * samples must not wait for that, and have one more.
 */
export const flusherPoolSize = (outboxes: readonly Outbox[]): number => outboxes.length * LANE_COUNT + 1;

/** Flushes until the signal is aborted. When one flusher fails, the others stop, and its error is thrown. */
export async function runFlushers(options: FlushersOptions): Promise<void> {
  const { config, pool, broker, outboxes, log, signal, registry, health } = options;
  await untilSchemaIsCurrent(pool, log, signal);
  const metrics = registry && createFlusherMetrics(registry);
  const guard = createFlushGuard({ pool, broker, queue: config.broker.queue, log });
  const flushers = outboxes.map((outbox) =>
    createFlusher({
      pool,
      broker,
      outbox,
      burstCount: config.flusher.burstCounts[outbox],
      periodSeconds: config.flusher.periodSeconds,
      realm: config.realm,
      deleteParentShardRecords: config.deleteParentShardRecords,
      guard,
      log,
      metrics,
      health,
    }),
  );
  const onWake = (): void => {
    for (const flusher of flushers) flusher.wake();
  };
  await runTogether(
    [
      ...flushers.map((flusher) => (stop: AbortSignal) => flusher.run(stop)),
      (stop) => listenForWakes({ url: config.postgresUrl, onWake, log, signal: stop }),
      ...(registry === undefined ? [] : [(stop: AbortSignal) => watchOutboxes(registry, pool, stop)]),
    ],
    signal,
  );
}
