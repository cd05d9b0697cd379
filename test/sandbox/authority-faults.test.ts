import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allFaults,
  createFaultInjector,
  type Fault,
  type FaultKind,
  parseFaults,
} from "../../sandbox/accounting-authority/faults.ts";
import type { SentMessage } from "../../sandbox/accounting-authority/sent-messages.ts";
import type { PreparedTransfer } from "../../src/messages/incoming.ts";
import { encodeConfigureAccount, encodeFinalizeTransfer, encodePrepareTransfer } from "../../src/messages/outgoing.ts";
import { parseMessage } from "../../src/messages/parse.ts";
import { plusSeconds } from "../../src/values/timestamp.ts";
import { createFixture } from "./authority-fixture.ts";
import { BareAuthority, configure, DAY, DEBTOR, finalize, REQUEST, START } from "./authority-fixtures.ts";

const bare = new BareAuthority();
const update = bare.send(configure())[0]!;
const prepared = bare.lock(100n);
const finalized = bare.send(finalize(prepared, 100n))[0]!;

const once = (type: Fault["type"], kind: FaultKind, argument?: string): Fault => ({
  type,
  kind,
  argument,
  frequency: { count: 1 },
});

/** What the agent reads when the fault strikes. */
function readWith(kind: FaultKind, message: SentMessage) {
  const [outbound] = createFaultInjector([once(message.type, kind)]).onSent(message);
  return parseMessage("application/json", message.type, outbound!.body);
}

test("without faults a message is sent once and unchanged", () => {
  const outboundMessages = createFaultInjector().onSent(update);

  assert.equal(outboundMessages.length, 1);
  assert.equal(outboundMessages[0]!.message, update);
  assert.equal(outboundMessages[0]!.delaySeconds, 0);
});

test("a scripted fault affects the given number of next messages of its type, and no others", () => {
  const injector = createFaultInjector([{ type: "AccountUpdate", kind: "drop", frequency: { count: 2 } }]);

  assert.equal(injector.onSent(prepared).length, 1);
  assert.deepEqual(
    Array.from({ length: 4 }, () => injector.onSent(update).length),
    [0, 0, 1, 1],
  );
});

test("messages are repeated, delayed and reordered", () => {
  assert.equal(createFaultInjector([once("AccountUpdate", "repeat")]).onSent(update).length, 2);
  assert.equal(createFaultInjector([once("AccountUpdate", "delay", "60")]).onSent(update)[0]!.delaySeconds, 60);
  const reordered = createFaultInjector([once("AccountUpdate", "reorder")]).onSent(update)[0]!;
  assert.ok(reordered.delaySeconds > 0);
});

test("each message can be corrupted in its own ways", () => {
  assert.partialDeepStrictEqual(readWith("wrong-transfer-id", prepared), { transferId: prepared.transferId + 1n });
  assert.partialDeepStrictEqual(readWith("locked-short", prepared), { lockedAmount: 99n });
  assert.partialDeepStrictEqual(readWith("another-amount", finalized), { committedAmount: 99n });
  assert.partialDeepStrictEqual(readWith("older-change", update), { lastChangeTs: plusSeconds(START, -DAY) });
  assert.partialDeepStrictEqual(readWith("expired-ttl", update), { ts: plusSeconds(START, -8 * DAY) });
  assert.partialDeepStrictEqual(readWith("empty-account-id", update), { accountId: "" });
  assert.partialDeepStrictEqual(readWith("no-note-bytes", update), { transferNoteMaxBytes: 0 });
  assert.partialDeepStrictEqual(readWith("extra-field", update), { accountId: "0" });
  assert.throws(() => readWith("not-utf8", update));
});

test("an unknown field is in the body", () => {
  const [outbound] = createFaultInjector([once("AccountUpdate", "extra-field")]).onSent(update);

  assert.match(outbound!.body.toString(), /,"sandbox_extra":\{"unknown":\[1,2\.5,null\]\}\}$/);
});

test("the same seed gives the same faults, another seed gives others", () => {
  const run = (seed: number) => {
    const injector = createFaultInjector(allFaults(0.1), seed);
    return Array.from({ length: 200 }, () => injector.onSent(prepared).map(({ body }) => body.toString("latin1")));
  };

  assert.deepEqual(run(7), run(7));
  assert.notDeepEqual(run(7), run(8));
});

test("faults occur about as often as their probability says", () => {
  const injector = createFaultInjector([{ type: "AccountUpdate", kind: "drop", frequency: { probability: 0.1 } }], 3);
  const dropped = Array.from({ length: 10_000 }, () => injector.onSent(update).length).filter((n) => n === 0).length;

  assert.ok(dropped > 900 && dropped < 1100, `${dropped} of 10000`);
});

test("faults are parsed from text", () => {
  assert.deepEqual(parseFaults("AccountUpdate:drop@0.25"), [
    { type: "AccountUpdate", kind: "drop", frequency: { probability: 0.25 } },
  ]);
  assert.deepEqual(parseFaults("PrepareTransfer:reject:TOO_MANY_TRANSFERS#3"), [
    { type: "PrepareTransfer", kind: "reject", argument: "TOO_MANY_TRANSFERS", frequency: { count: 3 } },
  ]);
  assert.deepEqual(parseFaults("ConfigureAccount:reject#1"), [
    { type: "ConfigureAccount", kind: "reject", argument: "NO_CONNECTION_TO_DEBTOR", frequency: { count: 1 } },
  ]);
  assert.deepEqual(parseFaults("all@0.1"), allFaults(0.1));
});

for (const text of [
  "",
  "drop@0.1",
  "AccountUpdate:drop",
  "AccountUpdate:drop@1.1",
  "AccountUpdate:locked-short@0.1",
  "AccountUpdate:constructor@0.1",
  "constructor:drop@0.1",
  "AccountUpdate:delay:soon@0.1",
  "all#1",
]) {
  test(`"${text}" is not a fault`, () => {
    assert.throws(() => parseFaults(text), RangeError);
  });
}

const configuration = encodeConfigureAccount({
  debtorId: DEBTOR,
  ts: START,
  seqnum: 1,
  negligibleAmount: 1000,
  configData: "",
  configFlags: 0,
});
const request = encodePrepareTransfer({
  debtorId: DEBTOR,
  coordinatorRequestId: REQUEST,
  amount: 100n,
  recipient: "17",
  ts: START,
});

test("received messages can be lost, processed twice and rejected, and the money still adds up", async () => {
  const faults = createFaultInjector([
    once("ConfigureAccount", "reject", "NO_CONNECTION_TO_DEBTOR"),
    once("PrepareTransfer", "repeat"),
    once("FinalizeTransfer", "drop"),
  ]);
  await using fixture = await createFixture({ faults });

  await fixture.deliver(configuration);
  assert.partialDeepStrictEqual(fixture.take(), [
    { type: "RejectedConfig", rejectionCode: "NO_CONNECTION_TO_DEBTOR", configSeqnum: 1 },
  ]);
  await fixture.deliver(configuration, request);
  const answers = fixture.take();
  assert.deepEqual(
    answers.map(({ type }) => type),
    ["AccountUpdate", "PreparedTransfer", "PreparedTransfer"],
  );
  const commit = commitOf(answers[1] as PreparedTransfer);
  await fixture.deliver(commit);
  assert.deepEqual(fixture.take(), []);
  faults.add(once("FinalizeTransfer", "late-commit"));
  await fixture.deliver(commit);
  assert.partialDeepStrictEqual(fixture.take(), [
    { statusCode: "TIMEOUT", committedAmount: 0n, totalLockedAmount: 100n },
  ]);
  faults.add(once("FinalizeTransfer", "reject", "NEWER_INTEREST_RATE"));
  await fixture.deliver(commitOf(answers[2] as PreparedTransfer));
  assert.partialDeepStrictEqual(fixture.take(), [{ statusCode: "NEWER_INTEREST_RATE", committedAmount: 0n }]);
  faults.add(once("PrepareTransfer", "reject", "SENDER_IS_UNREACHABLE"));
  await fixture.deliver(request);
  assert.partialDeepStrictEqual(fixture.take(), [{ type: "RejectedTransfer", statusCode: "SENDER_IS_UNREACHABLE" }]);
  assert.equal((await fixture.holders.balances(DEBTOR)).circulation, 0n);
});

const commitOf = (transfer: PreparedTransfer) =>
  encodeFinalizeTransfer({
    debtorId: DEBTOR,
    creditorId: 0n,
    transferId: transfer.transferId,
    coordinatorId: transfer.coordinatorId,
    coordinatorRequestId: transfer.coordinatorRequestId,
    committedAmount: 100n,
    transferNoteFormat: "",
    transferNote: "",
    ts: START,
  });

test("a body that is not UTF-8 is sent to the broker unchanged", async () => {
  await using fixture = await createFixture({ faults: createFaultInjector([once("AccountUpdate", "not-utf8")]) });

  await fixture.deliver(configuration);

  assert.equal(fixture.takeRaw()[0]!.body.at(-1), 0xff);
});
