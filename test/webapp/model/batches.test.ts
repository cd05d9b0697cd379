import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { IDBFactory } from "fake-indexeddb";
import { bread, SECOND, settle, World } from "./given.ts";

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

const POSTS = ["POST", /transfers\/$/] as const;
const orders = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ ...bread, reference: `ROW-${index + 1}` }));

/** The rows of the transfers at the server, each with how often it is there. */
const rowsAt = (world: World): string[] =>
  [...world.node.transfers.values()].map(({ note }) => note.split("\n")[0]!).sort();

test("all rows are paid, two at a time at most, and the result says each row's state and UUID", async () => {
  const world = new World();
  const { model } = await world.openTab();
  let underWay = 0;
  let most = 0;
  const { fetch } = world.node;
  (world.node as { fetch: typeof fetch }).fetch = async (url, init) => {
    if (init?.method !== "POST") return fetch(url, init);
    most = Math.max(most, ++underWay);
    await settle();
    return fetch(url, init).finally(() => underWay--);
  };
  const id = (await model.createBatch("Wages", orders(10)))!;
  assert.equal(model.payments.value.length, 10);
  assert.equal(await model.runBatch(id), "done");

  assert.equal(world.node.transfers.size, 10);
  assert.equal(most, 2);
  for (const uuid of world.node.transfers.keys()) world.node.finalize(uuid);
  await world.clock.pass(SECOND);
  const batch = model.batches.value[0]!;
  assert.deepEqual([batch.status, batch.total, batch.done], ["finished", 10, 10]);
  const rows = model.batchResult(id).trim().split("\r\n");
  assert.equal(rows.length, 11);
  assert.equal(rows[1], `swpt:7/17,1000,Shop,ROW-1,Bread,done,${batch.uuids[0]}`);
});

test("a tab closed in the middle of a batch, or an answer lost in it, pays no row twice", async () => {
  const world = new World();
  const first = await world.openTab();
  const id = (await first.model.createBatch("Wages", orders(10)))!;
  world.node.onTransfer = () => {
    if (world.node.transfers.size === 5) void first.close();
  };
  first.model.runBatch(id).catch(() => {});
  await settle();
  assert.ok(world.node.transfers.size < 10);
  world.node.onTransfer = () => {};
  let losses = 3;
  world.node.fault = ({ method }) => (method === "POST" && losses-- > 0 ? "lose-answer" : undefined);
  const second = await world.openTab();
  await world.clock.pass(30 * SECOND);

  assert.equal(second.model.batches.value[0]!.status, "finished");
  assert.deepEqual(
    rowsAt(world),
    orders(10)
      .map(({ reference }) => reference)
      .sort(),
  );
});

test("a 403 stops a batch, and it goes on from there", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const id = (await model.createBatch("Wages", orders(6)))!;
  world.node.fault = ({ method }) =>
    method === "POST" && world.node.transfers.size >= 3 ? { status: 403 } : undefined;
  assert.equal(await model.runBatch(id), "refused");
  const stopped = model.batches.value[0]!;
  assert.deepEqual([stopped.status, stopped.stopReason, stopped.sent], ["stopped", "limit", 3]);
  const posts = world.node.count(...POSTS);
  assert.ok(posts <= 5, `${posts} requests`);
  world.node.fault = () => undefined;
  assert.equal(await model.runBatch(id), "done");
  assert.equal(world.node.transfers.size, 6);
  assert.equal(model.batches.value[0]!.status, "finished");
});

test("a batch waits for the network, and for as long as the server asks", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const id = (await model.createBatch("Wages", orders(3)))!;
  let refusals = 2;
  world.node.fault = ({ method }) =>
    method === "POST" && refusals-- > 0 ? { status: 429, retryAfter: "3" } : undefined;
  void model.runBatch(id);
  await world.clock.pass(2 * SECOND);
  assert.equal(world.node.transfers.size, 0);
  await world.clock.pass(2 * SECOND);
  assert.equal(world.node.transfers.size, 3);

  const next = (await model.createBatch("More", orders(2)))!;
  world.node.fault = () => "lose-request";
  void model.runBatch(next);
  await world.clock.pass(120 * SECOND);
  assert.equal(model.batches.value[0]!.status, "running");
  world.node.fault = () => undefined;
  model.networkIsBack();
  await world.clock.pass(SECOND);
  assert.equal(model.batches.value[0]!.status, "finished");
  assert.equal(world.node.transfers.size, 5);
});

test("a token that expires in the middle of a batch stops it without a loss, and signing in again goes on with it", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const id = (await model.createBatch("Wages", orders(10)))!;
  world.node.fault = ({ method }) =>
    method === "POST" && world.node.transfers.size >= 4 ? { status: 401 } : undefined;
  assert.equal(await model.runBatch(id), "no-connection");
  assert.deepEqual([model.connection.value, model.batches.value[0]!.status], ["needs-sign-in", "running"]);
  assert.equal(world.node.transfers.size, 4);
  world.node.fault = () => undefined;
  await model.signedIn();
  await world.clock.pass(SECOND);
  assert.equal(model.batches.value[0]!.status, "finished");
  assert.deepEqual(
    rowsAt(world),
    orders(10)
      .map(({ reference }) => reference)
      .sort(),
  );
});

test("signing out in the middle of a batch sends nothing more, and the batch goes on with the next sign-in", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const id = (await model.createBatch("Wages", orders(10)))!;
  let signedOut: Promise<void> | undefined;
  world.node.onTransfer = () => {
    if (world.node.transfers.size === 4) signedOut = model.signedOut({ forget: false });
  };
  await model.runBatch(id);
  await signedOut;
  const sent = world.node.transfers.size;
  assert.ok(sent <= 6, `${sent} rows`);
  await model.signedIn();
  await world.clock.pass(SECOND);
  assert.deepEqual(
    rowsAt(world),
    orders(10)
      .map(({ reference }) => reference)
      .sort(),
  );
  assert.deepEqual(world.reports, []);
});

test("two tabs do not run one batch at the same time, and either may stop it", async () => {
  const world = new World();
  const [one, other] = [await world.openTab(), await world.openTab()];
  const id = (await one.model.createBatch("Wages", orders(20)))!;
  await settle();
  let stopped: Promise<void> | undefined;
  world.node.onTransfer = () => {
    if (world.node.transfers.size === 4) stopped = other.model.stopBatch(id);
  };
  const outcomes = await Promise.all([one.model.runBatch(id), other.model.runBatch(id)]);
  await stopped;
  assert.ok(outcomes.includes("elsewhere"));
  assert.ok(world.node.transfers.size < 20);
  await settle();
  assert.deepEqual([one.model.batches.value[0]!.status, one.model.batches.value[0]!.stopReason], ["stopped", "user"]);
});

test("what a batch has sent without an answer is repeated even when the user has stopped it", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const id = (await model.createBatch("Wages", orders(3)))!;
  world.node.fault = ({ method }) => (method === "POST" ? "lose-request" : undefined);
  void model.runBatch(id);
  await settle();
  await model.stopBatch(id);
  await world.clock.pass(60 * SECOND);
  const open = model.payments.value.filter(({ state }) => state === "not-confirmed").map(({ uuid }) => uuid);
  assert.ok(open.length > 0 && open.length <= 2);
  world.node.fault = () => undefined;
  await model.update();
  await world.clock.pass(SECOND);
  assert.deepEqual([...world.node.transfers.keys()].sort(), open.sort());
});

test("a batch that is stopped while the server lets it wait sends nothing more, and can be continued at once", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const id = (await model.createBatch("Wages", orders(3)))!;
  world.node.fault = ({ method }) => (method === "POST" ? { status: 429, retryAfter: "1800" } : undefined);
  void model.runBatch(id);
  await world.clock.pass(2 * SECOND);
  await model.stopBatch(id);
  world.node.fault = () => undefined;
  await world.clock.pass(2 * SECOND);
  assert.ok(!model.batches.value[0]!.isRunningHere);
  await world.clock.pass(3600 * SECOND);
  assert.equal(world.node.transfers.size, 0);
  void model.runBatch(id);
  await world.clock.pass(SECOND);
  assert.equal(world.node.transfers.size, 3);
});

test("a batch file is compared with payments that were made before", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const uuid = (await model.createDraft({ ...bread, reference: "A" }))!;
  await model.send(uuid);
  const check = model.checkBatch(
    "recipient,amount,reference\nShop,1000,A\nswpt:7/17,1000,B\nswpt:7/17,1000,B\nswpt:8/1,1,\n",
  );
  assert.deepEqual(
    check.rows.map(({ row, repeats, problems }) => [row, repeats, problems.length]),
    [
      [1, { row: undefined, paymentUuid: uuid }, 0],
      [2, undefined, 0],
      [3, { row: 2, paymentUuid: undefined }, 0],
      [4, undefined, 1],
    ],
  );
  assert.deepEqual([check.total, check.actionsLeft], [3000n, 298]);
  assert.deepEqual(model.checkBatch("a,b\n").problem, { reason: "no-column", where: "recipient" });
});
