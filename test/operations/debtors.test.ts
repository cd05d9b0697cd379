import assert from "node:assert/strict";
import { after, test } from "node:test";
import { findDebtor, listActiveDebtorIds } from "../../src/database/debtors.ts";
import { isActive } from "../../src/domain/debtor.ts";
import {
  activateNewDebtor,
  activateReservedDebtor,
  deactivateDebtor,
  reserveDebtor,
  reserveRandomDebtor,
  restrictDebtor,
} from "../../src/operations/debtors.ts";
import { OperationError } from "../../src/operations/operation-error.ts";
import { createTransferBatcher } from "../../src/operations/transfers.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { isResponsible, parseShard, type ShardingRealm } from "../../src/values/shard.ts";
import { createTestDatabase } from "../support/database.ts";
import { assertInvariants, assertRejected, configureAccounts, dump, newTransfer } from "./ledger.ts";

const database = await createTestDatabase();
const { pool } = database;
after(() => database.close());
const realm = (minDebtorId: bigint, maxDebtorId: bigint, routingKey = "#"): ShardingRealm => ({
  minDebtorId,
  maxDebtorId,
  shard: parseShard(routingKey)!,
});

test("a reservation is stored as it is answered, and sends nothing", async () => {
  const reserved = await reserveDebtor(pool, 1n);

  assert.deepEqual(await findDebtor(pool, 1n), reserved);
  assert.equal(isActive(reserved), false);
  assert.ok(reserved.reservationId !== null);
  assert.deepEqual(await configureAccounts(pool, 1n), []);
});

test("a reserved ID cannot be reserved again, nor activated without its reservation ID", async () => {
  await reserveDebtor(pool, 2n);
  const before = await dump(pool);

  await assertRejected(reserveDebtor(pool, 2n), "DEBTOR_EXISTS");
  await assertRejected(activateNewDebtor(pool, 2n), "DEBTOR_EXISTS");
  assert.equal(await dump(pool), before);
});

test("a reservation ID works in a database whose columns have no defaults", async () => {
  await using bare = await createTestDatabase();
  for (const { name } of await bare.pool.many<{ name: string }>({
    name: "test_columns",
    text: "select column_name as name from information_schema.columns where table_name = 'debtor'",
  })) {
    await bare.pool.run({ name: `test_bare_${name}`, text: `alter table debtor alter column ${name} drop default` });
  }
  const { reservationId } = await reserveDebtor(bare.pool, -1n);
  assert.ok(isActive(await activateReservedDebtor(bare.pool, -1n, String(reservationId))));
});

test("activating a reservation sends one ConfigureAccount, however often it is repeated", async () => {
  const { reservationId } = await reserveDebtor(pool, 3n);
  await assertRejected(activateReservedDebtor(pool, 3n, "wrong"), "INVALID_RESERVATION");
  const activated = await activateReservedDebtor(pool, 3n, String(reservationId));
  const repeated = await activateReservedDebtor(pool, 3n, String(reservationId));

  assert.deepEqual(repeated, activated);
  assert.deepEqual(await findDebtor(pool, 3n), activated);
  assert.deepEqual(await configureAccounts(pool, 3n), [
    { ts: activated.lastConfigTs, seqnum: 1, negligibleAmount: 9.223372e18, configData: "", configFlags: 0 },
  ]);
  await assertRejected(activateReservedDebtor(pool, 3n, "wrong"), "DEBTOR_EXISTS");
});

test("a reservation ID is valid for one debtor only", async () => {
  const { reservationId } = await reserveDebtor(pool, 4n);
  await reserveDebtor(pool, 5n);
  await assertRejected(activateReservedDebtor(pool, 5n, String(reservationId)), "INVALID_RESERVATION");
  await assertRejected(activateReservedDebtor(pool, 6n, String(reservationId)), "INVALID_RESERVATION");
});

test("a debtor can be activated without a reservation", async () => {
  const activated = await activateNewDebtor(pool, INT64_MIN);

  assert.deepEqual(await findDebtor(pool, INT64_MIN), activated);
  assert.ok(isActive(activated));
  assert.equal((await configureAccounts(pool, INT64_MIN)).length, 1);
});

test("a restriction sends a ConfigureAccount even when it changes nothing", async () => {
  await activateNewDebtor(pool, 7n);
  for (const minBalance of [-9007199254740993n, -9007199254740993n, 0n, INT64_MIN]) {
    const restricted = await restrictDebtor(pool, 7n, minBalance);
    assert.equal(restricted.minBalance, minBalance);
    assert.deepEqual(await findDebtor(pool, 7n), restricted);
  }
  const messages = await configureAccounts(pool, 7n);
  assert.deepEqual(
    messages.map((message) => [message.seqnum, message.negligibleAmount]),
    [
      [1, 9.223372e18],
      [2, 9.007199e15],
      [3, 9.007199e15],
      [4, 0],
      [5, 9.223372e18],
    ],
  );
});

test("only active debtors can be restricted", async () => {
  await reserveDebtor(pool, 8n);
  await assertRejected(restrictDebtor(pool, 8n, -1n), "DEBTOR_NOT_ACTIVE");
  await assertRejected(restrictDebtor(pool, 404n, -1n), "DEBTOR_NOT_ACTIVE");
});

test("a deactivation deletes the transfers, sends one message, and is final", async () => {
  const { reservationId } = await reserveDebtor(pool, 9n);
  await activateReservedDebtor(pool, 9n, String(reservationId));
  const createTransfer = createTransferBatcher(pool, { actionsPerMonthMax: 10 });
  await createTransfer(newTransfer(9n, 1));
  await createTransfer(newTransfer(9n, 2));

  await deactivateDebtor(pool, 9n);
  await deactivateDebtor(pool, 9n);

  const debtor = (await findDebtor(pool, 9n))!;
  assert.equal(debtor.runningTransfersCount, 0);
  assert.equal(isActive(debtor), false);
  assert.deepEqual((await configureAccounts(pool, 9n)).at(-1), {
    ts: debtor.lastConfigTs,
    seqnum: 2,
    negligibleAmount: 9.223372e18,
    configData: "",
    configFlags: 1,
  });
  assert.deepEqual(await activateReservedDebtor(pool, 9n, String(reservationId)), debtor);
  await assertRejected(activateReservedDebtor(pool, 9n, "wrong"), "DEBTOR_EXISTS");
  await assertRejected(restrictDebtor(pool, 9n, -1n), "DEBTOR_NOT_ACTIVE");
  await assertRejected(createTransfer(newTransfer(9n, 3)), "DEBTOR_NOT_ACTIVE");
  await assertInvariants(pool);
});

test("deactivating a reserved or unknown debtor does nothing", async () => {
  await reserveDebtor(pool, 10n);
  const before = await dump(pool);
  await deactivateDebtor(pool, 10n);
  await deactivateDebtor(pool, 404n);
  assert.equal(await dump(pool), before);
});

test("active debtors are listed in signed order, a page at a time", async () => {
  await using other = await createTestDatabase();
  for (const debtorId of [5n, -1n, INT64_MAX, INT64_MIN, 0n]) await activateNewDebtor(other.pool, debtorId);
  await reserveDebtor(other.pool, 1n);
  await deactivateDebtor(other.pool, 0n);

  assert.deepEqual(await listActiveDebtorIds(other.pool, INT64_MIN, 10), [INT64_MIN, -1n, 5n, INT64_MAX]);
  assert.deepEqual(await listActiveDebtorIds(other.pool, -1n, 2), [-1n, 5n]);
  assert.deepEqual(await listActiveDebtorIds(other.pool, 6n, 1), [INT64_MAX]);
});

test("a random reservation is in the sharding realm, also in a shard", async () => {
  for (const where of [
    realm(INT64_MIN, INT64_MAX),
    realm(-5000n, 5000n, "0.1.#"),
    realm(1n << 40n, 1n << 41n, "1.0.1.0.1.#"),
  ]) {
    const { debtorId } = await reserveRandomDebtor(pool, where);
    assert.ok(isResponsible(where, debtorId));
  }
});

test("random reservations find every free ID of a small interval, and then fail", async () => {
  const where = realm(1000n, 1019n);
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => reserveRandomDebtor(pool, where)));
  const found = new Set(outcomes.flatMap((o) => (o.status === "fulfilled" ? [o.value.debtorId] : [])));
  const rejected = outcomes.flatMap((o) => (o.status === "rejected" ? [o.reason] : []));

  assert.equal(found.size + rejected.length, 20, "none twice");
  assert.ok(rejected.every((error) => error instanceof OperationError && error.code === "NO_FREE_DEBTOR_ID"));
  for (let left = 20 - found.size; left > 0; left--) await reserveRandomDebtor(pool, where);
  await assertRejected(reserveRandomDebtor(pool, where), "NO_FREE_DEBTOR_ID");
});

test("a realm without IDs of the shard has nothing to reserve", async () => {
  const routingKey = isResponsible(realm(0n, 0n, "0.#"), 0n) ? "1.#" : "0.#";
  await assertRejected(reserveRandomDebtor(pool, realm(0n, 0n, routingKey)), "NO_FREE_DEBTOR_ID");
  // None of the 2000 begins with these bits.
  const deep = "1.0.1.0.1.1.1.0.1.0.0.0.1.1.0.1.1.1.0.1.#";
  await assertRejected(reserveRandomDebtor(pool, realm(1n, 2000n, deep)), "NO_FREE_DEBTOR_ID");
});
