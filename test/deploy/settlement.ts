/** How transfers have ended, read from the database. */
import type { Database } from "../../src/database/database.ts";

/** By UUID: `OK`, the error code, or `open`. */
export async function settledOf(db: Database, debtorId: bigint): Promise<Map<string, string>> {
  const rows = await db.many<{ uuid: string; outcome: string }>({
    name: "settled_of",
    text: `
      select transfer_uuid::text as uuid,
        case when finalized_at is null then 'open' else coalesce(error_code, 'OK') end as outcome
      from running_transfer
      where debtor_id = $1::bigint`,
    values: [debtorId],
  });
  return new Map(rows.map(({ uuid, outcome }) => [uuid, outcome]));
}
