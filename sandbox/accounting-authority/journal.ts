/** A journal of all messages in order, for people and tests. */
import type { Database, Transaction } from "../../src/database/database.ts";
import { formatTimestamp, type Timestamp } from "../../src/values/timestamp.ts";

/** A message that came in or went out. */
export interface JournalEntry {
  readonly entryId: bigint;
  readonly at: Timestamp;
  readonly direction: "in" | "out";
  readonly debtorId: bigint;
  readonly type: string;
  readonly body: Buffer;
}

/** Records messages that came in. */
export function recordReceived(
  tx: Transaction,
  received: readonly { readonly debtorId: bigint; readonly type: string; readonly body: Buffer }[],
  now: Timestamp,
): void {
  if (received.length === 0) return;
  tx.defer({
    name: "sandbox_record_received",
    text: `
      insert into sandbox.journal (at, direction, debtor_id, message_type, body)
      select $1::timestamptz, 'in', debtor_id, message_type, body
      from unnest($2::bigint[], $3::varchar[], $4::bytea[])
        with ordinality as m (debtor_id, message_type, body, position)
      order by position`,
    values: [
      formatTimestamp(now),
      received.map(({ debtorId }) => debtorId),
      received.map(({ type }) => type),
      received.map(({ body }) => body),
    ],
  });
}

/** The last entries, oldest first; of one currency when `debtorId` is given. */
export async function listJournal(db: Database, limit: number, debtorId?: bigint): Promise<JournalEntry[]> {
  const entries = await db.many<JournalEntry>({
    name: "sandbox_list_journal",
    text: `
      select entry_id as "entryId", at, direction, debtor_id as "debtorId", message_type as type, body
      from sandbox.journal
      where $1::bigint is null or debtor_id = $1::bigint
      order by entry_id desc
      limit $2::integer`,
    values: [debtorId ?? null, limit],
  });
  return entries.reverse();
}

/** Deletes all but about the last `entriesMax` entries. */
export async function trimJournal(db: Database, entriesMax: number): Promise<void> {
  await db.run({
    name: "sandbox_trim_journal",
    text: `
      delete from sandbox.journal
      where entry_id <= (select max(entry_id) from sandbox.journal) - $1::bigint`,
    values: [BigInt(entriesMax)],
  });
}
