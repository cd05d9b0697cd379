import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { IDBFactory } from "fake-indexeddb";
import { type Json, parseJson, stringifyJson } from "../../../src/values/json.ts";
import { C0 } from "../core/cases.ts";
import { bread, DAY, HOUR, SECOND, settle, World } from "./given.ts";
import { foreignTransfer } from "./stand-in-node.ts";

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

const POSTS = ["POST", /transfers\/$/] as const;

test("a payment is stored with its UUID before it is sent, and shown as done within a second of the server", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  assert.equal(model.payment(uuid).value!.state, "draft");

  assert.equal(await model.send(uuid), "done");
  assert.equal(model.payment(uuid).value!.state, "waiting");
  assert.deepEqual(world.node.transfers.get(uuid)!.note, "INV-1\nShop\n\nBread");
  world.node.finalize(uuid);
  await world.clock.pass(SECOND);
  assert.equal(model.payment(uuid).value!.state, "done");
  assert.deepEqual(
    model.addressBook.value.map(({ name, accountUri }) => [name, accountUri]),
    [["Shop", "swpt:7/17"]],
  );
});

test("a page that is loaded anew right after a payment shows it as done as soon as the one before would", async () => {
  const world = new World();
  const { model, close } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  await model.send(uuid);
  await close();
  const next = await world.openTab();
  await world.clock.pass(SECOND);
  world.node.finalize(uuid);
  await world.clock.pass(2 * SECOND);
  assert.equal(next.model.payment(uuid).value!.state, "done");
});

test("a lost answer is repeated with the same UUID, and makes one transfer", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  let losses = 2;
  world.node.fault = ({ method, path }) =>
    method === "POST" && path.endsWith("transfers/") && losses-- > 0 ? "lose-answer" : undefined;

  assert.equal(await model.send(uuid), "no-connection");
  assert.equal(model.payment(uuid).value!.state, "not-confirmed");
  assert.equal(await model.discard(uuid), "not-offered");
  await world.clock.pass(4 * SECOND);

  assert.equal(model.payment(uuid).value!.state, "waiting");
  assert.equal(world.node.count(...POSTS), 3);
  assert.deepEqual([...world.node.transfers.keys()], [uuid]);
});

test("a POST that never arrived is not sent when a full list 3,616 s later lacks it, and may be sent again", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  world.node.fault = ({ method }) => (method === "POST" ? "lose-request" : undefined);
  await model.send(uuid);
  await world.clock.pass(60 * SECOND);
  const tries = world.node.count(...POSTS);
  assert.equal(tries, 6);

  world.clock.jump(3616 * SECOND);
  await model.update();
  assert.equal(model.payment(uuid).value!.state, "not-sent");
  await settle();
  assert.equal(world.node.count(...POSTS), tries);
  world.node.fault = () => undefined;
  assert.equal(await model.send(uuid), "done");
  assert.deepEqual([...world.node.transfers.keys()], [uuid]);
});

test("a payment that is not confirmed after 4 days and 22 hours is never sent again", async () => {
  const world = new World();
  const { model, close } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  world.node.fault = () => "lose-request";
  await model.send(uuid);
  await close();
  world.clock.jump(4 * DAY + 22 * HOUR);
  const tab = await world.openTab();

  assert.equal(tab.model.payment(uuid).value!.state, "timed-out");
  const tries = world.node.count(...POSTS);
  world.node.fault = () => undefined;
  // A list without it proves nothing: another client may have deleted the transfer.
  await tab.model.update();
  assert.equal(tab.model.payment(uuid).value!.state, "timed-out");
  assert.equal(await tab.model.send(uuid), "not-offered");
  assert.equal(await tab.model.discard(uuid), "not-offered");
  assert.equal(world.node.count(...POSTS), tries);
  assert.equal(await tab.model.acknowledge(uuid), "done");
});

for (const [what, setClock] of [
  ["was set back after the first try", (world: World) => (world.clock.deviceOffset = -4 * DAY)],
  [
    "was days ahead, and is right again",
    (world: World) => (world.clock.deviceOffset = world.clock.deviceOffset === 0 ? 9 * DAY : 0),
  ],
] as const) {
  test(`a clock that ${what} does not make a payment younger that another client may have deleted`, async () => {
    const world = new World();
    if (what.startsWith("was days")) setClock(world);
    const { model, close } = await world.openTab();
    const uuid = (await model.createDraft(bread))!;
    world.node.fault = ({ method }) => (method === "POST" ? "lose-answer" : undefined);
    await model.send(uuid);
    world.node.finalize(uuid);
    await close();
    setClock(world);
    world.clock.jump(5 * DAY);
    world.node.transfers.delete(uuid);
    world.node.fault = () => undefined;
    const tries = world.node.count(...POSTS);

    const tab = await world.openTab({});
    tab.model.networkIsBack();
    await world.clock.pass(60 * SECOND);
    assert.equal(tab.model.payment(uuid).value!.state, "timed-out");
    assert.equal(await tab.model.send(uuid), "not-offered");
    assert.equal(world.node.count(...POSTS), tries);
  });
}

test("a clock that is set while the page is open neither repeats too late nor deletes too early", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const [open, done] = [(await model.createDraft(bread))!, (await model.createDraft({ ...bread, reference: "B" }))!];
  await model.send(done);
  world.node.finalize(done);
  await world.clock.pass(60 * SECOND);
  world.clock.deviceOffset = 30 * DAY;
  assert.deepEqual(model.deletable.value, []);
  assert.equal(await model.deleteAtServer([done]), 0);
  await model.update();
  await world.clock.pass(SECOND);
  assert.ok(world.node.transfers.has(done));

  world.node.fault = ({ method }) => (method === "POST" ? "lose-request" : undefined);
  await model.send(open);
  world.clock.deviceOffset = -4 * DAY;
  await world.clock.pass(60 * SECOND);
  world.clock.jump(4 * DAY + 22 * HOUR);
  const tries = world.node.count(...POSTS);
  model.networkIsBack();
  await world.clock.pass(60 * SECOND);
  assert.equal(model.payment(open).value!.state, "timed-out");
  assert.equal(world.node.count(...POSTS), tries);
});

test("without any answer of the server nothing is sent: a draft stays one", async () => {
  const world = new World();
  await (await world.openTab()).close();
  world.node.fault = () => "lose-request";
  const { model } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  assert.equal(await model.send(uuid), "no-connection");
  assert.equal(model.payment(uuid).value!.state, "draft");
  assert.equal(world.node.count(...POSTS), 0);
  world.node.fault = () => undefined;
  assert.equal(await model.send(uuid), "done");
});

test("what was not confirmed when the tab closed is found or repeated by the next one", async () => {
  const world = new World();
  const first = await world.openTab();
  const uuids = [
    (await first.model.createDraft(bread))!,
    (await first.model.createDraft({ ...bread, reference: "INV-2" }))!,
  ];
  world.node.fault = ({ body }) =>
    body.includes("INV-1") ? "lose-answer" : body.includes("INV-2") ? "lose-request" : undefined;
  for (const uuid of uuids) await first.model.send(uuid);
  await first.close();
  world.node.fault = () => undefined;
  const { model } = await world.openTab();
  await world.clock.pass(SECOND);

  assert.deepEqual(
    uuids.map((uuid) => model.payment(uuid).value!.state),
    ["waiting", "waiting"],
  );
  assert.deepEqual([...world.node.transfers.keys()].sort(), uuids.sort());
});

for (const [status, state] of [
  [403, "not-sent"],
  [404, "not-sent"],
  [413, "not-sent"],
  [429, "not-sent"],
  [422, "refused"],
  [409, "refused"],
  [500, "not-confirmed"],
  [503, "not-confirmed"],
] as const) {
  test(`${status} leaves a payment ${state}`, async () => {
    const world = new World();
    const { model } = await world.openTab();
    const ended: string[] = [];
    model.onEvent((event) => ended.push(event.kind === "payment-ended" ? event.payment.state : event.kind));
    const uuid = (await model.createDraft(bread))!;
    world.node.fault = ({ method }) => (method === "POST" ? { status } : undefined);
    await model.send(uuid);
    assert.equal(model.payment(uuid).value!.state, state);
    assert.deepEqual(ended, state === "refused" ? ["refused"] : []);
  });
}

test("a rejection after a lost answer leaves the payment open", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  const faults = ["lose-answer", { status: 403 }, { status: 401 }] as const;
  let next = 0;
  world.node.fault = ({ method }) => (method === "POST" ? faults[next++] : undefined);
  await model.send(uuid);
  await world.clock.pass(SECOND);
  assert.equal(model.payment(uuid).value!.state, "not-confirmed");
  assert.equal(model.payment(uuid).value!.refusal!.status, 403);
  await model.send(uuid);
  assert.equal(model.payment(uuid).value!.state, "not-confirmed");
  assert.equal(model.connection.value, "needs-sign-in");
  assert.equal(await model.send(uuid), "done");
});

test("a repetition waits as Retry-After says", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  let isBusy = true;
  world.node.fault = ({ method }) => (method === "POST" && isBusy ? { status: 503, retryAfter: "7" } : undefined);
  await model.send(uuid);
  isBusy = false;
  await world.clock.pass(6.9 * SECOND);
  assert.equal(model.payment(uuid).value!.state, "not-confirmed");
  await world.clock.pass(0.2 * SECOND);
  assert.equal(model.payment(uuid).value!.state, "waiting");
});

test("two tabs that send one draft make one POST, and see each other's changes", async () => {
  const world = new World();
  const [one, other] = [await world.openTab(), await world.openTab()];
  const uuid = (await one.model.createDraft(bread))!;
  await settle();
  const outcomes = await Promise.all([one.model.send(uuid), other.model.send(uuid)]);
  await settle();

  assert.ok(outcomes.includes("done"), String(outcomes));
  assert.ok(outcomes.some((outcome) => outcome === "elsewhere" || outcome === "not-offered"));
  assert.equal(world.node.count(...POSTS), 1);
  assert.equal(other.model.payment(uuid).value!.state, "waiting");
});

test("a payment whose tab is closed while it is sent is taken over by a tab that stays open, and made once", async () => {
  const world = new World();
  const [one, other] = [await world.openTab(), await world.openTab()];
  const uuid = (await one.model.createDraft(bread))!;
  world.node.fault = ({ method }) => (method === "POST" ? "never-answer" : undefined);
  one.model.send(uuid).catch(() => {});
  await settle();
  assert.equal(other.model.payment(uuid).value!.state, "sending");
  await one.close();
  world.node.fault = () => undefined;
  await world.clock.pass(SECOND);

  assert.equal(other.model.payment(uuid).value!.state, "waiting");
  assert.equal(world.node.count(...POSTS), 2);
  assert.deepEqual([...world.node.transfers.keys()], [uuid]);
});

test("a tab learns late that another one has ended to send, and leaves the payment and its pause to that one", async () => {
  const world = new World();
  const channel = new BroadcastChannel(world.id);
  const post = channel.postMessage.bind(channel);
  channel.postMessage = (message: { isSending?: boolean }) => {
    if (message.isSending !== false) return post(message);
    void world.clock.wait(100, new AbortController().signal).then(() => post(message));
  };
  const [one, other] = [await world.openTab({ channel }), await world.openTab()];
  const uuid = (await one.model.createDraft(bread))!;
  world.node.fault = ({ method }) => (method === "POST" ? { status: 503, retryAfter: "60" } : undefined);
  assert.equal(await one.model.send(uuid), "no-connection");
  await world.clock.pass(30 * SECOND);
  assert.equal(other.model.payment(uuid).value!.state, "not-confirmed");
  assert.equal(world.node.count(...POSTS), 1);

  world.node.fault = () => undefined;
  await world.clock.pass(31 * SECOND);
  assert.equal(world.node.count(...POSTS), 2);
  assert.equal(other.model.payment(uuid).value!.state, "waiting");
});

test("a draft that another tab has changed is not overwritten silently", async () => {
  const world = new World();
  const [one, other] = [await world.openTab(), await world.openTab()];
  const uuid = (await one.model.createDraft({ ...bread, amount: 0n }))!;
  await settle();
  const { revision } = other.model.payment(uuid).value!;
  assert.equal(await one.model.editDraft(uuid, { chosenAmount: 5n }, revision), "done");
  assert.equal(await other.model.editDraft(uuid, { chosenAmount: 6n }, revision), "changed");
  assert.equal(other.model.payment(uuid).value!.chosenAmount, 5n);
});

test("a draft that another tab has changed since the user saw it is not sent", async () => {
  const world = new World();
  const [one, other] = [await world.openTab(), await world.openTab()];
  const uuid = (await one.model.createDraft({ ...bread, amount: 0n }))!;
  await settle();
  await one.model.editDraft(uuid, { chosenAmount: 5n }, 0);
  assert.equal(await other.model.send(uuid, 0), "changed");
  assert.equal(world.node.count(...POSTS), 0);
  assert.equal(await other.model.send(uuid, 1), "done");
});

test("an error that a proxy gives to a repetition leaves the payment open", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  const faults = ["lose-answer", { status: 400 }, { status: 410 }] as const;
  let next = 0;
  world.node.fault = ({ method }) => (method === "POST" ? faults[next++] : undefined);
  await model.send(uuid);
  await world.clock.pass(SECOND);
  assert.equal(model.payment(uuid).value!.state, "not-confirmed");
  await model.send(uuid);
  assert.equal(model.payment(uuid).value!.state, "not-confirmed");
  assert.equal(await model.discard(uuid), "not-offered");
  assert.equal(await model.send(uuid), "done");
});

test("a chosen amount of a request without one is sent as payment0", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const uuid = (await model.createDraft({ ...bread, amount: 0n }))!;
  assert.deepEqual(model.preview(uuid)!.problems, [{ kind: "no-amount" }]);
  assert.equal(await model.send(uuid), "not-offered");
  await model.editDraft(uuid, { chosenAmount: 9007199254740993n }, model.payment(uuid).value!.revision);
  assert.equal(await model.send(uuid), "done");
  const { amount, noteFormat } = world.node.transfers.get(uuid)!;
  assert.deepEqual([amount, noteFormat], [9007199254740993n, "payment0"]);
});

test("while the account is not ready a request stays a draft, and becomes sendable without a reload", async () => {
  const world = new World();
  world.node.noteMaxBytes = 0;
  world.node.accountUri = undefined;
  const { model } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  assert.deepEqual(model.preview(uuid)!.problems, [{ kind: "account-not-ready" }]);
  assert.equal(await model.send(uuid), "not-offered");
  world.node.noteMaxBytes = 500;
  world.node.accountUri = "swpt:7/0";
  await world.clock.pass(11 * SECOND);
  assert.deepEqual(model.preview(uuid)!.problems, []);
  assert.equal(await model.send(uuid), "done");
});

test("the preview says what is known of the recipient and what was cut", async () => {
  const world = new World();
  world.node.noteMaxBytes = 20;
  const { model } = await world.openTab();
  await model.putAddress({ accountUri: "swpt:7/17", name: "Baker" });
  await model.putAddress({ accountUri: "swpt:7/99", name: "Shop" });
  const uuid = (await model.createDraft({ ...bread, reason: "Bread and butter", deadline: "2026-11-25" }))!;
  assert.deepEqual(model.preview(uuid)!.remarks, [
    { kind: "reason-cut", kept: "Bread an" },
    { kind: "deadline-passed", deadline: "2026-11-25" },
    { kind: "known-as", name: "Baker" },
    { kind: "name-has-other-account", accountUri: "swpt:7/99" },
    { kind: "first-payment-to-account" },
  ]);
  await model.send(uuid);
  const again = (await model.createDraft({ ...bread, accountUri: "swpt:07/17" }))!;
  assert.deepEqual(model.preview(again)!.remarks.at(-1), {
    kind: "paid-before",
    uuid,
    at: model.payment(uuid).value!.createdAt,
  });
});

test("a name that only looks like one in the address book is pointed out, and does not get into it", async () => {
  const { model } = await new World().openTab();
  await model.putAddress({ accountUri: "swpt:7/99", name: "Shop" });
  for (const name of ["Sh\u200bop", "Shop\u202c", "SHOP "]) {
    const uuid = (await model.createDraft({ ...bread, name }))!;
    const remarks = model.preview(uuid)!.remarks;
    assert.ok(
      remarks.some((remark) => remark.kind === "name-has-other-account" && remark.accountUri === "swpt:7/99"),
      JSON.stringify(name),
    );
    await model.send(uuid);
  }
  await model.send((await model.createDraft({ ...bread, name: "swpt:7/18" }))!);
  await settle();
  assert.deepEqual(
    model.addressBook.value.map(({ name }) => name),
    ["Shop"],
  );
});

test("a transfer is cancelled after its check-up; too late is read again", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const [first, second] = [(await model.createDraft(bread))!, (await model.createDraft(bread))!];
  await model.send(first);
  await model.send(second);
  assert.ok(!model.payment(first).value!.offered.includes("cancel"));
  await world.clock.pass(20 * SECOND);
  assert.ok(model.payment(first).value!.offered.includes("cancel"));
  assert.equal(await model.cancel(first), "done");
  assert.equal(model.payment(first).value!.state, "failed");
  world.node.finalize(second);
  assert.equal(await model.cancel(second), "not-offered");
  assert.equal(model.payment(second).value!.state, "done");
});

test("a failed payment is retried with a new UUID", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const ended: string[] = [];
  model.onEvent((event) => ended.push(event.kind === "payment-ended" ? event.payment.state : event.kind));
  const uuid = (await model.createDraft(bread))!;
  await model.send(uuid);
  world.node.finalize(uuid, { type: "TransferError", errorCode: "" });
  await world.clock.pass(SECOND);
  assert.equal(model.payment(uuid).value!.state, "failed");
  assert.deepEqual(ended, ["failed"]);
  const again = (await model.retry(uuid))!;
  assert.notEqual(again, uuid);
  assert.equal(await model.dismiss(uuid), "done");
  assert.deepEqual(model.payment(uuid).value!.offered, ["retry", "save-file"]);
});

test("transfers of other clients are shown, and those that disappear from the server stay in the history", async () => {
  const world = new World();
  const transfer = foreignTransfer({ note: "INV-9\nBaker\n\nRolls", noteFormat: "PAYMENT0" });
  world.node.transfers.set(transfer.transferUuid, transfer);
  world.node.finalize(transfer.transferUuid);
  const { model } = await world.openTab();
  const payment = model.payment(transfer.transferUuid).value!;
  assert.deepEqual([payment.origin, payment.order.name, payment.state], ["elsewhere", "Baker", "done"]);

  world.node.transfers.clear();
  await model.update();
  assert.equal(model.payment(transfer.transferUuid).value!.isGone, true);
  assert.deepEqual(
    model.onlyHere().map(({ uuid }) => uuid),
    [transfer.transferUuid],
  );
  const reads = world.node.count("GET", new RegExp(transfer.transferUuid));
  await model.update();
  assert.equal(world.node.count("GET", new RegExp(transfer.transferUuid)), reads);
});

test("nothing is deleted at the server before its time, and the history stays", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const [done, failed, kept] = [
    (await model.createDraft(bread))!,
    (await model.createDraft(bread))!,
    (await model.createDraft(bread))!,
  ];
  for (const uuid of [done, failed, kept]) await model.send(uuid);
  world.node.finalize(done);
  world.node.finalize(failed, { type: "TransferError", errorCode: "TIMEOUT" });
  await world.clock.pass(SECOND);
  await model.dismiss(failed);
  world.clock.jump(5 * DAY - HOUR);
  await model.update();
  await settle();
  assert.deepEqual(model.deletable.value, []);
  assert.equal(world.node.transfers.size, 3);

  world.clock.jump(HOUR);
  await model.update();
  await settle();
  assert.ok(!world.node.transfers.has(failed));
  assert.deepEqual(
    model.deletable.value.map(({ uuid }) => uuid),
    [done],
  );
  assert.equal(await model.deleteAtServer([done, kept]), 1);
  assert.deepEqual([...world.node.transfers.keys()], [kept]);
  assert.equal(model.payments.value.length, 3);
});

test("done transfers are deleted after the operator's delay, unless it is switched off", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  await model.send(uuid);
  world.node.finalize(uuid);
  await world.clock.pass(SECOND);
  await model.setDeletion(false);
  world.clock.jump(15 * DAY);
  await model.update();
  await settle();
  assert.ok(world.node.transfers.has(uuid));
  await model.setDeletion(true);
  await model.update();
  await settle();
  assert.ok(!world.node.transfers.has(uuid));
  assert.equal(model.payment(uuid).value!.state, "done");
});

test("with 300 undeleted transfers a 403 says so, and none younger than 5 days is offered for deletion", async () => {
  const world = new World();
  for (let index = 0; index < 300; index++) {
    const initiatedAt = new Date(world.clock.now() - (index < 3 ? 6 : 1) * DAY).toISOString();
    const transfer = foreignTransfer({ initiatedAt });
    world.node.transfers.set(transfer.transferUuid, transfer);
    transfer.result = { type: "TransferResult", finalizedAt: initiatedAt, committedAmount: 5n };
  }
  const { model } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  world.node.fault = ({ method }) => (method === "POST" ? { status: 403 } : undefined);
  assert.equal(await model.send(uuid), "refused");
  assert.equal(model.undeletedCount.value, 300);
  assert.equal(model.deletable.value.length, 3);
  assert.ok(model.actions.value.isNearLimit);
});

test("the history can be searched, and is exported as filtered", async () => {
  const world = new World();
  const { model } = await world.openTab();
  for (let index = 0; index < 30; index++)
    await model.createDraft({ ...bread, name: index < 12 ? "Baker" : "Shop", amount: BigInt(index + 1) });
  const found = model.search({ text: "baker" });
  assert.equal(found.length, 12);
  assert.equal(model.historyCsv(found).trim().split("\r\n").length, 13);
  assert.equal(model.search({ text: "inv-1 shop" }).length, 18);
  assert.equal(model.search({ states: ["done"] }).length, 0);
  assert.equal(model.search({ origins: ["here"], from: world.clock.now(), to: world.clock.now() + 1 }).length, 30);
});

test("an amount is found as languages write it", async () => {
  const world = new World();
  const info = { type: "DebtorInfo", ...world.node.saveDocument(C0) };
  world.node.saveConfig(JSON.stringify({ type: "RootConfigData", rate: 0, info }));
  const { model } = await world.openTab();
  await model.createDraft({ ...bread, amount: 123_450n });
  for (const text of [
    "1234.50",
    "1234,50",
    "1.234,50",
    "1,234.50",
    "1\u00a0234,50",
    "1\u2019234.50",
    "123450",
    "1,234",
  ])
    assert.equal(model.search({ text }).length, 1, text);
  for (const text of ["1234,51", "1.235", "12.34"]) assert.equal(model.search({ text }).length, 0, text);
});

test("what cannot be stored is not sent", async () => {
  const world = new World();
  const { model } = await world.openTab();
  const uuid = (await model.createDraft(bread))!;
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = () => {
    throw new DOMException("", "QuotaExceededError");
  };
  try {
    assert.equal(await model.send(uuid), "not-stored");
    assert.equal(await model.createDraft(bread), undefined);
    assert.equal(model.storageProblem.value, "full");
  } finally {
    IDBDatabase.prototype.transaction = transaction;
  }
  assert.equal(world.node.count(...POSTS), 0);
  assert.equal(await model.send(uuid), "done");
  assert.equal(model.storageProblem.value, undefined);
});

test("what a backup says was sent without an answer is repeated when the user says so, and not before", async () => {
  const world = new World();
  const { model } = await world.openTab();
  await model.createDraft(bread);
  const backup = parseJson(await model.backup()) as { payments: [{ [member: string]: Json }] };
  const uuid = crypto.randomUUID();
  const request = { recipientUri: "swpt:7/666", amount: 5n, noteFormat: "PAYMENT0", note: "" };
  const tries = { isTryOpen: true, firstTryAt: BigInt(world.clock.now()), lastTryAt: BigInt(world.clock.now()) };
  backup.payments[0] = { ...backup.payments[0], uuid, request, ...tries };
  assert.deepEqual(await model.restore(stringifyJson(backup)), { added: 1, changed: 0 });
  await model.update();
  model.visibilityChanged(true);
  await world.clock.pass(120 * SECOND);
  assert.equal(world.node.count(...POSTS), 0);
  assert.equal(model.payment(uuid).value!.state, "not-confirmed");

  assert.equal(await model.send(uuid), "done");
  assert.equal(world.node.transfers.get(uuid)!.amount, 5n);
});
