/** Taking messages out of the outbox, a burst at a time. Spec: messages, "Sent by this node"; storage, "Outbox tables". */
import type { ConfigureAccount, FinalizeTransfer, PrepareTransfer } from "../messages/outgoing.ts";
import type { Database } from "./database.ts";
import type { Outbox } from "./outbox.ts";

/** A message and where its row is. The place holds as long as the row is locked: rows of an outbox are never updated. */
export type Claimed<Message> = Message & { readonly ctid: string };

/** Locks up to `countMax` ConfigureAccount messages, in no order, and leaves those that another flusher has. */
export function claimConfigureAccounts(db: Database, countMax: number): Promise<Claimed<ConfigureAccount>[]> {
  return db.many({
    name: "take_configure_accounts",
    text: `
      select ctid::text, debtor_id as "debtorId", ts, seqnum, negligible_amount as "negligibleAmount",
        config_data as "configData", config_flags as "configFlags"
      from configure_account_signal
      limit $1::integer
      for update skip locked`,
    values: [countMax],
  });
}

/** Locks up to `countMax` PrepareTransfer messages, in no order, and leaves those that another flusher has. */
export function claimPrepareTransfers(db: Database, countMax: number): Promise<Claimed<PrepareTransfer>[]> {
  return db.many({
    name: "take_prepare_transfers",
    text: `
      select ctid::text, debtor_id as "debtorId", coordinator_request_id as "coordinatorRequestId", amount, recipient,
        inserted_at as ts
      from prepare_transfer_signal
      limit $1::integer
      for update skip locked`,
    values: [countMax],
  });
}

/** Locks up to `countMax` FinalizeTransfer messages, in no order, and leaves those that another flusher has. */
export function claimFinalizeTransfers(db: Database, countMax: number): Promise<Claimed<FinalizeTransfer>[]> {
  return db.many({
    name: "take_finalize_transfers",
    text: `
      select ctid::text, debtor_id as "debtorId", creditor_id as "creditorId", transfer_id as "transferId",
        coordinator_id as "coordinatorId", coordinator_request_id as "coordinatorRequestId",
        committed_amount as "committedAmount", transfer_note_format as "transferNoteFormat",
        transfer_note as "transferNote", inserted_at as ts
      from finalize_transfer_signal
      limit $1::integer
      for update skip locked`,
    values: [countMax],
  });
}

/** Deletes rows that this transaction has locked. */
export function deleteClaimed(db: Database, outbox: Outbox, ctids: readonly string[]): Promise<number> {
  return db.run({
    name: `delete_taken_${outbox}`,
    text: `delete from ${outbox}_signal where ctid = any ($1::tid[])`,
    values: [ctids],
  });
}

/** Marks the point to which `rollbackDeletion` goes back. */
export const markBeforeDeletion = (db: Database): Promise<number> =>
  db.run({ name: "mark_before_deletion", text: "savepoint before_deletion" });

/** Takes a deletion of this transaction back. The rows stay locked. */
export const rollbackDeletion = (db: Database): Promise<number> =>
  db.run({ name: "rollback_deletion", text: "rollback to savepoint before_deletion" });
