/** Whether all rows in the database belong to this node. Spec: operations, "verify_shard_content". */
import type { Pool } from "../database/database.ts";
import { listDebtorIds, TABLES_OF_DEBTORS } from "../database/shard-verification.ts";
import { pause } from "../runtime/backoff.ts";
import { INT64_MAX, INT64_MIN } from "../values/int64.ts";
import { isInShard, isResponsible, type ShardingRealm } from "../values/shard.ts";

/** A row of a debtor. */
export interface ForeignRow {
  readonly table: string;
  readonly debtorId: bigint;
}

/** The first rows of each kind that do not belong here. */
export interface ForeignRows {
  /** Of another shard. */
  readonly otherShard: ForeignRow | undefined;
  /** Of this shard, but outside of the interval of debtor IDs. */
  readonly outsideInterval: ForeignRow | undefined;
}

/** The pace at which the tables are read. */
export interface VerificationPace {
  readonly rowsPerRead: number;
  readonly pauseSeconds: number;
}

/** Reads until it finds a row of another shard, or has read all rows. Rejects when the signal is aborted. */
export async function findForeignRows(
  pool: Pool,
  realm: ShardingRealm,
  { rowsPerRead, pauseSeconds }: VerificationPace,
  signal: AbortSignal,
): Promise<ForeignRows> {
  let outsideInterval: ForeignRow | undefined;
  for (const table of TABLES_OF_DEBTORS) {
    for (let next = INT64_MIN; next <= INT64_MAX; ) {
      const debtorIds = await listDebtorIds(pool, table, next, rowsPerRead);
      const other = debtorIds.find((debtorId) => !isInShard(realm.shard, debtorId));
      if (other !== undefined) return { otherShard: { table, debtorId: other }, outsideInterval };
      const outside = debtorIds.find((debtorId) => !isResponsible(realm, debtorId));
      if (outside !== undefined) outsideInterval ??= { table, debtorId: outside };
      if (debtorIds.length < rowsPerRead) break;
      next = debtorIds.at(-1)! + 1n;
      await pause(pauseSeconds * 1000, signal);
      signal.throwIfAborted();
    }
  }
  return { otherShard: undefined, outsideInterval };
}
