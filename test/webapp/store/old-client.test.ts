import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { IDBFactory } from "fake-indexeddb";
import { openDB } from "idb";
import { paymentState } from "../../../webapp/core/payment-state.ts";
import { readOldClient, removeOldClient } from "../../../webapp/store/old-client.ts";

const UUIDS = Array.from({ length: 6 }, (_, index) => `123e4567-e89b-42d3-a456-42661417400${index}`);
const STARTED = new Date("2026-11-20T10:00:00Z");

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

/** Fills the database as the old client does: Dexie's version 1 is IndexedDB's version 10. */
async function givenOldDatabase(): Promise<void> {
  const db = await openDB("debtors", 10, {
    upgrade(database) {
      database.createObjectStore("debtors", { keyPath: "userId", autoIncrement: true });
      database.createObjectStore("configs", { keyPath: "uri" });
      database.createObjectStore("transfers", { keyPath: "uri" });
      database.createObjectStore("documents", { keyPath: "uri" });
      database.createObjectStore("actions", { keyPath: "actionId", autoIncrement: true });
      database.createObjectStore("tasks", { keyPath: "taskId", autoIncrement: true });
    },
  });
  await db.add("debtors", {
    userId: 1,
    uri: "https://x.example/debtors/7/",
    identity: { type: "DebtorIdentity", uri: "swpt:7" },
  });
  await db.add("configs", {
    userId: 1,
    uri: "https://x.example/debtors/7/config",
    configData: "{}",
    latestUpdateId: 3n,
    latestUpdateAt: "2026-11-20T10:00:00+00:00",
  });
  const request = (index: number) => ({
    type: "TransferCreationRequest",
    transferUuid: UUIDS[index],
    recipient: { uri: "swpt:7/17" },
    amount: 9007199254740993n,
    noteFormat: "PAYMENT0",
    note: "INV-1\nShop\n\nBread",
  });
  const paymentInfo = {
    payeeName: "Shop",
    payeeReference: "INV-1",
    description: { contentFormat: "", content: "Bread" },
  };
  await db.add("transfers", {
    ...request(0),
    userId: 1,
    uri: `https://x.example/debtors/7/transfers/${UUIDS[0]}`,
    initiatedAt: "2026-11-01T10:00:00.123456+00:00",
    result: { finalizedAt: "2026-11-01T10:00:01+00:00", committedAmount: 9007199254740993n },
    time: 1,
    paymentInfo,
    originatesHere: true,
  });
  await db.add("transfers", {
    ...request(1),
    userId: 1,
    uri: `https://x.example/debtors/7/transfers/${UUIDS[1]}`,
    initiatedAt: "2026-11-01T10:00:00+00:00",
    result: { finalizedAt: "2026-11-01T10:00:01+00:00", committedAmount: 0n, error: { errorCode: "TIMEOUT" } },
    time: 2,
    paymentInfo,
    aborted: true,
  });
  const action = { userId: 1, actionType: "CreateTransfer", createdAt: STARTED, paymentInfo, requestedAmount: 0n };
  await db.add("actions", { ...action, creationRequest: request(2) });
  await db.add("actions", {
    ...action,
    creationRequest: request(3),
    execution: { startedAt: STARTED, unresolvedRequestAt: new Date("2026-11-20T10:05:00Z") },
  });
  // A second draft with the same UUID: what may have been sent stays open.
  await db.add("actions", { ...action, creationRequest: request(3) });
  await db.add("actions", { ...action, creationRequest: request(4), execution: { startedAt: STARTED } });
  await db.add("actions", {
    ...action,
    creationRequest: request(0),
    execution: { startedAt: STARTED, result: { ok: true } },
  });
  await db.add("actions", { userId: 1, actionType: "AbortTransfer", createdAt: STARTED, transferUri: "x" });
  await db.add("actions", { ...action, userId: 99, creationRequest: request(5) });
  db.close();
}

test("the old client's history and drafts are imported, drafts with their UUID and their first try", async () => {
  await givenOldDatabase();
  const { payments, configs, skipped } = (await readOldClient())!;

  assert.deepEqual(payments.map(({ uuid }) => uuid).sort(), UUIDS.slice(0, 5));
  assert.equal(skipped, 1);
  const now = STARTED.getTime() + 60_000;
  const states = Object.fromEntries(payments.map((payment) => [payment.uuid, paymentState(payment, now)]));
  assert.deepEqual(
    UUIDS.slice(0, 5).map((uuid) => states[uuid]),
    ["done", "failed", "draft", "not-confirmed", "not-sent"],
  );
  const open = payments.find(({ uuid }) => uuid === UUIDS[3])!;
  assert.equal(open.firstTryAt, STARTED.getTime());
  assert.equal(open.request!.amount, 9007199254740993n);
  assert.deepEqual([open.order.amount, open.chosenAmount], [0n, 9007199254740993n]);
  const done = payments.find(({ uuid }) => uuid === UUIDS[0])!;
  assert.deepEqual([done.debtor, done.origin, done.order.name], ["swpt:7", "old-client", "Shop"]);
  assert.equal(done.transfer!.initiatedAt, "2026-11-01T10:00:00.123456+00:00");
  assert.equal(configs[0]!.latestUpdateId, 3n);
});

test("the old database stays until the user removes it", async () => {
  await givenOldDatabase();
  await readOldClient();
  assert.ok(await readOldClient());
  await removeOldClient();
  assert.equal(await readOldClient(), undefined);
});

test("no old database is created, and one of another shape is left alone", async () => {
  assert.equal(await readOldClient(), undefined);
  assert.deepEqual(await indexedDB.databases(), []);
  (await openDB("debtors", 3, { upgrade: (database) => void database.createObjectStore("other") })).close();
  assert.equal(await readOldClient(), undefined);
});
