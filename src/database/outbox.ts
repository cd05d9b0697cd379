/**
 * The outbox: messages to the accounting authority, each stored in the transaction that causes it, until a flusher has sent
 * it. Spec: messages, "Sent by this node"; storage, "Outbox tables".
 */
import {
  type ConfigureAccount,
  encodeConfigureAccount,
  encodeFinalizeTransfer,
  encodePrepareTransfer,
  type FinalizeTransfer,
  type OutgoingMessage,
  type PrepareTransfer,
} from "../messages/outgoing.ts";
import { formatTimestamp, type Timestamp } from "../values/timestamp.ts";
import { columnsOf } from "./columns.ts";
import type { Database, Transaction } from "./database.ts";
import { wakeFlushers } from "./wake.ts";

interface Messages {
  readonly configure_account: ConfigureAccount;
  readonly prepare_transfer: PrepareTransfer;
  readonly finalize_transfer: FinalizeTransfer;
}

/** The name of an outbox: that of its table, without the suffix `_signal`. */
export type Outbox = keyof Messages;

interface OutboxDescriptor<Message> {
  /** The columns that make up a message, with their types, by its fields. */
  readonly columns: { readonly [Field in keyof Message & string]: readonly [column: string, type: string] };
  /** The column that says when the row was written, where the message does not have it. */
  readonly insertedAt?: string;
  readonly encode: (message: Message) => OutgoingMessage;
}

const descriptors: { readonly [Name in Outbox]: OutboxDescriptor<Messages[Name]> } = {
  configure_account: {
    columns: {
      debtorId: ["debtor_id", "bigint"],
      ts: ["ts", "timestamptz"],
      seqnum: ["seqnum", "integer"],
      configData: ["config_data", "varchar"],
      configFlags: ["config_flags", "integer"],
      negligibleAmount: ["negligible_amount", "real"],
    },
    insertedAt: "ts",
    encode: encodeConfigureAccount,
  },
  prepare_transfer: {
    columns: {
      ts: ["inserted_at", "timestamptz"],
      debtorId: ["debtor_id", "bigint"],
      coordinatorRequestId: ["coordinator_request_id", "bigint"],
      amount: ["amount", "bigint"],
      recipient: ["recipient", "varchar"],
    },
    encode: encodePrepareTransfer,
  },
  finalize_transfer: {
    columns: {
      ts: ["inserted_at", "timestamptz"],
      debtorId: ["debtor_id", "bigint"],
      creditorId: ["creditor_id", "bigint"],
      transferId: ["transfer_id", "bigint"],
      coordinatorId: ["coordinator_id", "bigint"],
      coordinatorRequestId: ["coordinator_request_id", "bigint"],
      committedAmount: ["committed_amount", "bigint"],
      transferNoteFormat: ["transfer_note_format", "varchar"],
      transferNote: ["transfer_note", "varchar"],
    },
    encode: encodeFinalizeTransfer,
  },
};

/** All outboxes. */
export const OUTBOXES = Object.keys(descriptors) as readonly Outbox[];

/**
 * Stores messages, and wakes the flushers after the commit. `on conflict do nothing`: the key (debtor, ts, seqnum) of a
 * ConfigureAccount is the same for equal messages only, two answers to one orphaned account within a microsecond.
 */
export function recordMessages<Name extends Outbox>(
  tx: Transaction,
  outbox: Name,
  messages: readonly Messages[Name][],
): void {
  if (messages.length === 0) return;
  const { columns, insertedAt } = descriptors[outbox] as OutboxDescriptor<Messages[Name]>;
  const entries = Object.entries(columns) as [keyof Messages[Name] & string, readonly [string, string]][];
  const names = entries.map(([, [name]]) => name);
  const parameters = entries.map(([, [, type]], index) => `$${index + 1}::${type}[]`);
  tx.defer({
    name: `record_${outbox}`,
    text: `
      insert into ${outbox}_signal (${names}${insertedAt === undefined ? "" : ", inserted_at"})
      select m.*${insertedAt === undefined ? "" : `, m.${insertedAt}`}
      from unnest(${parameters}) as m (${names})
      ${outbox === "configure_account" ? "on conflict do nothing" : ""}`,
    values: columnsOf(
      messages,
      ...entries.map(
        ([field, [, type]]) =>
          (message: Messages[Name]) =>
            type === "timestamptz" ? formatTimestamp(message[field] as Timestamp) : message[field],
      ),
    ),
  });
  tx.afterCommit(wakeFlushers);
}

/** A message that this transaction has locked. */
export interface ClaimedMessage {
  /** Where the row is. It holds as long as the row is locked: rows of an outbox are never updated. */
  readonly ctid: string;
  readonly debtorId: bigint;
  readonly ts: Timestamp;
  encode(): OutgoingMessage;
}

/** Locks up to `countMax` messages, in no order, and skips those that another flusher has locked. */
export async function claimMessages<Name extends Outbox>(
  db: Database,
  outbox: Name,
  countMax: number,
): Promise<ClaimedMessage[]> {
  const { columns, encode } = descriptors[outbox] as OutboxDescriptor<Messages[Name]>;
  const aliased = Object.entries(columns).map(([field, column]) => `${(column as readonly string[])[0]} as "${field}"`);
  const messages = await db.many<Messages[Name] & { readonly ctid: string }>({
    name: `claim_${outbox}`,
    text: `
      select ctid::text, ${aliased}
      from ${outbox}_signal
      limit $1::integer
      for update skip locked`,
    values: [countMax],
  });
  return messages.map((message) => ({
    ctid: message.ctid,
    debtorId: message.debtorId,
    ts: message.ts,
    encode: () => encode(message),
  }));
}

/** Deletes messages that this transaction has locked. */
export function deleteClaimed(db: Database, outbox: Outbox, messages: readonly ClaimedMessage[]): Promise<number> {
  return db.run({
    name: `delete_claimed_${outbox}`,
    text: `delete from ${outbox}_signal where ctid = any ($1::tid[])`,
    values: [messages.map(({ ctid }) => ctid)],
  });
}

/** Marks the point to which `rollbackDeletion` goes back. */
export const markBeforeDeletion = (db: Database): Promise<number> =>
  db.run({ name: "mark_before_deletion", text: "savepoint before_deletion" });

/** Rolls a deletion of this transaction back. The rows stay locked. */
export const rollbackDeletion = (db: Database): Promise<number> =>
  db.run({ name: "rollback_deletion", text: "rollback to savepoint before_deletion" });
