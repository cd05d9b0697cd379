/** Statements on the table `debtor` that more than one operation uses. */
import type { Debtor } from "../domain/debtor.ts";
import type { Database } from "./database.ts";

/** All columns of a debtor, aliased to the fields of the record. */
export const DEBTOR_COLUMNS = `
  debtor_id as "debtorId", status_flags as "statusFlags", deactivation_date as "deactivationDate",
  reservation_id as "reservationId", created_at as "createdAt", balance,
  transfer_note_max_bytes as "transferNoteMaxBytes", running_transfers_count as "runningTransfersCount",
  actions_count as "actionsCount", actions_count_reset_date as "actionsCountResetDate",
  has_server_account as "hasServerAccount", account_creation_date as "accountCreationDate",
  account_last_change_ts as "accountLastChangeTs", account_last_change_seqnum as "accountLastChangeSeqnum",
  account_last_heartbeat_ts as "accountLastHeartbeatTs", account_id as "accountId", last_config_ts as "lastConfigTs",
  last_config_seqnum as "lastConfigSeqnum", is_config_effectual as "isConfigEffectual", config_flags as "configFlags",
  config_data as "configData", config_error as "configError", config_latest_update_id as "configLatestUpdateId",
  debtor_info_iri as "debtorInfoIri", documents_count as "documentsCount",
  documents_count_reset_date as "documentsCountResetDate", min_balance as "minBalance"`;

/** Reads a debtor, whatever its status, without a lock. */
export function findDebtor(db: Database, debtorId: bigint): Promise<Debtor | undefined> {
  return db.maybeOne({
    name: "find_debtor",
    text: `select ${DEBTOR_COLUMNS} from debtor where debtor_id = $1::bigint`,
    values: [debtorId],
  });
}

/**
 * Locks debtors, whatever their status, and reads them. `no key update` is enough: the key never changes, and
 * foreign-key checks stay free. Sorted: two transactions that lock the same debtors in opposite order would deadlock.
 * Whoever locks debtors and transfers locks the debtors first.
 */
export function lockDebtors(db: Database, debtorIds: readonly bigint[]): Promise<Debtor[]> {
  return db.many({
    name: "lock_debtors",
    text: `
      select ${DEBTOR_COLUMNS}
      from debtor
      where debtor_id = any ($1::bigint[])
      order by debtor_id
      for no key update`,
    values: [debtorIds],
  });
}
