/** The tables of the authority's accounts and prepared transfers. */
import { readFile } from "node:fs/promises";
import { columnsOf } from "../../src/database/columns.ts";
import type { Database, Pool, Statement, Transaction } from "../../src/database/database.ts";
import { formatTimestamp, type Timestamp } from "../../src/values/timestamp.ts";
import { ensureSchema } from "../schema.ts";
import { type AccountKey, Ledger, type PreparedTransferKey } from "./ledger.ts";
import type { Account, PreparedTransferRecord } from "./records.ts";
import { DELETION_ATTEMPT_DAYS, HEARTBEAT_DAYS, REMINDER_DAYS } from "./scan.ts";

/** Creates the missing tables. Processes that do so at the same time wait for each other. */
export async function createTables(pool: Pool): Promise<void> {
  const schema = await readFile(new URL("schema.sql", import.meta.url), "utf8");
  const statements = schema.replaceAll(/^--.*$/gm, "").split(";");
  await pool.transaction(async (db) => {
    await ensureSchema(db);
    await lockBooks(db);
    for (const [index, text] of statements.entries()) {
      if (text.trim() !== "") await db.run({ name: `sandbox_schema_${index}`, text });
    }
  });
}

/**
 * Locks out other writers. A step may touch any number of accounts, some of which do not exist yet, and
 * processes other than the authority's own (holders' commands) may write as well; with one writer at a time no step can
 * see another half done, and steps are batched, so it costs little.
 */
export async function lockBooks(db: Database): Promise<void> {
  await db.run({
    name: "sandbox_lock_books",
    text: "select pg_advisory_xact_lock(hashtextextended('sandbox books', 0))",
  });
}

/** Reads the accounts and the prepared transfers that a step concerns, the transfers' recipients included. */
export async function loadLedger(
  db: Database,
  accountKeys: readonly AccountKey[],
  transferKeys: readonly PreparedTransferKey[],
): Promise<Ledger> {
  const [accounts, transfers] = await Promise.all([
    findAccounts(db, accountKeys, transferKeys),
    transferKeys.length === 0 ? [] : findTransfers(db, transferKeys),
  ]);
  return new Ledger(accounts, transfers);
}

/** Writes what the step has changed. */
export function saveLedger(tx: Transaction, ledger: Ledger): void {
  const { savedAccounts, removedAccounts, savedTransfers, removedTransfers } = ledger.changes();
  if (removedAccounts.length > 0) tx.defer(deleteAccounts(removedAccounts));
  if (savedAccounts.length > 0) tx.defer(upsertAccounts(savedAccounts));
  if (removedTransfers.length > 0) tx.defer(deleteTransfers(removedTransfers));
  if (savedTransfers.length > 0) tx.defer(upsertTransfers(savedTransfers));
}

/** Root accounts for which the scan has something to do, the longest waiting first. */
export function findAccountsDue(db: Database, now: Timestamp, limit: number): Promise<Account[]> {
  return db.many({
    name: "sandbox_find_accounts_due",
    text: `
      select ${ACCOUNT_COLUMNS}
      from sandbox.account a
      where creditor_id = 0 and (
        update_due_at <= $1::timestamptz and update_due_at is not null
        or last_heartbeat_ts <= $1::timestamptz - interval '${HEARTBEAT_DAYS} days' and not is_deleted
        or last_deletion_attempt_ts <= $1::timestamptz - interval '${DELETION_ATTEMPT_DAYS} days'
          and not is_deleted and config_flags & 1 = 1
        or purge_at <= $1::timestamptz and is_deleted)
      limit $2::integer`,
    values: [formatTimestamp(now), limit],
  });
}

/** Prepared transfers whose PreparedTransfer is due again. */
export function findTransfersDue(db: Database, now: Timestamp, limit: number): Promise<PreparedTransferRecord[]> {
  return db.many({
    name: "sandbox_find_transfers_due",
    text: `
      select ${TRANSFER_COLUMNS}
      from sandbox.prepared_transfer t
      where last_reminder_ts <= $1::timestamptz - interval '${REMINDER_DAYS} days'
      limit $2::integer`,
    values: [formatTimestamp(now), limit],
  });
}

/** All accounts of a currency, the root account first. */
export function listAccounts(db: Database, debtorId: bigint): Promise<Account[]> {
  return db.many({
    name: "sandbox_list_accounts",
    text: `
      select ${ACCOUNT_COLUMNS}
      from sandbox.account a
      where debtor_id = $1::bigint
      order by creditor_id <> 0, creditor_id`,
    values: [debtorId],
  });
}

/** All currencies, those with the last change first. */
export async function listCurrencies(db: Database, countMax: number): Promise<bigint[]> {
  const rows = await db.many<{ debtorId: bigint }>({
    name: "sandbox_list_currencies",
    text: `
      select debtor_id as "debtorId"
      from sandbox.account
      group by debtor_id
      order by max(last_change_ts) desc, debtor_id
      limit $1::int`,
    values: [countMax],
  });
  return rows.map(({ debtorId }) => debtorId);
}

/** The currencies in which the amount in circulation is not what the holders have: there are none, unless there is a bug. */
export async function findUnbalancedCurrencies(db: Database): Promise<bigint[]> {
  const rows = await db.many<{ debtorId: bigint }>({
    name: "sandbox_find_unbalanced_currencies",
    text: `select debtor_id as "debtorId" from sandbox.account group by debtor_id having sum(principal) <> 0`,
  });
  return rows.map(({ debtorId }) => debtorId);
}

// Look-ups are written so that none of them depends on statistics: `lateral` with `limit`, or by `ctid`.
const ACCOUNT_COLUMNS = `
  a.debtor_id as "debtorId", a.creditor_id as "creditorId", a.creation_date as "creationDate",
  a.last_change_ts as "lastChangeTs", a.last_change_seqnum as "lastChangeSeqnum", a.principal,
  a.negligible_amount as "negligibleAmount", a.config_flags as "configFlags", a.config_data as "configData",
  a.last_config_ts as "lastConfigTs", a.last_config_seqnum as "lastConfigSeqnum",
  a.total_locked_amount as "totalLockedAmount", a.pending_transfers_count as "pendingTransfersCount",
  a.last_transfer_id as "lastTransferId", a.last_heartbeat_ts as "lastHeartbeatTs", a.update_due_at as "updateDueAt",
  a.is_deleted as "isDeleted", a.last_deletion_attempt_ts as "lastDeletionAttemptTs", a.purge_at as "purgeAt"`;

const TRANSFER_COLUMNS = `
  t.debtor_id as "debtorId", t.creditor_id as "creditorId", t.transfer_id as "transferId",
  t.coordinator_type as "coordinatorType", t.coordinator_id as "coordinatorId",
  t.coordinator_request_id as "coordinatorRequestId", t.locked_amount as "lockedAmount",
  t.recipient_creditor_id as "recipientCreditorId", t.prepared_at as "preparedAt", t.deadline,
  t.final_interest_rate_ts as "finalInterestRateTs", t.last_reminder_ts as "lastReminderTs"`;

function findAccounts(
  db: Database,
  keys: readonly AccountKey[],
  transferKeys: readonly PreparedTransferKey[],
): Promise<Account[]> {
  return db.many({
    name: "sandbox_find_accounts",
    text: `
      select a.*
      from (
        select * from unnest($1::bigint[], $2::bigint[])
        union
        select t.*
        from unnest($3::bigint[], $4::bigint[]) as k (debtor_id, transfer_id)
        cross join lateral (
          select t.debtor_id, t.recipient_creditor_id
          from sandbox.prepared_transfer t
          where t.debtor_id = k.debtor_id and t.transfer_id = k.transfer_id
          limit 1
        ) as t
      ) as k (debtor_id, creditor_id)
      cross join lateral (
        select ${ACCOUNT_COLUMNS}
        from sandbox.account a
        where a.debtor_id = k.debtor_id and a.creditor_id = k.creditor_id
        limit 1
      ) as a`,
    values: [...columnsOf(keys, "debtorId", "creditorId"), ...columnsOf(transferKeys, "debtorId", "transferId")],
  });
}

function findTransfers(db: Database, keys: readonly PreparedTransferKey[]): Promise<PreparedTransferRecord[]> {
  return db.many({
    name: "sandbox_find_transfers",
    text: `
      select t.*
      from unnest($1::bigint[], $2::bigint[]) as k (debtor_id, transfer_id)
      cross join lateral (
        select ${TRANSFER_COLUMNS}
        from sandbox.prepared_transfer t
        where t.debtor_id = k.debtor_id and t.transfer_id = k.transfer_id
        limit 1
      ) as t`,
    values: columnsOf(keys, "debtorId", "transferId"),
  });
}

const upsertAccounts = (accounts: readonly Account[]): Statement => ({
  name: "sandbox_upsert_accounts",
  text: `
    insert into sandbox.account
      (debtor_id, creditor_id, creation_date, last_change_ts, last_change_seqnum, principal, negligible_amount,
       config_flags, config_data, last_config_ts, last_config_seqnum, total_locked_amount, pending_transfers_count,
       last_transfer_id, last_heartbeat_ts, update_due_at, is_deleted, last_deletion_attempt_ts, purge_at)
    select * from unnest(
      $1::bigint[], $2::bigint[], $3::date[], $4::timestamptz[], $5::integer[], $6::bigint[], $7::real[],
      $8::integer[], $9::varchar[], $10::timestamptz[], $11::integer[], $12::bigint[], $13::integer[],
      $14::bigint[], $15::timestamptz[], $16::timestamptz[], $17::boolean[], $18::timestamptz[], $19::timestamptz[])
    on conflict (debtor_id, creditor_id) do update set
      creation_date = excluded.creation_date, last_change_ts = excluded.last_change_ts,
      last_change_seqnum = excluded.last_change_seqnum, principal = excluded.principal,
      negligible_amount = excluded.negligible_amount, config_flags = excluded.config_flags,
      config_data = excluded.config_data, last_config_ts = excluded.last_config_ts,
      last_config_seqnum = excluded.last_config_seqnum, total_locked_amount = excluded.total_locked_amount,
      pending_transfers_count = excluded.pending_transfers_count, last_transfer_id = excluded.last_transfer_id,
      last_heartbeat_ts = excluded.last_heartbeat_ts, update_due_at = excluded.update_due_at,
      is_deleted = excluded.is_deleted, last_deletion_attempt_ts = excluded.last_deletion_attempt_ts,
      purge_at = excluded.purge_at`,
  values: columnsOf(
    accounts,
    "debtorId",
    "creditorId",
    "creationDate",
    (account) => formatTimestamp(account.lastChangeTs),
    "lastChangeSeqnum",
    "principal",
    "negligibleAmount",
    "configFlags",
    "configData",
    (account) => formatTimestamp(account.lastConfigTs),
    "lastConfigSeqnum",
    "totalLockedAmount",
    "pendingTransfersCount",
    "lastTransferId",
    (account) => formatTimestamp(account.lastHeartbeatTs),
    (account) => formatOptional(account.updateDueAt),
    "isDeleted",
    (account) => formatTimestamp(account.lastDeletionAttemptTs),
    (account) => formatOptional(account.purgeAt),
  ),
});

const upsertTransfers = (transfers: readonly PreparedTransferRecord[]): Statement => ({
  name: "sandbox_upsert_transfers",
  text: `
    insert into sandbox.prepared_transfer
      (debtor_id, transfer_id, creditor_id, coordinator_type, coordinator_id, coordinator_request_id, locked_amount,
       recipient_creditor_id, prepared_at, deadline, final_interest_rate_ts, last_reminder_ts)
    select * from unnest(
      $1::bigint[], $2::bigint[], $3::bigint[], $4::varchar[], $5::bigint[], $6::bigint[], $7::bigint[],
      $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[])
    on conflict (debtor_id, transfer_id) do update set last_reminder_ts = excluded.last_reminder_ts`,
  values: columnsOf(
    transfers,
    "debtorId",
    "transferId",
    "creditorId",
    "coordinatorType",
    "coordinatorId",
    "coordinatorRequestId",
    "lockedAmount",
    "recipientCreditorId",
    (transfer) => formatTimestamp(transfer.preparedAt),
    (transfer) => formatTimestamp(transfer.deadline),
    (transfer) => formatTimestamp(transfer.finalInterestRateTs),
    (transfer) => formatTimestamp(transfer.lastReminderTs),
  ),
});

const deleteAccounts = (keys: readonly AccountKey[]): Statement => ({
  name: "sandbox_delete_accounts",
  text: `
    delete from sandbox.account
    using unnest($1::bigint[], $2::bigint[]) as k (debtor_id, creditor_id)
    where account.ctid = (
      select a.ctid from sandbox.account a where a.debtor_id = k.debtor_id and a.creditor_id = k.creditor_id
    )`,
  values: columnsOf(keys, "debtorId", "creditorId"),
});

const deleteTransfers = (keys: readonly PreparedTransferKey[]): Statement => ({
  name: "sandbox_delete_transfers",
  text: `
    delete from sandbox.prepared_transfer
    using unnest($1::bigint[], $2::bigint[]) as k (debtor_id, transfer_id)
    where prepared_transfer.ctid = (
      select t.ctid from sandbox.prepared_transfer t where t.debtor_id = k.debtor_id and t.transfer_id = k.transfer_id
    )`,
  values: columnsOf(keys, "debtorId", "transferId"),
});

const formatOptional = (time: Timestamp | null): string | null => (time === null ? null : formatTimestamp(time));
