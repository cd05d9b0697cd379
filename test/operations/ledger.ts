/** What tests of operations look at in the database: rows, and the messages to the accounting authority. */
import assert from "node:assert/strict";
import type { Pool } from "../../src/database/database.ts";
import type { NewTransfer } from "../../src/domain/transfer-creation.ts";
import { OperationError, type OperationErrorCode } from "../../src/operations/operation-error.ts";
import { formatUnsigned } from "../../src/values/int64.ts";
import type { Timestamp } from "../../src/values/timestamp.ts";
import type { Uuid } from "../../src/values/uuid.ts";

/** Rows of `configure_account_signal`, in the order of their making. */
export const configureAccounts = (pool: Pool, debtorId: bigint) =>
  pool.many<{ ts: Timestamp; seqnum: number; negligibleAmount: number; configData: string; configFlags: number }>({
    name: "test_configure_accounts",
    text: `
      select ts, seqnum, negligible_amount as "negligibleAmount", config_data as "configData",
        config_flags as "configFlags"
      from configure_account_signal where debtor_id = $1::bigint order by ts, seqnum`,
    values: [debtorId],
  });

/** Rows of `prepare_transfer_signal`, in the order of their making. */
export const prepareTransfers = (pool: Pool, debtorId: bigint) =>
  pool.many<{ coordinatorRequestId: bigint; amount: bigint; recipient: string; ts: Timestamp }>({
    name: "test_prepare_transfers",
    text: `
      select coordinator_request_id as "coordinatorRequestId", amount, recipient, inserted_at as ts
      from prepare_transfer_signal where debtor_id = $1::bigint order by coordinator_request_id`,
    values: [debtorId],
  });

/** Runs any statement. */
export const run = (pool: Pool, text: string): Promise<number> => pool.run({ name: `test_${text}`, text });

/** Everything that is stored, as text: to see that a rejected request leaves no trace. */
export async function dump(pool: Pool): Promise<string> {
  const tables = ["debtor", "running_transfer", "document", "configure_account_signal", "prepare_transfer_signal"];
  const rows = await Promise.all(
    tables.map((table) =>
      pool.many({ name: `test_dump_${table}`, text: `select t::text as row from ${table} t order by 1` }),
    ),
  );
  return JSON.stringify(rows);
}

/** Asserts that the operation is rejected with this code. */
export const assertRejected = (operation: Promise<unknown>, code: OperationErrorCode): Promise<void> =>
  assert.rejects(operation, (error) => error instanceof OperationError && error.code === code);

/** The n-th of our UUIDs. */
export const uuid = (n: number): Uuid => `00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}` as Uuid;

/** A transfer that is asked for. */
export const newTransfer = (debtorId: bigint, n: number, changes: Partial<NewTransfer> = {}): NewTransfer => ({
  debtorId,
  transferUuid: uuid(n),
  amount: 1000n,
  recipientUri: `swpt:${formatUnsigned(debtorId)}/holder`,
  recipient: "holder",
  transferNoteFormat: "",
  transferNote: "",
  ...changes,
});

/** Asserts what must hold at every commit. Spec: storage, "Concurrency". */
export async function assertInvariants(pool: Pool): Promise<void> {
  const miscounted = await pool.many({
    name: "test_miscounted",
    text: `
      select debtor_id, running_transfers_count
      from debtor d
      where running_transfers_count <> (select count(*) from running_transfer t where t.debtor_id = d.debtor_id)`,
  });
  assert.deepEqual(miscounted, [], "running_transfers_count is the number of transfers");
  const misconfigured = await pool.many({
    name: "test_misconfigured",
    text: `
      select d.debtor_id, d.last_config_ts, d.last_config_seqnum
      from debtor d
      where d.status_flags <> 0 and (d.last_config_ts, d.last_config_seqnum) is distinct from (
        select (s.ts, s.seqnum)
        from configure_account_signal s where s.debtor_id = d.debtor_id
        order by s.ts desc, s.seqnum desc limit 1)`,
  });
  assert.deepEqual(misconfigured, [], "the last configuration is that of the last ConfigureAccount");
  const unannounced = await pool.many({
    name: "test_unannounced",
    text: `
      select t.* from running_transfer t
      left join prepare_transfer_signal s using (debtor_id, coordinator_request_id)
      where (s.amount, s.recipient, s.inserted_at) is distinct from (t.amount, t.recipient, t.initiated_at)`,
  });
  assert.deepEqual(unannounced, [], "each transfer has its PrepareTransfer");
}
