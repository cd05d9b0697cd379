/** All statements of the program and of the sandbox, by whether they have to look rows up. */
import { randomUUID } from "node:crypto";
import { Ledger } from "../../sandbox/accounting-authority/ledger.ts";
import { createAccount } from "../../sandbox/accounting-authority/records.ts";
import {
  findAccountsDue,
  findTransfersDue,
  listAccounts,
  loadLedger,
  saveLedger,
} from "../../sandbox/accounting-authority/store.ts";
import { createRecordAdapter, deleteSession } from "../../sandbox/authorization-server/record-adapter.ts";
import { findSecret } from "../../sandbox/authorization-server/storage.ts";
import {
  findUser,
  isEmailTaken,
  markActivated,
  replaceReservation,
  type User,
} from "../../sandbox/authorization-server/users.ts";
import type { Pool, Statement, Transaction } from "../../src/database/database.ts";
import {
  findDebtor,
  findDebtors,
  findFreeDebtorId,
  insertDebtor,
  listActiveDebtorIds,
  lockDebtors,
  lockIssuingDebtors,
  updateDebtor,
} from "../../src/database/debtors.ts";
import { findDocument, insertDocument } from "../../src/database/documents.ts";
import { advanceLane, findLaneNumbers, isWaiting } from "../../src/database/flush-guard.ts";
import { lockTransfersByRequests, storeDebtorStates, storeTransferStates } from "../../src/database/message-batches.ts";
import { deleteClaimed, OUTBOXES } from "../../src/database/outbox.ts";
import {
  deleteAllTransfers,
  deleteTransfer,
  finalizeTransfer,
  findTransfer,
  findTransfers,
  insertTransfers,
  listTransferUuids,
  lockTransfer,
} from "../../src/database/running-transfers.ts";
import {
  deleteDebtors,
  deleteOldReservations,
  flagIneffectualConfigs,
  listDebtorIdsInBlocks,
} from "../../src/database/scan.ts";
import { listDebtorIds, TABLES_OF_DEBTORS } from "../../src/database/shard-verification.ts";
import {
  deleteSubjectBinding,
  findBindingsOfDebtor,
  findDebtorIdOfSubject,
  findSubjectBinding,
  listSubjectBindings,
} from "../../src/database/subject-bindings.ts";
import type { RunningTransfer } from "../../src/domain/running-transfer.ts";
import { now } from "../../src/values/timestamp.ts";
import type { Uuid } from "../../src/values/uuid.ts";
import { activeDebtor, runningTransfer, THEN } from "../domain/records.ts";

const debtorIds = Array.from({ length: 100 }, (_, index) => BigInt(index + 1));
const uuid = randomUUID() as Uuid;
const keys = debtorIds.map((debtorId) => ({ debtorId, transferUuid: randomUUID() as Uuid }));
const debtors = debtorIds.map((debtorId) => activeDebtor({ debtorId }));
const transfers = keys.map((key) => runningTransfer(key));
const blocks = { firstBlock: 0n, blockCount: 40n };
const subject = { issuer: "https://auth.example.com", subject: "user-1" };
const accountKeys = debtorIds.map((debtorId) => ({ debtorId, creditorId: 0n }));
const transferKeys = debtorIds.map((debtorId) => ({ debtorId, transferId: 1n }));
const document = { contentType: "text/plain", content: Buffer.from("x") };
const user: User = { email: "1@example.com", debtorId: "1", reservationId: "1", isActivated: false };

const requestOf = ({ debtorId, coordinatorRequestId }: RunningTransfer) => ({
  coordinatorId: debtorId,
  coordinatorRequestId,
});

/** A ledger in which each account and each prepared transfer has been removed. */
function emptiedLedger(): Ledger {
  const accounts = debtorIds.map((debtorId) => createAccount(debtorId, 0n, THEN));
  const ledger = new Ledger(accounts, transferKeys as never[]);
  for (const account of ledger.accounts()) ledger.removeAccount(account);
  for (const transfer of ledger.transfers()) ledger.removeTransfer(transfer);
  return ledger;
}

const recordsOf = (tx: Transaction) => createRecordAdapter(tx as unknown as Pool)("Session");

/** What uses every statement that finds rows by what they contain. */
export const lookUps: readonly ((tx: Transaction) => unknown)[] = [
  (tx) => findDebtor(tx, 1n),
  (tx) => findDebtors(tx, debtorIds),
  (tx) => lockDebtors(tx, debtorIds),
  (tx) => lockIssuingDebtors(tx, debtorIds),
  (tx) => updateDebtor(tx, debtors[0]!),
  (tx) => insertDebtor(tx, debtors[0]!),
  (tx) => listActiveDebtorIds(tx, 0n, 100),
  (tx) => findFreeDebtorId(tx, debtorIds),
  (tx) => findTransfer(tx, 1n, uuid),
  (tx) => findTransfers(tx, keys),
  (tx) => lockTransfer(tx, 1n, uuid),
  (tx) => listTransferUuids(tx, 1n),
  (tx) => insertTransfers(tx, transfers, debtors),
  (tx) => finalizeTransfer(tx, transfers[0]!),
  (tx) => deleteTransfer(tx, 1n, uuid),
  (tx) => deleteAllTransfers(tx, 1n),
  (tx) => lockTransfersByRequests(tx, transfers.map(requestOf)),
  (tx) => storeDebtorStates(tx, debtors),
  (tx) => storeTransferStates(tx, transfers),
  (tx) => findDocument(tx, 1n, 1n),
  (tx) => insertDocument(tx, debtors[0]!, document, now()),
  (tx) => advanceLane(tx, { lane: uuid, lastMin: 0n, lastMax: 1n, number: 2n, epoch: 1n, begunMin: now() }),
  (tx) => findLaneNumbers(tx, [uuid]),
  ...OUTBOXES.flatMap((outbox) => [
    (tx: Transaction) => isWaiting(tx, outbox, 1n, now()),
    (tx: Transaction) => deleteClaimed(tx, outbox, [{ ctid: "(0,1)" } as never]),
  ]),
  (tx) => deleteOldReservations(tx, blocks, now()),
  (tx) => flagIneffectualConfigs(tx, blocks, { lastConfigBefore: now(), lastHeartbeatBefore: now() }),
  (tx) => listDebtorIdsInBlocks(tx, blocks),
  (tx) => deleteDebtors(tx, debtorIds),
  ...TABLES_OF_DEBTORS.map((table) => (tx: Transaction) => listDebtorIds(tx, table, 0n, 100)),
  (tx) => findDebtorIdOfSubject(tx, subject),
  (tx) => findSubjectBinding(tx, subject),
  (tx) => findBindingsOfDebtor(tx, 1n),
  (tx) => listSubjectBindings(tx, subject, 100),
  (tx) => deleteSubjectBinding(tx, subject),
  (tx) => loadLedger(tx, accountKeys, transferKeys),
  (tx) => saveLedger(tx, emptiedLedger()),
  (tx) => findAccountsDue(tx, now(), 100),
  (tx) => findTransfersDue(tx, now(), 100),
  (tx) => listAccounts(tx, 1n),
  (tx) => findUser(tx as unknown as Pool, user.email, "x"),
  (tx) => isEmailTaken(tx as unknown as Pool, user.email),
  (tx) => replaceReservation(tx as unknown as Pool, user, user),
  (tx) => markActivated(tx as unknown as Pool, user),
  (tx) => findSecret(tx as unknown as Pool, "name", () => "value"),
  (tx) => recordsOf(tx).find("id"),
  (tx) => recordsOf(tx).findByUid("uid"),
  (tx) => recordsOf(tx).consume("id"),
  (tx) => recordsOf(tx).destroy("id"),
  (tx) => recordsOf(tx).revokeByGrantId("grant"),
  (tx) => deleteSession(tx as unknown as Pool, "uid"),
];

/** All other statements, by the reason why they do not look rows up by what these contain. */
export const otherStatements: Readonly<Record<string, readonly RegExp[]>> = {
  "writes new rows only": [/^record_\w+$/, /^insert_subject_binding$/, /^sandbox_(record_\w+|upsert_\w+|add_\w+)$/],
  "takes any rows as they lie, up to a limit": [/^claim_\w+$/, /^measure_\w+_outbox$/],
  "reads no table": [
    /^is_read_only$/,
    /lock_(subject_bindings|migrations|absent_debtors_\w+|books|schema)$/,
    /^count_debtor_blocks$/,
  ],
  "is about the transaction or a notification": [/^(mark_before|rollback)_deletion$/, /^notify_flushers$/],
  "reads a table that has one row, or a row for each flusher": [
    /^(read_guard_state|read_burst_history|raise_alarm|confirm_database|(set|read)_shard_of_database)$/,
  ],
  "is about the sessions of the server": [/^find_session_of_other_shard$/],
  "is about the schema, and run by configure": [
    /^(create_migration_table|find_(applied_migrations|elsewhere|relations|revisions)|repair_\w+)$/,
    /^sandbox_(prepare_|schema_|ensure_schema)/,
  ],
  "is used when a debtor is created for a subject, or by a command": [
    /^(count_provisioned_subjects|list_subject_binding_events)$/,
  ],
  "is about all rows, or a page of the newest": [
    /^sandbox_(delete_expired_records|find_unbalanced_currencies|list_currencies|list_journal|trim_journal)$/,
    /^sandbox_(claim_due|find_next_due)$/,
  ],
  "finds by ID what the statement before it has found": [/^sandbox_(delete_sent|postpone)$/],
  "is used when a code is used a second time": [/^sandbox_(find_grant_of_record|revoke_grant)$/],
};

/** The statements that the functions send, which are not run. */
export async function statementsOf(work: (tx: Transaction) => unknown): Promise<Statement[]> {
  const sent: Statement[] = [];
  const collect = async (statement: Statement): Promise<never[]> => {
    sent.push(statement);
    return [];
  };
  const tx: Transaction = {
    many: collect,
    maybeOne: async (statement) => (await collect(statement))[0],
    run: async (statement) => (await collect(statement)).length + 1,
    defer: (statement) => {
      void collect(statement);
      return { rows: () => [] };
    },
    afterCommit: () => {},
  };
  // Some of the functions miss the rows that they should have found.
  await Promise.resolve(work(tx)).catch((error: unknown) => {
    if (sent.length === 0) throw error;
  });
  return sent;
}
