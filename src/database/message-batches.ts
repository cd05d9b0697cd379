/** Loading and storing the records of a batch of incoming messages, each kind in one statement however many they are. */
import type { Debtor } from "../domain/debtor.ts";
import type { TransferRequest } from "../domain/message-batch.ts";
import type { RunningTransfer } from "../domain/running-transfer.ts";
import { formatTimestamp } from "../values/timestamp.ts";
import { columnsOf } from "./columns.ts";
import type { Database, Transaction } from "./database.ts";
import { placeOfTransfer, TRANSFER_COLUMNS } from "./running-transfers.ts";

/**
 * Locks and reads the transfers that the accounting authority knows by these coordinator and request IDs (each pair once).
 * Sorted: two transactions that lock the same transfers in opposite order would deadlock. Transactions that lock debtors and
 * transfers lock the debtors first.
 */
export function lockTransfersByRequests(
  db: Database,
  requests: readonly TransferRequest[],
): Promise<RunningTransfer[]> {
  return db.many({
    name: "lock_transfers_by_requests",
    text: `
      select t.*
      from (
        select *
        from unnest($1::bigint[], $2::bigint[]) as request (debtor_id, coordinator_request_id)
        order by debtor_id, coordinator_request_id
      ) as request
      cross join lateral (
        select ${TRANSFER_COLUMNS}
        from running_transfer t
        where t.debtor_id = request.debtor_id
          and t.coordinator_request_id between request.coordinator_request_id and request.coordinator_request_id
        order by t.coordinator_request_id   -- only the index that has both gives this order
        for no key update
      ) as t`,
    values: columnsOf(requests, "coordinatorId", "coordinatorRequestId"),
  });
}

/** Stores what messages change in debtors: whether they are active, and the state of their accounts. They must be locked. */
export function storeDebtorStates(tx: Transaction, debtors: readonly Debtor[]): void {
  if (debtors.length === 0) return;
  tx.defer({
    name: "store_debtor_states",
    text: `
      update debtor
      set status_flags = d.status_flags,
          last_config_ts = d.last_config_ts,
          last_config_seqnum = d.last_config_seqnum,
          is_config_effectual = d.is_config_effectual,
          config_error = d.config_error,
          debtor_info_iri = d.debtor_info_iri,
          has_server_account = d.has_server_account,
          account_creation_date = d.account_creation_date,
          account_last_change_ts = d.account_last_change_ts,
          account_last_change_seqnum = d.account_last_change_seqnum,
          account_last_heartbeat_ts = d.account_last_heartbeat_ts,
          account_id = d.account_id,
          balance = d.balance,
          transfer_note_max_bytes = d.transfer_note_max_bytes
      from unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::integer[], $5::boolean[], $6::varchar[],
                  $7::varchar[], $8::boolean[], $9::date[], $10::timestamptz[], $11::integer[], $12::timestamptz[],
                  $13::varchar[], $14::bigint[], $15::integer[])
        as d (debtor_id, status_flags, last_config_ts, last_config_seqnum, is_config_effectual, config_error,
              debtor_info_iri, has_server_account, account_creation_date, account_last_change_ts,
              account_last_change_seqnum, account_last_heartbeat_ts, account_id, balance, transfer_note_max_bytes)
      cross join lateral (select ctid as place from debtor where debtor.debtor_id = d.debtor_id offset 0) as p
      where debtor.ctid = p.place`,
    values: columnsOf(
      debtors,
      "debtorId",
      "statusFlags",
      (d) => formatTimestamp(d.lastConfigTs),
      "lastConfigSeqnum",
      "isConfigEffectual",
      "configError",
      "debtorInfoIri",
      "hasServerAccount",
      "accountCreationDate",
      (d) => formatTimestamp(d.accountLastChangeTs),
      "accountLastChangeSeqnum",
      (d) => formatTimestamp(d.accountLastHeartbeatTs),
      "accountId",
      "balance",
      "transferNoteMaxBytes",
    ),
  });
}

/** Stores the states of transfers. They must be locked. */
export function storeTransferStates(tx: Transaction, transfers: readonly RunningTransfer[]): void {
  if (transfers.length === 0) return;
  tx.defer({
    name: "store_transfer_states",
    text: `
      update running_transfer
      set transfer_id = t.transfer_id,
          finalized_at = t.finalized_at,
          error_code = t.error_code,
          total_locked_amount = t.total_locked_amount
      from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::varchar[], $6::bigint[])
        as t (debtor_id, transfer_uuid, transfer_id, finalized_at, error_code, total_locked_amount)
      where running_transfer.ctid = ${placeOfTransfer("t.debtor_id", "t.transfer_uuid")}`,
    values: columnsOf(
      transfers,
      "debtorId",
      "transferUuid",
      "transferId",
      (t) => (t.finalizedAt === null ? null : formatTimestamp(t.finalizedAt)),
      "errorCode",
      "totalLockedAmount",
    ),
  });
}
