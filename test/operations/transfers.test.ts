import assert from "node:assert/strict";
import { after, test } from "node:test";
import { DatabaseUnavailableError, openPool } from "../../src/database/database.ts";
import { findDebtor } from "../../src/database/debtors.ts";
import { findTransfer, listTransferUuids } from "../../src/database/running-transfers.ts";
import { activateNewDebtor, reserveDebtor } from "../../src/operations/debtors.ts";
import { cancelTransfer, createTransferBatcher, deleteTransfer } from "../../src/operations/transfers.ts";
import { INT64_MAX } from "../../src/values/int64.ts";
import { createTestDatabase } from "../support/database.ts";
import { assertInvariants, assertRejected, dump, newTransfer, prepareTransfers, run, uuid } from "./ledger.ts";

const database = await createTestDatabase();
const { pool } = database;
after(() => database.close());
const create = createTransferBatcher(pool, { actionsPerMonthMax: 10 });

test("a transfer is stored as it is answered, counted, and sent", async () => {
  await pool.many({ name: "test_setval", text: "select setval('coordinator_request_id_seq', 9007199254740992)" });
  await activateNewDebtor(pool, -1n);
  const wanted = newTransfer(-1n, 1, {
    amount: INT64_MAX,
    recipientUri: "swpt:18446744073709551615/!IlwvPz4=",
    recipient: '"\\/?>',
    transferNote: 'Ж {"\\,} NULL \u2028 😀',
    transferNoteFormat: "json.1-x",
  });
  const { transfer, isNew } = await create(wanted);

  assert.equal(isNew, true);
  assert.deepEqual(transfer, {
    ...wanted,
    initiatedAt: transfer.initiatedAt,
    finalizedAt: null,
    errorCode: null,
    totalLockedAmount: null,
    coordinatorRequestId: 9007199254740993n,
    transferId: null,
  });
  assert.deepEqual(await findTransfer(pool, -1n, uuid(1)), transfer);
  const debtor = (await findDebtor(pool, -1n))!;
  assert.deepEqual([debtor.runningTransfersCount, debtor.actionsCount], [1, 1]);
  assert.deepEqual(await prepareTransfers(pool, -1n), [
    {
      coordinatorRequestId: 9007199254740993n,
      amount: INT64_MAX,
      recipient: '"\\/?>',
      ts: transfer.initiatedAt,
    },
  ]);
});

test("the same transfer again is found, with its present state, and nothing is written", async () => {
  await activateNewDebtor(pool, 1n);
  await create(newTransfer(1n, 1));
  const canceled = await cancelTransfer(pool, 1n, uuid(1));
  const before = await dump(pool);

  assert.deepEqual(await create(newTransfer(1n, 1)), { transfer: canceled, isNew: false });
  await assertRejected(create(newTransfer(1n, 1, { amount: 1001n })), "TRANSFER_CONFLICT");
  assert.equal(await dump(pool), before);
});

test("two debtors may use the same UUID", async () => {
  await activateNewDebtor(pool, 2n);
  await activateNewDebtor(pool, 3n);
  await create(newTransfer(2n, 1));
  assert.equal((await create(newTransfer(3n, 1, { amount: 5n }))).isNew, true);
});

test("a deleted transfer can be created again", async () => {
  await activateNewDebtor(pool, 4n);
  const first = await create(newTransfer(4n, 1));
  await deleteTransfer(pool, 4n, uuid(1));
  const second = await create(newTransfer(4n, 1));

  assert.equal(second.isNew, true);
  assert.notEqual(second.transfer.coordinatorRequestId, first.transfer.coordinatorRequestId);
});

test("beyond the limit only repetitions succeed, and nothing is written", async () => {
  await activateNewDebtor(pool, 5n);
  for (let n = 1; n <= 10; n++) await create(newTransfer(5n, n));
  await deleteTransfer(pool, 5n, uuid(10));
  const before = await dump(pool);

  await assertRejected(create(newTransfer(5n, 11)), "TOO_MANY_ACTIONS");
  await assertRejected(create(newTransfer(5n, 1, { amount: 1n })), "TRANSFER_CONFLICT");
  assert.equal((await create(newTransfer(5n, 1))).isNew, false);
  assert.equal(await dump(pool), before);
});

test("in a new month undeleted transfers still count against the limit", async () => {
  await activateNewDebtor(pool, 6n);
  for (let n = 1; n <= 10; n++) await create(newTransfer(6n, n));
  await run(pool, "update debtor set actions_count_reset_date = current_date - 31 where debtor_id = 6");

  await assertRejected(create(newTransfer(6n, 11)), "TOO_MANY_TRANSFERS");
  await deleteTransfer(pool, 6n, uuid(1));
  await create(newTransfer(6n, 11));
  const debtor = (await findDebtor(pool, 6n))!;
  assert.deepEqual([debtor.runningTransfersCount, debtor.actionsCount], [10, 1]);
});

test("only active debtors create transfers", async () => {
  await reserveDebtor(pool, 7n);
  await assertRejected(create(newTransfer(7n, 1)), "DEBTOR_NOT_ACTIVE");
  await assertRejected(create(newTransfer(404n, 1)), "DEBTOR_NOT_ACTIVE");
});

test("a transfer that cannot be stored does not affect the others of its batch", async () => {
  await activateNewDebtor(pool, 8n);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 9 }, (_, n) => create(newTransfer(8n, n, n === 5 ? { transferNote: "\0" } : {}))),
  );

  assert.deepEqual(
    outcomes.map((outcome) => outcome.status === "fulfilled" && outcome.value.isNew),
    [true, true, true, true, true, false, true, true, true],
  );
  assert.equal((await listTransferUuids(pool, 8n)).length, 8);
  await assertInvariants(pool);
});

test("while the database is unavailable creations fail with a database error", async () => {
  const nowhere = openPool({ url: "postgresql://postgres@127.0.0.1:1/none", size: 1, applicationName: "test" });
  const createThere = createTransferBatcher(nowhere, { actionsPerMonthMax: 10 });
  for (const outcome of await Promise.allSettled([1, 2, 3].map((n) => createThere(newTransfer(1n, n))))) {
    assert.ok(outcome.status === "rejected" && outcome.reason instanceof DatabaseUnavailableError);
  }
  await nowhere.close();
});

test("a canceled transfer has failed, and stays as it is", async () => {
  await activateNewDebtor(pool, 9n);
  const { transfer } = await create(newTransfer(9n, 1));
  const canceled = await cancelTransfer(pool, 9n, uuid(1));

  assert.deepEqual(canceled, {
    ...transfer,
    finalizedAt: canceled.finalizedAt,
    errorCode: "CANCELED_BY_THE_SENDER",
  });
  assert.deepEqual(await cancelTransfer(pool, 9n, uuid(1)), canceled);
  assert.deepEqual(await findTransfer(pool, 9n, uuid(1)), canceled);
});

test("a settled transfer cannot be canceled, and an unknown one is not found", async () => {
  await activateNewDebtor(pool, 10n);
  await create(newTransfer(10n, 1));
  await run(pool, "update running_transfer set transfer_id = 7 where debtor_id = 10");
  await assertRejected(cancelTransfer(pool, 10n, uuid(1)), "TRANSFER_SETTLED");
  await assertRejected(cancelTransfer(pool, 10n, uuid(2)), "TRANSFER_NOT_FOUND");
});

test("a deletion is counted once, and of an unknown transfer not at all", async () => {
  await activateNewDebtor(pool, 11n);
  await create(newTransfer(11n, 1));
  await create(newTransfer(11n, 2));
  await deleteTransfer(pool, 11n, uuid(1));
  await deleteTransfer(pool, 11n, uuid(1));
  await deleteTransfer(pool, 404n, uuid(1));

  assert.deepEqual(await listTransferUuids(pool, 11n), [uuid(2)]);
  await assertInvariants(pool);
});
