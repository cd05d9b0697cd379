/** Statements on the table `running_transfer`. Transactions that lock debtors and transfers lock the debtors first. */
import type { RunningTransfer } from "../domain/running-transfer.ts";
import type { InitiatedTransfer, IssuingDebtor } from "../domain/transfer-creation.ts";
import { formatTimestamp } from "../values/timestamp.ts";
import type { Uuid } from "../values/uuid.ts";
import { columnsOf } from "./columns.ts";
import type { Database, Deferred, Statement, Transaction } from "./database.ts";
import { wakeFlushers } from "./wake.ts";

/** All columns of a transfer, aliased to the fields of the record. */
export const TRANSFER_COLUMNS = `
  debtor_id as "debtorId", transfer_uuid as "transferUuid", amount, recipient_uri as "recipientUri", recipient,
  transfer_note_format as "transferNoteFormat", transfer_note as "transferNote", initiated_at as "initiatedAt",
  finalized_at as "finalizedAt", error_code as "errorCode", total_locked_amount as "totalLockedAmount",
  coordinator_request_id as "coordinatorRequestId", transfer_id as "transferId"`;

/** The key of a transfer. */
export type TransferKey = Pick<RunningTransfer, "debtorId" | "transferUuid">;

/**
 * The clauses that find one transfer by its key. While PostgreSQL believes that there are few transfers, an index that has
 * the debtor alone costs it no more than the one that has all of the key, and it may read all transfers of the debtor. Only
 * the latter index gives this order, which `=` would make needless.
 */
const byKey = (debtorId: string, transferUuid: string): string => `
  where debtor_id = ${debtorId} and transfer_uuid between ${transferUuid} and ${transferUuid}
  order by transfer_uuid
  limit 1`;

/** The subquery for the place of a transfer, which must have been locked. */
export const placeOfTransfer = (debtorId: string, transferUuid: string): string =>
  `(select ctid from running_transfer ${byKey(debtorId, transferUuid)})`;

/** Reads a transfer without a lock. */
export function findTransfer(db: Database, debtorId: bigint, transferUuid: Uuid): Promise<RunningTransfer | undefined> {
  return db.maybeOne({
    name: "find_transfer",
    text: `
      select ${TRANSFER_COLUMNS}
      from running_transfer
      ${byKey("$1::bigint", "$2::uuid")}`,
    values: [debtorId, transferUuid],
  });
}

/** UUIDs of all transfers of the debtor, the oldest first. */
export async function listTransferUuids(db: Database, debtorId: bigint): Promise<Uuid[]> {
  const rows = await db.many<{ transferUuid: Uuid }>({
    name: "list_transfer_uuids",
    text: `
      select transfer_uuid as "transferUuid"
      from running_transfer
      where debtor_id = $1::bigint
      order by coordinator_request_id`,
    values: [debtorId],
  });
  return rows.map((row) => row.transferUuid);
}

/** Reads the existing ones of these transfers, in any order. Their debtors must have been locked, so that none can come or go. */
export function findTransfers(db: Database, keys: readonly TransferKey[]): Promise<RunningTransfer[]> {
  return db.many({
    name: "find_transfers",
    text: `
      select t.*
      from unnest($1::bigint[], $2::uuid[]) as key (debtor_id, transfer_uuid)
      cross join lateral (
        select ${TRANSFER_COLUMNS}
        from running_transfer t
        ${byKey("key.debtor_id", "key.transfer_uuid")}
      ) as t`,
    values: columnsOf(keys, "debtorId", "transferUuid"),
  });
}

/** Locks a transfer and reads it. The debtor is left unlocked: it does not change with the state of a transfer. */
export const lockTransfer = (
  db: Database,
  debtorId: bigint,
  transferUuid: Uuid,
): Promise<RunningTransfer | undefined> => db.maybeOne(lockOfTransfer(debtorId, transferUuid));

const lockOfTransfer = (debtorId: bigint, transferUuid: Uuid): Statement => ({
  name: "lock_transfer",
  text: `
    select ${TRANSFER_COLUMNS}
    from running_transfer
    ${byKey("$1::bigint", "$2::uuid")}
    for no key update`,
  values: [debtorId, transferUuid],
});

/**
 * Stores transfers that have begun, a PrepareTransfer for each of them, and what `debtors` have counted of actions and
 * transfers. Gives the coordinator request IDs, in the order of the transfers. The debtors must have been locked.
 */
export function insertTransfers(
  tx: Transaction,
  transfers: readonly InitiatedTransfer[],
  debtors: readonly IssuingDebtor[],
): Deferred<Pick<RunningTransfer, "coordinatorRequestId">> {
  tx.afterCommit(wakeFlushers);
  return tx.defer({
    name: "insert_transfers",
    text: `
      with initiated as (
        select t.*, nextval('coordinator_request_id_seq') as coordinator_request_id
        from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::varchar[], $5::varchar[], $6::varchar[], $7::varchar[],
                    $8::timestamptz[])
          with ordinality as t (debtor_id, transfer_uuid, amount, recipient_uri, recipient, transfer_note_format,
                                transfer_note, initiated_at, position)
      ), inserted as (
        insert into running_transfer
          (debtor_id, transfer_uuid, amount, recipient_uri, recipient, transfer_note_format, transfer_note,
           initiated_at, coordinator_request_id)
        select debtor_id, transfer_uuid, amount, recipient_uri, recipient, transfer_note_format, transfer_note,
          initiated_at, coordinator_request_id
        from initiated
      ), recorded as (
        insert into prepare_transfer_signal (inserted_at, debtor_id, coordinator_request_id, amount, recipient)
        select initiated_at, debtor_id, coordinator_request_id, amount, recipient
        from initiated
      ), counted as (
        update debtor d
        set running_transfers_count = c.running_transfers_count, actions_count = c.actions_count,
          actions_count_reset_date = c.actions_count_reset_date
        from unnest($9::bigint[], $10::integer[], $11::integer[], $12::date[])
          as c (debtor_id, running_transfers_count, actions_count, actions_count_reset_date)
        cross join lateral (
          select ctid as place from debtor where debtor.debtor_id = c.debtor_id offset 0
        ) as p
        where d.ctid = p.place
      )
      select coordinator_request_id as "coordinatorRequestId"
      from initiated
      order by position`,
    values: [
      ...columnsOf(
        transfers,
        "debtorId",
        "transferUuid",
        "amount",
        "recipientUri",
        "recipient",
        "transferNoteFormat",
        "transferNote",
        (t) => formatTimestamp(t.initiatedAt),
      ),
      ...columnsOf(debtors, "debtorId", "runningTransfersCount", "actionsCount", "actionsCountResetDate"),
    ],
  });
}

/** Stores how a transfer has ended. It must have been locked. */
export function finalizeTransfer(tx: Transaction, transfer: RunningTransfer): void {
  tx.defer({
    name: "finalize_transfer",
    text: `
      update running_transfer
      set finalized_at = $3::timestamptz, error_code = $4::varchar, total_locked_amount = $5::bigint
      where ctid = ${placeOfTransfer("$1::bigint", "$2::uuid")}`,
    values: [
      transfer.debtorId,
      transfer.transferUuid,
      transfer.finalizedAt === null ? null : formatTimestamp(transfer.finalizedAt),
      transfer.errorCode,
      transfer.totalLockedAmount,
    ],
  });
}

/**
 * Deletes a transfer, if it is there, and counts it off. The debtor must have been locked. The lock on the transfer is a
 * statement of its own: a place is that of a version of the row, and the version that comes after a wait for another
 * transaction is visible to the next statement only.
 */
export function deleteTransfer(tx: Transaction, debtorId: bigint, transferUuid: Uuid): void {
  tx.defer(lockOfTransfer(debtorId, transferUuid));
  tx.defer({
    name: "delete_transfer",
    text: `
      with deleted as (
        delete from running_transfer
        where ctid = ${placeOfTransfer("$1::bigint", "$2::uuid")}
        returning 1
      )
      update debtor d
      set running_transfers_count = d.running_transfers_count - 1
      where d.debtor_id = $1::bigint and exists (select from deleted)`,
    values: [debtorId, transferUuid],
  });
}

/**
 * Deletes all transfers of a debtor, and leaves it to the caller to zero their count. The debtor must have been locked.
 * The transfers are locked first, in the order in which batches of messages lock them: the deletion takes them as they lie,
 * and would deadlock with such a batch.
 */
export function deleteAllTransfers(tx: Transaction, debtorId: bigint): void {
  tx.defer({
    name: "lock_all_transfers",
    text: `
      with locked as materialized (
        select
        from running_transfer
        where debtor_id = $1::bigint
        order by debtor_id, coordinator_request_id
        for update
      )
      select count(*) from locked`,
    values: [debtorId],
  });
  tx.defer({
    name: "delete_all_transfers",
    text: "delete from running_transfer where debtor_id = $1::bigint",
    values: [debtorId],
  });
}
