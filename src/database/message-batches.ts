/** Loading and storing the records of a batch of incoming messages, each kind in one statement however many they are. */
import type { Debtor } from "../domain/debtor.ts";
import type { TransferRequest } from "../domain/message-batch.ts";
import type { RunningTransfer } from "../domain/running-transfer.ts";
import { formatTimestamp } from "../values/timestamp.ts";
import type { Database } from "./database.ts";

/**
 * Locks and reads the transfers that the accounting authority knows by these coordinator and request IDs (each pair once).
 * Sorted: two transactions that lock the same transfers in opposite order would deadlock. Whoever locks debtors and
 * transfers locks the debtors first.
 */
export function lockTransfersByRequests(
  db: Database,
  requests: readonly TransferRequest[],
): Promise<RunningTransfer[]> {
  return db.many({
    name: "lock_transfers_by_requests",
    text: `
      select
        debtor_id as "debtorId", transfer_uuid as "transferUuid", amount, recipient_uri as "recipientUri", recipient,
        transfer_note_format as "transferNoteFormat", transfer_note as "transferNote", initiated_at as "initiatedAt",
        finalized_at as "finalizedAt", error_code as "errorCode", total_locked_amount as "totalLockedAmount",
        coordinator_request_id as "coordinatorRequestId", transfer_id as "transferId"
      from running_transfer
      where (debtor_id, coordinator_request_id) in (select * from unnest($1::bigint[], $2::bigint[]))
      order by debtor_id, coordinator_request_id
      for no key update`,
    values: [requests.map((r) => r.coordinatorId), requests.map((r) => r.coordinatorRequestId)],
  });
}

/** Stores what the accounting authority has said about the accounts of debtors. They must be locked. */
export function storeAccountStates(db: Database, debtors: readonly Debtor[]): Promise<number> {
  return db.run({
    name: "store_account_states",
    text: `
      update debtor
      set has_server_account = d.has_server_account,
          account_creation_date = d.account_creation_date,
          account_last_change_ts = d.account_last_change_ts,
          account_last_change_seqnum = d.account_last_change_seqnum,
          account_last_heartbeat_ts = d.account_last_heartbeat_ts,
          account_id = d.account_id,
          balance = d.balance,
          transfer_note_max_bytes = d.transfer_note_max_bytes,
          is_config_effectual = d.is_config_effectual,
          config_error = d.config_error,
          debtor_info_iri = d.debtor_info_iri
      from unnest($1::bigint[], $2::boolean[], $3::date[], $4::timestamptz[], $5::integer[], $6::timestamptz[],
                  $7::varchar[], $8::bigint[], $9::integer[], $10::boolean[], $11::varchar[], $12::varchar[])
        as d (debtor_id, has_server_account, account_creation_date, account_last_change_ts, account_last_change_seqnum,
              account_last_heartbeat_ts, account_id, balance, transfer_note_max_bytes, is_config_effectual,
              config_error, debtor_info_iri)
      where debtor.debtor_id = d.debtor_id`,
    values: [
      debtors.map((d) => d.debtorId),
      debtors.map((d) => d.hasServerAccount),
      debtors.map((d) => d.accountCreationDate),
      debtors.map((d) => formatTimestamp(d.accountLastChangeTs)),
      debtors.map((d) => d.accountLastChangeSeqnum),
      debtors.map((d) => formatTimestamp(d.accountLastHeartbeatTs)),
      debtors.map((d) => d.accountId),
      debtors.map((d) => d.balance),
      debtors.map((d) => d.transferNoteMaxBytes),
      debtors.map((d) => d.isConfigEffectual),
      debtors.map((d) => d.configError),
      debtors.map((d) => d.debtorInfoIri),
    ],
  });
}

/** Stores that debtors have been activated, and their first configurations. They must be locked. */
export function storeActivations(db: Database, debtors: readonly Debtor[]): Promise<number> {
  return db.run({
    name: "store_activations",
    text: `
      update debtor
      set status_flags = d.status_flags,
          last_config_ts = d.last_config_ts,
          last_config_seqnum = d.last_config_seqnum
      from unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::integer[])
        as d (debtor_id, status_flags, last_config_ts, last_config_seqnum)
      where debtor.debtor_id = d.debtor_id`,
    values: [
      debtors.map((d) => d.debtorId),
      debtors.map((d) => d.statusFlags),
      debtors.map((d) => formatTimestamp(d.lastConfigTs)),
      debtors.map((d) => d.lastConfigSeqnum),
    ],
  });
}

/** Stores how far transfers have come. They must be locked. */
export function storeTransferStates(db: Database, transfers: readonly RunningTransfer[]): Promise<number> {
  return db.run({
    name: "store_transfer_states",
    text: `
      update running_transfer
      set transfer_id = t.transfer_id,
          finalized_at = t.finalized_at,
          error_code = t.error_code,
          total_locked_amount = t.total_locked_amount
      from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::varchar[], $6::bigint[])
        as t (debtor_id, transfer_uuid, transfer_id, finalized_at, error_code, total_locked_amount)
      where running_transfer.debtor_id = t.debtor_id and running_transfer.transfer_uuid = t.transfer_uuid`,
    values: [
      transfers.map((t) => t.debtorId),
      transfers.map((t) => t.transferUuid),
      transfers.map((t) => t.transferId),
      transfers.map((t) => (t.finalizedAt === null ? null : formatTimestamp(t.finalizedAt))),
      transfers.map((t) => t.errorCode),
      transfers.map((t) => t.totalLockedAmount),
    ],
  });
}
