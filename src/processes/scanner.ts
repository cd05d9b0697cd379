/** A scanner process. */
import { type Config, readConfig } from "../config.ts";
import type { Pool } from "../database/database.ts";
import type { Health } from "../runtime/health.ts";
import type { Logger } from "../runtime/log.ts";
import type { ShardingRealm } from "../values/shard.ts";
import { createScanner } from "../workers/scanner.ts";
import { withDatabase } from "./connections.ts";
import { createScannerMetrics, type MetricsRegistry } from "./metrics.ts";
import type { ProcessInput } from "./process-input.ts";
import { untilSchemaIsCurrent } from "./readiness.ts";

export interface ScannerProcessOptions {
  readonly config: Config & { readonly realm: ShardingRealm };
  readonly pool: Pool;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly registry?: MetricsRegistry | undefined;
  readonly health?: Health | undefined;
  /** One pass as fast as the beat allows, instead of pass after pass at the pace of the settings. */
  readonly onePass?: boolean | undefined;
}

/** Scans with connections of its own until the signal is aborted. */
export async function scannerProcess({ name, environment, log, signal }: ProcessInput): Promise<void> {
  const config = readConfig(environment, ["realm", "postgresUrl"]);
  // One more for readiness.
  await withDatabase(
    { name, shard: config.realm.shard, postgresUrl: config.postgresUrl, poolSize: 2, log },
    (connections) => runScanner({ config, log, signal, ...connections }),
  );
}

/** Scans until the signal is aborted. */
export async function runScanner(options: ScannerProcessOptions): Promise<void> {
  const { config, pool, log, signal, registry, health, onePass = false } = options;
  const scanner = createScanner({
    pool,
    rules: {
      realm: config.realm,
      deleteParentShardRecords: config.deleteParentShardRecords,
      inactiveDebtorRetentionDays: config.limits.inactiveDebtorRetentionDays,
      heartbeatDelayDaysMax: config.scanner.heartbeatDelayDaysMax,
      configDelayHoursMax: config.scanner.configDelayHoursMax,
    },
    pace: config.scanner,
    log,
    health,
    metrics: registry && createScannerMetrics(registry),
  });
  if (onePass) return scanner.runOnce(signal);
  await untilSchemaIsCurrent(pool, log, signal);
  await scanner.run(signal);
}
