/**
 * Writing to the outbox: a message to the accounting authority is stored in the transaction that causes it, and the
 * flushers send it later. Spec: messages, "Sent by this node"; storage, "Outbox tables".
 */
import type { ConfigureAccount, FinalizeTransfer, PrepareTransfer } from "../messages/outgoing.ts";
import { formatTimestamp } from "../values/timestamp.ts";
import type { Database } from "./database.ts";

/** The outbox tables, without their suffix `_signal`. */
export const OUTBOXES = ["configure_account", "prepare_transfer", "finalize_transfer"] as const;

/** The name of an outbox. */
export type Outbox = (typeof OUTBOXES)[number];

/**
 * Stores ConfigureAccount messages. `on conflict do nothing`: the key (debtor, ts, seqnum) holds for equal messages
 * only, two answers to one orphaned account within a microsecond.
 */
export function recordConfigureAccounts(db: Database, messages: readonly ConfigureAccount[]): Promise<number> {
  return db.run({
    name: "record_configure_accounts",
    text: `
      insert into configure_account_signal
        (inserted_at, debtor_id, ts, seqnum, config_data, config_flags, negligible_amount)
      select m.ts, m.debtor_id, m.ts, m.seqnum, m.config_data, m.config_flags, m.negligible_amount
      from unnest($1::bigint[], $2::timestamptz[], $3::integer[], $4::varchar[], $5::integer[], $6::real[])
        as m (debtor_id, ts, seqnum, config_data, config_flags, negligible_amount)
      on conflict do nothing`,
    values: [
      messages.map((m) => m.debtorId),
      messages.map((m) => formatTimestamp(m.ts)),
      messages.map((m) => m.seqnum),
      messages.map((m) => m.configData),
      messages.map((m) => m.configFlags),
      messages.map((m) => m.negligibleAmount),
    ],
  });
}

/** Stores PrepareTransfer messages. */
export function recordPrepareTransfers(db: Database, messages: readonly PrepareTransfer[]): Promise<number> {
  return db.run({
    name: "record_prepare_transfers",
    text: `
      insert into prepare_transfer_signal (inserted_at, debtor_id, coordinator_request_id, amount, recipient)
      select *
      from unnest($1::timestamptz[], $2::bigint[], $3::bigint[], $4::bigint[], $5::varchar[])`,
    values: [
      messages.map((m) => formatTimestamp(m.ts)),
      messages.map((m) => m.debtorId),
      messages.map((m) => m.coordinatorRequestId),
      messages.map((m) => m.amount),
      messages.map((m) => m.recipient),
    ],
  });
}

/** Stores FinalizeTransfer messages. */
export function recordFinalizeTransfers(db: Database, messages: readonly FinalizeTransfer[]): Promise<number> {
  return db.run({
    name: "record_finalize_transfers",
    text: `
      insert into finalize_transfer_signal
        (inserted_at, debtor_id, creditor_id, transfer_id, coordinator_id, coordinator_request_id, committed_amount,
         transfer_note_format, transfer_note)
      select *
      from unnest($1::timestamptz[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                  $8::varchar[], $9::varchar[])`,
    values: [
      messages.map((m) => formatTimestamp(m.ts)),
      messages.map((m) => m.debtorId),
      messages.map((m) => m.creditorId),
      messages.map((m) => m.transferId),
      messages.map((m) => m.coordinatorId),
      messages.map((m) => m.coordinatorRequestId),
      messages.map((m) => m.committedAmount),
      messages.map((m) => m.transferNoteFormat),
      messages.map((m) => m.transferNote),
    ],
  });
}
