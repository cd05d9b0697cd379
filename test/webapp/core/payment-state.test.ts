import assert from "node:assert/strict";
import { test } from "node:test";
import {
  deletableAt,
  isLostPost,
  nextChangeAt,
  offeredActions,
  type PaymentFacts,
  paymentState,
  TIME_OUT_MILLIS,
} from "../../../webapp/core/payment-state.ts";

const T0 = Date.parse("2026-11-26T10:00:00Z");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const draft: PaymentFacts = {
  firstTryAt: undefined,
  lastTryAt: undefined,
  isTryOpen: false,
  refusal: undefined,
  transfer: undefined,
  isGone: false,
  dismissedAt: undefined,
};
const open: PaymentFacts = { ...draft, firstTryAt: T0, lastTryAt: T0, isTryOpen: true };
const transfer = {
  initiatedAt: "2026-11-26T10:00:00.123456+00:00",
  checkupAt: "2026-11-26T10:00:20+00:00",
  result: undefined,
};
const waiting: PaymentFacts = { ...draft, transfer };
const finalized = (error?: object): PaymentFacts => ({
  ...draft,
  transfer: { ...transfer, result: { finalizedAt: "2026-11-26T10:00:05+00:00", error } },
});

test("a draft is sent, edited or discarded; while a POST is under way nothing is", () => {
  assert.equal(paymentState(draft, T0), "draft");
  assert.deepEqual(offeredActions(draft, "draft", T0), ["send", "edit", "save-file", "discard"]);
  assert.equal(paymentState(open, T0, true), "sending");
  assert.deepEqual(offeredActions(open, "sending", T0), []);
});

test("a payment without an answer is sent again with its UUID, never discarded, until it has timed out", () => {
  assert.equal(paymentState(open, T0 + 4 * DAY + 22 * HOUR - 1), "not-confirmed");
  assert.ok(!offeredActions(open, "not-confirmed", T0).includes("discard"));
  assert.equal(nextChangeAt(open, T0), T0 + 4 * DAY + 22 * HOUR);
  assert.equal(paymentState(open, T0 + 4 * DAY + 22 * HOUR), "timed-out");
  assert.ok(!offeredActions(open, "timed-out", T0).some((action) => /send|discard|retry/.test(action)));
});

test("a POST is certainly lost if a complete list was read 3,616 s later without it", () => {
  const isLost = (facts: PaymentFacts, at: number): boolean => isLostPost(facts, at, at);
  assert.ok(!isLost(open, T0 + 3_615_999));
  assert.ok(isLost(open, T0 + 3_616_000));
  assert.ok(!isLost({ ...open, isTryOpen: false }, T0 + DAY));
  assert.equal(paymentState({ ...open, isTryOpen: false }, T0 + DAY), "not-sent");
});

test("once a payment has timed out no list proves that it never reached the server", () => {
  assert.ok(isLostPost(open, T0 + TIME_OUT_MILLIS - 1, T0 + TIME_OUT_MILLIS - 1));
  assert.ok(!isLostPost(open, T0 + TIME_OUT_MILLIS, T0 + TIME_OUT_MILLIS));
  const triedAgain = { ...open, lastTryAt: T0 + 4 * DAY };
  assert.ok(!isLostPost(triedAgain, T0 + 5 * DAY, T0 + 5 * DAY));
});

test("a certain rejection leaves the payment unsent, unless an earlier try is open", () => {
  for (const status of [401, 403, 404, 413, 429]) {
    assert.equal(paymentState({ ...open, isTryOpen: false, refusal: { status } }, T0), "not-sent", String(status));
    assert.equal(paymentState({ ...open, refusal: { status } }, T0), "not-confirmed", String(status));
  }
  for (const status of [409, 422]) {
    assert.equal(paymentState({ ...open, isTryOpen: false, refusal: { status } }, T0), "refused", String(status));
  }
});

test("a first try in the future says that the clock was changed: nothing is repeated then", () => {
  assert.equal(paymentState(open, T0 - HOUR), "not-confirmed");
  assert.equal(paymentState(open, T0 - HOUR - 1), "timed-out");
});

test("a transfer waits, is delayed after 24 hours, and may be cancelled after its check-up", () => {
  assert.equal(paymentState(waiting, T0 + 24 * HOUR), "waiting");
  assert.equal(paymentState(waiting, T0 + 24 * HOUR + 124), "delayed");
  assert.ok(!offeredActions(waiting, "waiting", T0 + 19_999).includes("cancel"));
  assert.ok(offeredActions(waiting, "waiting", T0 + 20_000).includes("cancel"));
  assert.equal(nextChangeAt(waiting, T0), T0 + 20_000);
});

test("a result without error is done whatever was committed; one with an error has failed, even without a code", () => {
  assert.equal(paymentState(finalized(), T0), "done");
  assert.equal(paymentState(finalized({ errorCode: "" }), T0), "failed");
  assert.deepEqual(offeredActions(finalized({}), "failed", T0), ["retry", "dismiss", "save-file"]);
});

test("nothing is deleted at the server too early, and nothing without a result", () => {
  assert.equal(deletableAt(waiting, 0), undefined);
  assert.equal(deletableAt(finalized(), 15 * DAY), T0 + 5000 + 15 * DAY);
  assert.equal(deletableAt(finalized(), DAY), T0 + 5000 + 5 * DAY);
  assert.equal(deletableAt(finalized({}), 15 * DAY), undefined);
  assert.equal(deletableAt({ ...finalized({}), dismissedAt: T0 }, 15 * DAY), T0 + 123 + 5 * DAY);
  assert.equal(deletableAt({ ...finalized(), isGone: true }, 0), undefined);
});
