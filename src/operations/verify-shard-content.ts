/** Whether all rows in the database belong to this node. Spec: operations, "verify_shard_content". */
import type { Pool } from "../database/database.ts";
import { listDebtorIds, TABLES_OF_DEBTORS } from "../database/shard-verification.ts";
import { pause } from "../runtime/backoff.ts";
import { INT64_MAX, INT64_MIN } from "../values/int64.ts";
import { isResponsible, type ShardingRealm } from "../values/shard.ts";

/** A row of a debtor that this node is not responsible for. */
export interface ForeignRow {
  readonly table: string;
  readonly debtorId: bigint;
}

/** The pace at which the tables are read. */
export interface VerificationPace {
  readonly rowsPerRead: number;
  readonly pauseSeconds: number;
}

/** Resolves to the first row that does not belong to this node; `undefined` when all do. Rejects when the signal is aborted. */
export async function findForeignRow(
  pool: Pool,
  realm: ShardingRealm,
  { rowsPerRead, pauseSeconds }: VerificationPace,
  signal: AbortSignal,
): Promise<ForeignRow | undefined> {
  for (const table of TABLES_OF_DEBTORS) {
    for (let next = INT64_MIN; next <= INT64_MAX; ) {
      const debtorIds = await listDebtorIds(pool, table, next, rowsPerRead);
      const foreign = debtorIds.find((debtorId) => !isResponsible(realm, debtorId));
      if (foreign !== undefined) return { table, debtorId: foreign };
      if (debtorIds.length < rowsPerRead) break;
      next = debtorIds.at(-1)! + 1n;
      await pause(pauseSeconds * 1000, signal);
      signal.throwIfAborted();
    }
  }
  return undefined;
}
