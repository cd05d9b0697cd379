/** The metrics of the processes, for Prometheus. HTTP API and workers get them as plain arguments. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { DatabaseUnavailableError, type Pool } from "../database/database.ts";
import { OUTBOXES } from "../database/outbox.ts";
import { measureOutbox } from "../database/outbox-depth.ts";
import type { HttpMetrics } from "../http/response/metrics.ts";
import { pause } from "../runtime/backoff.ts";
import { longestBatchWaitSeconds } from "../runtime/batcher.ts";
import { type Metric, measureLostLogLines } from "../runtime/metrics.ts";
import { now } from "../values/timestamp.ts";
import type { ConsumerMetrics } from "../workers/consumer.ts";
import type { FlusherMetrics } from "../workers/flusher.ts";
import type { ScannerMetrics } from "../workers/scanner.ts";

/** All metrics of one process. */
export type MetricsRegistry = Registry;

const PREFIX = "swpt_debtors_";
const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const COUNT_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
const OUTBOX_SAMPLE_MILLIS = 15_000;

/** Makes a registry with the metrics of Node.js: memory, CPU, event loop lag, garbage collection. */
export function createMetricsRegistry(): MetricsRegistry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** The current values, in a form that can be sent to the supervisor. */
export const collectMetrics = async (registry: MetricsRegistry): Promise<readonly Metric[]> => [
  ...((await registry.getMetricsAsJSON()) as unknown as Metric[]),
  measureLostLogLines(),
];

/** Metrics of the web server. */
export function createHttpMetrics(registry: MetricsRegistry): HttpMetrics {
  const seconds = new Histogram({
    name: `${PREFIX}http_request_seconds`,
    help: "Time to answer a request, by route and status",
    labelNames: ["route", "method", "status"],
    buckets: SECONDS_BUCKETS,
    registers: [registry],
  });
  return {
    observe: (route, method, status, duration) => seconds.observe({ route, method, status: String(status) }, duration),
  };
}

/** Metrics of the message consumer. */
export function createConsumerMetrics(registry: MetricsRegistry): ConsumerMetrics {
  const messages = new Counter({
    name: `${PREFIX}messages_total`,
    help: "Incoming messages, by type and outcome",
    labelNames: ["type", "outcome"],
    registers: [registry],
  });
  const batchSize = new Histogram({
    name: `${PREFIX}message_batch_size`,
    help: "Incoming messages applied in one transaction",
    buckets: COUNT_BUCKETS,
    registers: [registry],
  });
  const batchSeconds = new Histogram({
    name: `${PREFIX}message_batch_seconds`,
    help: "Time to apply a batch of incoming messages",
    buckets: SECONDS_BUCKETS,
    registers: [registry],
  });
  const stopped = new Gauge({
    name: `${PREFIX}messages_stopped`,
    help: "1 while messages cannot be consumed or applied for a reason other than their content",
    registers: [registry],
  });
  return {
    stopped: (isStopped) => stopped.set(isStopped ? 1 : 0),
    count: (type, outcome) => messages.inc({ type, outcome }),
    batch: (size, duration) => {
      batchSize.observe(size);
      batchSeconds.observe(duration);
    },
  };
}

/** Metrics of the flushers, which share them. */
export function createFlusherMetrics(registry: MetricsRegistry): FlusherMetrics {
  const options = { labelNames: ["outbox"], registers: [registry] };
  const sent = new Counter({ name: `${PREFIX}flushed_total`, help: "Messages sent", ...options });
  const returned = new Counter({
    name: `${PREFIX}flush_returned_total`,
    help: "Messages for which the broker had no queue; they are sent again",
    ...options,
  });
  const forbidden = new Gauge({
    name: `${PREFIX}flush_forbidden`,
    help: "1 while nothing may be sent, since the database has gone back in time",
    ...options,
  });
  const burstSize = new Histogram({
    name: `${PREFIX}flush_burst_size`,
    help: "Messages sent in one transaction",
    buckets: COUNT_BUCKETS,
    ...options,
  });
  const burstSeconds = new Histogram({
    name: `${PREFIX}flush_burst_seconds`,
    help: "Time to send a burst of messages",
    buckets: SECONDS_BUCKETS,
    ...options,
  });
  const lag = new Gauge({
    name: `${PREFIX}flush_lag_seconds`,
    help: "How long the oldest message of the last burst had waited",
    ...options,
  });
  return {
    burst: (outbox, count, seconds, oldestAgeSeconds) => {
      sent.inc({ outbox }, count);
      burstSize.observe({ outbox }, count);
      burstSeconds.observe({ outbox }, seconds);
      lag.set({ outbox }, oldestAgeSeconds);
    },
    returned: (outbox, count) => returned.inc({ outbox }, count),
    forbidden: (outbox, isForbidden) => forbidden.set({ outbox }, isForbidden ? 1 : 0),
  };
}

/** Metrics of the scanner. */
export function createScannerMetrics(registry: MetricsRegistry): ScannerMetrics {
  const registers = [registry];
  const progress = new Gauge({
    name: `${PREFIX}scan_progress`,
    help: "Completed part of the pass, 0 to 1",
    registers,
  });
  const passes = new Counter({ name: `${PREFIX}scan_passes_total`, help: "Passes of the scanner", registers });
  const changes = new Counter({
    name: `${PREFIX}scan_changes_total`,
    help: "Debtors that the scanner changed, by reason",
    labelNames: ["found"],
    registers,
  });
  // Prometheus sees an increase only of what it has seen before.
  for (const found of ["old_reservation", "ineffectual_config", "parent_shard_debtor"]) changes.inc({ found }, 0);
  return {
    progress: (fraction, counts) => {
      progress.set(fraction);
      changes.inc({ found: "old_reservation" }, counts.oldReservations);
      changes.inc({ found: "ineffectual_config" }, counts.ineffectualConfigs);
      changes.inc({ found: "parent_shard_debtor" }, counts.parentShardDebtors);
    },
    passDone: () => passes.inc(),
  };
}

/** Shows how many connections a process has, and how many callers wait for one. */
export function watchPool(registry: MetricsRegistry, pool: Pool): void {
  new Gauge({
    name: `${PREFIX}database_connections`,
    help: "Connections of the pool (total, idle), and callers that wait for one (waiting)",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(pool.usage())) this.set({ state }, count);
    },
  });
}

/** Shows how long requests wait for their batch. */
export function watchBatches(registry: MetricsRegistry): void {
  new Gauge({
    name: `${PREFIX}batch_wait_seconds`,
    help: "How long the oldest request has been waiting for its batch",
    registers: [registry],
    collect() {
      this.set(longestBatchWaitSeconds());
    },
  });
}

/** Samples the outboxes periodically until the signal is aborted. Keeps the last values while the database is unavailable. */
export async function watchOutboxes(registry: MetricsRegistry, pool: Pool, signal: AbortSignal): Promise<void> {
  const options = { labelNames: ["outbox"], registers: [registry] };
  const rows = new Gauge({
    name: `${PREFIX}outbox_rows`,
    help: "Messages that wait to be sent, up to 100000",
    ...options,
  });
  const age = new Gauge({
    name: `${PREFIX}outbox_oldest_seconds`,
    help: "How long the oldest of them has waited",
    ...options,
  });
  while (!signal.aborted) {
    try {
      for (const outbox of OUTBOXES) {
        const { count, oldest } = await measureOutbox(pool, outbox);
        rows.set({ outbox }, Number(count));
        age.set({ outbox }, oldest === null ? 0 : Math.max(0, Number(now() - oldest) / 1e6));
      }
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError)) throw error;
    }
    await pause(OUTBOX_SAMPLE_MILLIS, signal);
  }
}
