import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { IDBFactory } from "fake-indexeddb";
import { openDB } from "idb";
import { nextDueDate } from "../../../webapp/model/contacts.ts";
import { StorageError } from "../../../webapp/store/database.ts";
import { Store } from "../../../webapp/store/store.ts";
import { payment } from "../store/given.ts";
import { bread, HOUR, SECOND, settle, World } from "./given.ts";
import { foreignTransfer } from "./stand-in-node.ts";

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

test("without a token the user signs in; stored data are shown all the same, and drafts are accepted", async () => {
  const world = new World();
  world.token = undefined;
  const first = await world.openTab();
  assert.equal(first.model.phase.value, "signed-out");
  world.token = "T";
  await first.model.signedIn();
  assert.equal(first.model.phase.value, "ready");
  const uuid = (await first.model.createDraft(bread))!;
  await first.close();

  world.token = undefined;
  const { model } = await world.openTab();
  assert.deepEqual([model.phase.value, model.connection.value], ["ready", "needs-sign-in"]);
  assert.equal(model.payment(uuid).value!.state, "draft");
  assert.equal(await model.send(uuid), "needs-sign-in");
  assert.equal(model.payment(uuid).value!.state, "draft");
  world.token = "T";
  await model.signedIn();
  assert.equal(await model.send(uuid), "done");
});

test("offline, stored data are shown with their age, and failed requests are retried with pauses", async () => {
  const world = new World();
  const first = await world.openTab();
  const readAt = first.model.debtor.value!.readAt;
  await first.close();
  world.clock.jump(HOUR);
  world.node.fault = () => "lose-request";
  const { model } = await world.openTab();
  assert.deepEqual([model.phase.value, model.connection.value], ["ready", "no-connection"]);
  assert.equal(model.debtor.value!.readAt, readAt);
  assert.ok(await model.createDraft(bread));
  world.node.fault = () => undefined;
  await world.clock.pass(3 * SECOND);
  assert.equal(model.connection.value, "ok");
});

test("an account that is not an issuer's, and one that is not active, are told apart", async () => {
  const world = new World();
  world.node.fault = () => ({ status: 204 });
  const { fetch } = world.node;
  (world.node as { fetch: typeof fetch }).fetch = async () => new Response(null, { status: 204 });
  assert.equal((await world.openTab()).model.phase.value, "not-an-issuer");
  const unbound = new World();
  (unbound.node as { fetch: typeof fetch }).fetch = async () =>
    Response.json({ message: "No issuer." }, { status: 403 });
  const { model } = await unbound.openTab();
  assert.deepEqual([model.phase.value, model.refusal.value], ["not-an-issuer", "No issuer."]);
  const other = new World();
  other.node.isActive = false;
  assert.equal((await other.openTab()).model.phase.value, "inactive");
});

test("updates happen hourly, and when the page becomes visible after a minute", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const updates = (): number => world.node.count("GET", /\.debtor$/);
  assert.equal(updates(), 1);
  await world.clock.pass(HOUR - SECOND);
  assert.equal(updates(), 1);
  await world.clock.pass(SECOND);
  assert.equal(updates(), 2);
  await world.clock.pass(60 * SECOND);
  model.visibilityChanged(true);
  await settle();
  assert.equal(updates(), 2);
  await world.clock.pass(SECOND);
  model.visibilityChanged(true);
  await settle();
  assert.equal(updates(), 3);
});

test("signing out hides the data; forgetting removes them, and names what only exists here", async () => {
  const world = new World();
  const first = await world.openTab();
  const uuid = (await first.model.createDraft(bread))!;
  assert.deepEqual(
    first.model.onlyHere().map((only) => only.uuid),
    [uuid],
  );
  await first.model.signedOut({ forget: false });
  assert.deepEqual([first.model.phase.value, first.model.payments.value.length], ["signed-out", 0]);
  await first.model.signedIn();
  assert.equal(first.model.payments.value.length, 1);
  await first.model.signedOut({ forget: true });
  await first.model.signedIn();
  assert.equal(first.model.payments.value.length, 0);
});

test("forgetting leaves no record and no setting on the device, nor the old client's database", async () => {
  const world = new World();
  let isOldThere = true;
  const oldClient = {
    read: async () => (isOldThere ? { payments: [payment({})], configs: [], skipped: 0 } : undefined),
    remove: async () => {
      isOldThere = false;
    },
  };
  const { model } = await world.openTab({ oldClient });
  await model.createDraft(bread);
  await model.putAddress({ accountUri: "swpt:7/18", name: "Baker" });
  await model.setDeletion(false);
  await model.signedOut({ forget: true });

  assert.ok(!isOldThere);
  const db = await openDB("swpt-debtors-webapp");
  for (const table of db.objectStoreNames) assert.deepEqual(await db.getAllKeys(table), [], table);
  db.close();
  const next = await world.openTab({ oldClient });
  assert.equal(next.model.payments.value.length, 0);
});

test("thousands of transfers are stored a few hundred at a time", async () => {
  const world = new World();
  for (let i = 0; i < 1000; i++) {
    const transfer = foreignTransfer();
    world.node.transfers.set(transfer.transferUuid, transfer);
  }
  const store = await Store.open(() => {});
  let transactions = 0;
  const changeAll = store.changeAll.bind(store) as Store["changeAll"];
  store.changeAll = (table, debtor, ids, change) => {
    if (table === "payments") transactions++;
    return changeAll(table, debtor, ids, change);
  };
  const { model } = await world.openTab({ openStore: async () => store });
  assert.equal(model.payments.value.length, 1000);
  assert.ok(transactions <= 6, `${transactions} transactions`);
});

test("the history stays when hundreds of transfers vanish at the server at once", async () => {
  const world = new World();
  for (let i = 0; i < 300; i++) {
    const transfer = foreignTransfer();
    world.node.transfers.set(transfer.transferUuid, transfer);
  }
  const { model } = await world.openTab();
  world.node.transfers.clear();
  await model.update();
  assert.deepEqual([model.payments.value.length, model.undeletedCount.value], [300, 0]);
});

test("an answer that arrives after signing out does not bring the data back", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  const { fetch } = world.node;
  const released = Promise.withResolvers<void>();
  (world.node as { fetch: typeof fetch }).fetch = async (...args) => {
    const answer = await fetch(...args);
    await released.promise;
    return answer;
  };
  const sending = model.send(uuid);
  const updating = model.update();
  await settle();
  await model.signedOut({ forget: false });
  released.resolve();
  await Promise.all([sending, updating]);
  assert.deepEqual([model.phase.value, model.payments.value.length, model.debtor.value], ["signed-out", 0, undefined]);

  await model.signedIn();
  assert.equal(model.payment(uuid).value!.state, "waiting");
  assert.equal(world.node.transfers.size, 1);
});

test("a token that is rejected at the first start leads to the sign-in", async () => {
  const world = new World();
  world.node.fault = () => ({ status: 401 });
  const { model } = await world.openTab();
  assert.deepEqual([model.phase.value, model.connection.value], ["signed-out", "needs-sign-in"]);
});

test("a device that cannot store says so", async () => {
  const world = new World();
  for (const [problem, phase] of [
    ["forbidden", "no-storage"],
    ["outdated", "outdated"],
  ] as const) {
    const { model } = await world.openTab({ openStore: () => Promise.reject(new StorageError(problem)) });
    assert.deepEqual([model.phase.value, model.storageProblem.value], [phase, problem]);
  }
});

test("the old client's payments are imported once, and those of another debtor are not shown", async () => {
  const world = new World();
  const mine = payment({
    origin: "old-client",
    isTryOpen: true,
    firstTryAt: 1,
    lastTryAt: 1,
    request: { recipientUri: "swpt:7/17", amount: 1n, noteFormat: "", note: "" },
  });
  const data = { payments: [mine, payment({ debtor: "swpt:8" })], configs: [], skipped: 0 };
  let reads = 0;
  const oldClient = {
    read: async () => {
      reads++;
      return data;
    },
    remove: async () => {},
  };
  const first = await world.openTab({ oldClient });
  assert.deepEqual(
    first.model.payments.value.map(({ uuid, state }) => [uuid, state]),
    [[mine.uuid, "timed-out"]],
  );
  assert.ok(first.model.hasOldDatabase.value);
  await first.close();
  const { model } = await world.openTab({ oldClient });
  assert.equal(reads, 1);
  await model.removeOldDatabase();
  assert.ok(!model.hasOldDatabase.value);
});

test("a backup is put back on another device", async () => {
  const world = new World();
  const first = await world.openTab();
  await first.model.createDraft(bread);
  await first.model.putAddress({ accountUri: "swpt:7/18", name: "Baker" });
  const text = await first.model.backup();
  await first.close();
  globalThis.indexedDB = new IDBFactory();
  const [{ model }, other] = [await world.openTab(), await world.openTab()];
  assert.deepEqual(await model.restore(text), { added: 2, changed: 0 });
  await settle();
  assert.deepEqual(
    [model, other.model].map(({ payments }) => payments.value.length),
    [1, 1],
  );
  assert.deepEqual(await model.restore("{}"), { problem: "not-a-backup" });
});

test("templates remind on their due date, which moves on when they are paid", async () => {
  const world = new World();
  const { model } = await world.openTab();
  await model.putTemplate({ title: "Rent", order: bread, dueOn: "2026-11-26", repeat: "monthly" });
  const [template] = model.dueTemplates.value;
  assert.equal(template!.title, "Rent");
  const uuid = (await model.draftFromTemplate(template!.id))!;
  assert.equal(await model.send(uuid), "done");
  await settle();
  assert.deepEqual(model.dueTemplates.value, []);
  assert.equal(model.templates.value[0]!.dueOn, "2026-12-26");
});

test("a template moves on as well when only the list says that its payment was made", async () => {
  const world = new World();
  const { model, close } = await world.openTab();
  await model.putTemplate({ title: "Rent", order: bread, dueOn: "2026-11-26", repeat: "monthly" });
  const uuid = (await model.draftFromTemplate(model.templates.value[0]!.id))!;
  world.node.fault = ({ method }) => (method === "POST" ? "lose-answer" : undefined);
  await model.send(uuid);
  await close();
  const next = await world.openTab();
  await settle();
  assert.equal(next.model.payment(uuid).value!.state, "waiting");
  assert.deepEqual(next.model.dueTemplates.value, []);
  assert.equal(next.model.addressBook.value[0]!.name, "Shop");
});

test("a due date moves on by its interval, and stays within shorter months", () => {
  assert.equal(nextDueDate({ dueOn: "2026-01-31", repeat: "monthly" }, "2026-02-01"), "2026-02-28");
  assert.equal(nextDueDate({ dueOn: "2026-01-31", repeat: "monthly" }, "2026-02-28"), "2026-03-31");
  assert.equal(nextDueDate({ dueOn: "2026-11-20", repeat: "weekly" }, "2026-11-27"), "2026-12-04");
  assert.equal(nextDueDate({ dueOn: "2024-02-29", repeat: "yearly" }, "2024-02-29"), "2025-02-28");
  assert.equal(nextDueDate({ dueOn: "2026-11-20", repeat: "" }, "2026-11-27"), "");
  assert.equal(nextDueDate({ dueOn: "9999-12-31", repeat: "weekly" }, "2026-11-27"), "");
  assert.equal(nextDueDate({ dueOn: "12026-12-31", repeat: "yearly" }, "2026-11-27"), "");
});

test("a sample of the balance is stored when it changes", async () => {
  const world = new World();
  const { model } = await world.openTab();
  await model.update();
  world.node.balance = -(2n ** 63n) + 1n;
  world.clock.jump(1);
  await model.update();
  assert.deepEqual(
    model.samples.value.map(({ balance }) => balance),
    [0n, -(2n ** 63n) + 1n],
  );
  assert.equal(model.circulation.value, 2n ** 63n - 1n);
});

test("the address book is sorted as people sort, numbers in names by their value", async () => {
  const world = new World();
  const { model } = await world.openTab();
  for (const [account, name] of [
    ["swpt:7/1", "House 10"],
    ["swpt:7/2", "Äpfel"],
    ["swpt:7/3", "House 9"],
    ["swpt:7/4", "bakery"],
  ] as const) {
    assert.equal(await model.putAddress({ accountUri: account, name }), "done");
  }
  assert.deepEqual(
    model.addressBook.value.map(({ name }) => name),
    ["Äpfel", "bakery", "House 9", "House 10"],
  );
});
