/** Scanning the debtors in some blocks of the table. Spec: operations, "The scanner". */
import type { Pool } from "../database/database.ts";
import {
  type BlockRange,
  deleteDebtors,
  deleteOldReservations,
  flagIneffectualConfigs,
  listDebtorIdsInBlocks,
} from "../database/scan.ts";
import { belongsToParentOnly, type ShardingRealm } from "../values/shard.ts";
import { plusSeconds, type Timestamp } from "../values/timestamp.ts";
import { refuseForeignDatabase } from "./split-safety.ts";

/** The limits of the scanner. All times may be fractions. */
export interface ScanRules {
  readonly realm: ShardingRealm;
  /** During a split: debtors that belong to the parent shard only are deleted. */
  readonly deleteParentShardRecords: boolean;
  readonly inactiveDebtorRetentionDays: number;
  readonly heartbeatDelayDaysMax: number;
  readonly configDelayHoursMax: number;
}

/** How many debtors were changed. */
export interface ScanCounts {
  readonly oldReservations: number;
  readonly ineffectualConfigs: number;
  readonly parentShardDebtors: number;
}

/** Scans some blocks. Each of the changes is a transaction of its own, and all may be repeated. */
export async function scanDebtors(
  pool: Pool,
  rules: ScanRules,
  range: BlockRange,
  now: Timestamp,
): Promise<ScanCounts> {
  const oldReservations = await deleteOldReservations(pool, range, daysBefore(now, rules.inactiveDebtorRetentionDays));
  const ineffectualConfigs = await flagIneffectualConfigs(pool, range, {
    lastConfigBefore: daysBefore(now, rules.configDelayHoursMax / 24),
    lastHeartbeatBefore: daysBefore(now, rules.heartbeatDelayDaysMax),
  });
  const parentShardDebtors = rules.deleteParentShardRecords
    ? await deleteParentShardDebtors(pool, rules.realm, range)
    : 0;
  return { oldReservations, ineffectualConfigs, parentShardDebtors };
}

async function deleteParentShardDebtors(pool: Pool, realm: ShardingRealm, range: BlockRange): Promise<number> {
  const debtorIds = await listDebtorIdsInBlocks(pool, range);
  const leftOver = debtorIds.filter((debtorId) => belongsToParentOnly(realm, debtorId));
  if (leftOver.length === 0) return 0;
  await refuseForeignDatabase(pool, realm.shard);
  return deleteDebtors(pool, leftOver);
}

const daysBefore = (now: Timestamp, days: number): Timestamp => plusSeconds(now, -days * 86_400);
