/** Reading the debtor IDs of everything in the database, to see whether all of it belongs here. */
import type { Database } from "./database.ts";

/** The tables that name a debtor, except those whose rows always have a row in `debtor`. */
export const TABLES_OF_DEBTORS = [
  "debtor",
  "configure_account_signal",
  "prepare_transfer_signal",
  "finalize_transfer_signal",
] as const;

/**
 * Up to `limit` IDs from `fromDebtorId` on, in order, read along the primary key. An ID with several rows may come
 * several times.
 */
export async function listDebtorIds(
  db: Database,
  table: (typeof TABLES_OF_DEBTORS)[number],
  fromDebtorId: bigint,
  limit: number,
): Promise<bigint[]> {
  const rows = await db.many<{ debtorId: bigint }>({
    name: `list_debtor_ids_of_${table}`,
    text: `
      select debtor_id as "debtorId"
      from ${table}
      where debtor_id >= $1::bigint
      order by debtor_id
      limit $2::integer`,
    values: [fromDebtorId, limit],
  });
  return rows.map(({ debtorId }) => debtorId);
}
