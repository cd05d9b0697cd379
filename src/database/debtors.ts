/** Statements on the table `debtor` that more than one operation uses. */
import type { NewDebtor } from "../domain/activation.ts";
import type { Debtor } from "../domain/debtor.ts";
import type { IssuingDebtor } from "../domain/transfer-creation.ts";
import { formatTimestamp } from "../values/timestamp.ts";
import type { Database, Statement, Transaction } from "./database.ts";

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

/** Reads a debtor of any status, without a lock. */
export function findDebtor(db: Database, debtorId: bigint): Promise<Debtor | undefined> {
  return db.maybeOne({
    name: "find_debtor",
    text: `select ${DEBTOR_COLUMNS} from debtor where debtor_id = $1::bigint`,
    values: [debtorId],
  });
}

/**
 * Locks debtors of any status, and reads them. `no key update` is enough: the key never changes, and
 * foreign-key checks stay free. Sorted: two transactions that lock the same debtors in opposite order would deadlock.
 * Transactions that lock debtors and transfers lock the debtors first.
 */
export const lockDebtors = (db: Database, debtorIds: readonly bigint[]): Promise<Debtor[]> =>
  db.many(lockOfDebtors(debtorIds));

/** The statement of `lockDebtors`. */
export function lockOfDebtors(debtorIds: readonly bigint[]): Statement {
  return {
    name: "lock_debtors",
    text: `
      select ${DEBTOR_COLUMNS}
      from debtor
      where debtor_id = any ($1::bigint[])
      order by debtor_id
      for no key update`,
    values: [debtorIds],
  };
}

/** Locks debtors as `lockDebtors` does, and reads only the columns that the creation of a transfer needs, which is done often. */
export function lockIssuingDebtors(db: Database, debtorIds: readonly bigint[]): Promise<IssuingDebtor[]> {
  return db.many({
    name: "lock_issuing_debtors",
    text: `
      select debtor_id as "debtorId", status_flags as "statusFlags", running_transfers_count as "runningTransfersCount",
        actions_count as "actionsCount", actions_count_reset_date as "actionsCountResetDate"
      from debtor
      where debtor_id = any ($1::bigint[])
      order by debtor_id
      for no key update`,
    values: [debtorIds],
  });
}

// A random number, so that no other program uses it for an advisory lock.
const ABSENT_DEBTORS_LOCK_CLASS = 1_293_077_409;

/**
 * The statement that locks debtors that may not exist, until the end of the transaction: `exclusive` for adding and activating
 * one, `shared` for acting on its absence. There are 256 such locks for any number of debtors, because PostgreSQL
 * has room for some thousands in all; so two debtors may share a lock.
 */
export function lockOfAbsentDebtors(debtorIds: readonly bigint[], mode: "shared" | "exclusive"): Statement {
  const lock = mode === "shared" ? "pg_advisory_xact_lock_shared" : "pg_advisory_xact_lock";
  return {
    name: `lock_absent_debtors_${mode}`,
    text: `
      select ${lock}(${ABSENT_DEBTORS_LOCK_CLASS}, hashint8(debtor_id) & 255)
      from unnest($1::bigint[]) as d (debtor_id)`,
    values: [debtorIds],
  };
}

/** Reads those of the debtors that there are, in any order, without a lock. */
export function findDebtors(db: Database, debtorIds: readonly bigint[]): Promise<Debtor[]> {
  return db.many({
    name: "find_debtors",
    text: `select ${DEBTOR_COLUMNS} from debtor where debtor_id = any ($1::bigint[])`,
    values: [debtorIds],
  });
}

/** IDs of active debtors, in signed order, from the given one on. An index-only scan: the status is in the index. */
export async function listActiveDebtorIds(db: Database, fromDebtorId: bigint, limit: number): Promise<bigint[]> {
  const rows = await db.many<{ debtorId: bigint }>({
    name: "list_active_debtor_ids",
    text: `
      select debtor_id as "debtorId"
      from debtor
      where debtor_id >= $1::bigint and status_flags & 3 = 1   -- activated, not deactivated
      order by debtor_id
      limit $2::integer`,
    values: [fromDebtorId, limit],
  });
  return rows.map((row) => row.debtorId);
}

/** The first of the given IDs that no debtor has, or `undefined`. Another may take it at any time. */
export async function findFreeDebtorId(db: Database, debtorIds: readonly bigint[]): Promise<bigint | undefined> {
  const row = await db.maybeOne<{ debtorId: bigint }>({
    name: "find_free_debtor_id",
    text: `
      select c.debtor_id as "debtorId"
      from unnest($1::bigint[]) with ordinality as c (debtor_id, position)
      left join lateral (
        select true as is_taken
        from debtor d
        where d.debtor_id = c.debtor_id
        offset 0   -- keeps the planner from scanning the table instead
      ) as d on true
      where d.is_taken is null
      order by c.position
      limit 1`,
    values: [debtorIds],
  });
  return row?.debtorId;
}

/**
 * Adds a debtor, and gives it a reservation ID. `undefined` when there is one with this ID, of any status. All
 * columns are named: in a database that the Python program made they have no defaults.
 */
export function insertDebtor(db: Database, debtor: NewDebtor): Promise<Debtor | undefined> {
  return db.maybeOne({
    name: "insert_debtor",
    text: `
      insert into debtor
        (reservation_id, debtor_id, status_flags, deactivation_date, created_at, balance, transfer_note_max_bytes,
         running_transfers_count, actions_count, actions_count_reset_date, has_server_account, account_creation_date,
         account_last_change_ts, account_last_change_seqnum, account_last_heartbeat_ts, account_id, last_config_ts,
         last_config_seqnum, is_config_effectual, config_flags, config_data, config_error, config_latest_update_id,
         debtor_info_iri, documents_count, documents_count_reset_date, min_balance)
      values
        (nextval('debtor_reservation_id_seq'), $1::bigint, $2::smallint, $3::date, $4::timestamptz, $5::bigint,
         $6::integer, $7::integer, $8::integer, $9::date, $10::boolean, $11::date, $12::timestamptz, $13::integer,
         $14::timestamptz, $15::varchar, $16::timestamptz, $17::integer, $18::boolean, $19::integer, $20::varchar,
         $21::varchar, $22::bigint, $23::varchar, $24::integer, $25::date, $26::bigint)
      on conflict do nothing
      returning ${DEBTOR_COLUMNS}`,
    values: [
      debtor.debtorId,
      debtor.statusFlags,
      debtor.deactivationDate,
      formatTimestamp(debtor.createdAt),
      debtor.balance,
      debtor.transferNoteMaxBytes,
      debtor.runningTransfersCount,
      debtor.actionsCount,
      debtor.actionsCountResetDate,
      debtor.hasServerAccount,
      debtor.accountCreationDate,
      formatTimestamp(debtor.accountLastChangeTs),
      debtor.accountLastChangeSeqnum,
      formatTimestamp(debtor.accountLastHeartbeatTs),
      debtor.accountId,
      formatTimestamp(debtor.lastConfigTs),
      debtor.lastConfigSeqnum,
      debtor.isConfigEffectual,
      debtor.configFlags,
      debtor.configData,
      debtor.configError,
      debtor.configLatestUpdateId,
      debtor.debtorInfoIri,
      debtor.documentsCount,
      debtor.documentsCountResetDate,
      debtor.minBalance,
    ],
  });
}

/** Stores what requests change in a debtor: status, configuration, actions, transfers. It must have been locked. */
export function updateDebtor(tx: Transaction, debtor: Debtor): void {
  tx.defer({
    name: "update_debtor",
    text: `
      update debtor
      set status_flags = $2::smallint, deactivation_date = $3::date, running_transfers_count = $4::integer,
        actions_count = $5::integer, actions_count_reset_date = $6::date, last_config_ts = $7::timestamptz,
        last_config_seqnum = $8::integer, is_config_effectual = $9::boolean, config_flags = $10::integer,
        config_data = $11::varchar, config_error = $12::varchar, config_latest_update_id = $13::bigint,
        debtor_info_iri = $14::varchar, min_balance = $15::bigint
      where debtor_id = $1::bigint`,
    values: [
      debtor.debtorId,
      debtor.statusFlags,
      debtor.deactivationDate,
      debtor.runningTransfersCount,
      debtor.actionsCount,
      debtor.actionsCountResetDate,
      formatTimestamp(debtor.lastConfigTs),
      debtor.lastConfigSeqnum,
      debtor.isConfigEffectual,
      debtor.configFlags,
      debtor.configData,
      debtor.configError,
      debtor.configLatestUpdateId,
      debtor.debtorInfoIri,
      debtor.minBalance,
    ],
  });
}
