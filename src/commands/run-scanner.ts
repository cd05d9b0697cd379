/** What the scanner process is made of. */
import type { Config } from "../config.ts";
import type { Pool } from "../database/database.ts";
import type { Logger } from "../runtime/log.ts";
import type { ShardingRealm } from "../values/shard.ts";
import { createScanner } from "../workers/scanner.ts";
import { createScannerMetrics, type Instruments } from "./instruments.ts";
import { untilSchemaIsCurrent } from "./readiness.ts";

export interface ScannerProcessOptions {
  readonly config: Config & { readonly realm: ShardingRealm };
  readonly pool: Pool;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly instruments?: Instruments;
  /** One pass as fast as the beat allows, instead of pass after pass at the pace of the settings. */
  readonly isOnePass?: boolean;
}

/** Scans until the signal is aborted. */
export async function runScanner(options: ScannerProcessOptions): Promise<void> {
  const { config, pool, log, signal, instruments, isOnePass = false } = options;
  const scanner = createScanner({
    pool,
    rules: {
      realm: config.realm,
      areParentShardRecordsDeleted: config.areParentShardRecordsDeleted,
      inactiveDebtorRetentionDays: config.limits.inactiveDebtorRetentionDays,
      heartbeatDelayDaysMax: config.scanner.heartbeatDelayDaysMax,
      configDelayHoursMax: config.scanner.configDelayHoursMax,
    },
    pace: config.scanner,
    log,
    ...(instruments === undefined ? {} : { metrics: createScannerMetrics(instruments) }),
  });
  if (isOnePass) return scanner.runOnce(signal);
  await untilSchemaIsCurrent(pool, log, signal);
  await scanner.run(signal);
}
