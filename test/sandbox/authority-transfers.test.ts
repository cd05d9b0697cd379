import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "../../sandbox/accounting-authority/sent-messages.ts";
import { parseMessage } from "../../src/messages/parse.ts";
import { INT32_MAX, INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { plusSeconds } from "../../src/values/timestamp.ts";
import {
  ALICE,
  BareAuthority,
  configure,
  DAY,
  DEBTOR,
  finalize,
  prepare,
  REQUEST,
  START,
} from "./authority-fixtures.ts";

function givenDebtor(negligibleAmount = 9.223372e18, configData = ""): BareAuthority {
  const authority = new BareAuthority();
  authority.send(configure({ negligibleAmount, configData }));
  return authority;
}

test("issuing 100 to a holder: prepared, finalized, transferred, and reported later by exactly one update", () => {
  const authority = givenDebtor();

  const prepared = authority.lock(100n);
  const finalized = authority.send(finalize(prepared, 100n));
  const atOnce = authority.scan();
  authority.pass(1);
  const later = authority.scan();
  authority.pass(1);
  const afterwards = authority.scan();

  assert.partialDeepStrictEqual(prepared, {
    lockedAmount: 100n,
    recipient: "17",
    coordinatorType: "issuing",
    coordinatorId: DEBTOR,
    coordinatorRequestId: REQUEST,
    preparedAt: START,
    ts: START,
    deadline: plusSeconds(START, 90 * DAY),
  });
  assert.equal(finalized.length, 1);
  assert.partialDeepStrictEqual(finalized[0], {
    type: "FinalizedTransfer",
    statusCode: "OK",
    committedAmount: 100n,
    totalLockedAmount: 0n,
    transferId: prepared.transferId,
    preparedAt: START,
  });
  assert.equal(authority.root().principal, -100n);
  assert.equal(authority.balance(ALICE), 100n);
  assert.deepEqual(atOnce, []);
  assert.equal(later.length, 1);
  assert.partialDeepStrictEqual(later[0], { type: "AccountUpdate", principal: -100n, lastChangeSeqnum: 2, ts: START });
  assert.deepEqual(afterwards, []);
});

for (const [negligibleAmount, most] of [
  [123_456_789, 123_457_000n],
  [123_455_400, 123_455_000n],
  [999_999.5, 1_000_000n],
  [1000, 1000n],
  [1_000_005, 1_000_000n],
  [1_000_015, 1_000_020n],
  [74_635_747_328, 74_635_700_000n],
  [0.5, 0n],
  [0.99999988, 1n],
  [9.223372e18, 9_223_370_000_000_000_000n],
] as const) {
  test(`a limit of ${negligibleAmount} allows ${most}: the authority applies it with six significant digits`, () => {
    const authority = givenDebtor(negligibleAmount);

    assert.equal(authority.send(prepare(most + 1n))[0]!.type, "RejectedTransfer");
    assert.equal(authority.send(prepare(most))[0]!.type, "PreparedTransfer");
  });
}

test("the answer to the next configuration reports a new balance, and the scan has nothing to add", () => {
  const authority = givenDebtor();
  authority.send(finalize(authority.lock(100n), 100n));

  const [update] = authority.send(configure({ seqnum: 2 }));
  authority.pass(5);

  assert.partialDeepStrictEqual(update, { type: "AccountUpdate", principal: -100n, lastChangeSeqnum: 3 });
  assert.deepEqual(authority.scan(), []);
});

test("transfer IDs begin with the day of the account's creation, far above 2^53", () => {
  const authority = givenDebtor();

  const days = BigInt(Date.UTC(2026, 10, 24) / 86_400_000);
  assert.equal(authority.lock(1n).transferId, (days << 40n) + 1n);
  assert.equal(authority.lock(1n).transferId, (days << 40n) + 2n);
});

test("the amount 0 is prepared with a lock of 0 and finalized without a change", () => {
  const authority = givenDebtor();
  const before = authority.root();

  const prepared = authority.lock(0n);
  const [finalized] = authority.send(finalize(prepared, 0n));

  assert.equal(prepared.lockedAmount, 0n);
  assert.partialDeepStrictEqual(finalized, { statusCode: "OK", committedAmount: 0n });
  assert.equal(authority.root().lastChangeSeqnum, before.lastChangeSeqnum);
  assert.equal(authority.root().updateDueAt, null);
});

test("two equal requests make two locks, of which one is committed and one dismissed: issued once", () => {
  const authority = givenDebtor();
  const [first, second] = [authority.lock(100n), authority.lock(100n)];

  authority.send(finalize(first, 100n));
  const [dismissed] = authority.send(finalize(second, 0n));

  assert.notEqual(first.transferId, second.transferId);
  assert.partialDeepStrictEqual(dismissed, { statusCode: "OK", committedAmount: 0n, totalLockedAmount: 0n });
  assert.equal(authority.root().principal, -100n);
  assert.equal(authority.root().pendingTransfersCount, 0);
});

test("a transfer beyond the limit is rejected, with the total locked amount", () => {
  const authority = givenDebtor(1000);
  authority.send(finalize(authority.lock(600n), 600n));

  const [rejected] = authority.send(prepare(500n));

  assert.partialDeepStrictEqual(rejected, {
    type: "RejectedTransfer",
    statusCode: "INSUFFICIENT_AVAILABLE_AMOUNT",
    totalLockedAmount: 0n,
    coordinatorRequestId: REQUEST,
  });
});

test("a locked amount is not available", () => {
  const authority = givenDebtor(1000);
  authority.lock(600n);

  const [rejected] = authority.send(prepare(500n));

  assert.partialDeepStrictEqual(rejected, { statusCode: "INSUFFICIENT_AVAILABLE_AMOUNT", totalLockedAmount: 600n });
});

test("a lock stays valid after the limit was lowered, but nothing more is available", () => {
  const authority = givenDebtor(1000);
  const prepared = authority.lock(600n);
  authority.send(configure({ seqnum: 2, negligibleAmount: 0 }));

  const [rejected] = authority.send(prepare(0n));
  const [finalized] = authority.send(finalize(prepared, 600n));

  assert.equal(rejected?.type, "PreparedTransfer");
  assert.partialDeepStrictEqual(finalized, { statusCode: "OK", committedAmount: 600n });
});

test("more than the locked amount can be committed if it is available", () => {
  const authority = givenDebtor(1000);
  const [first, second] = [authority.lock(100n), authority.lock(100n)];

  const [tooMuch] = authority.send(finalize(first, 1000n));
  const [justEnough] = authority.send(finalize(second, 1000n));

  assert.partialDeepStrictEqual(tooMuch, { statusCode: "INSUFFICIENT_AVAILABLE_AMOUNT", committedAmount: 0n });
  assert.partialDeepStrictEqual(justEnough, { statusCode: "OK", committedAmount: 1000n });
});

test("a limit in the configuration data applies until it is raised", () => {
  const authority = givenDebtor(9e18, '{"limit":50}');

  const [rejected] = authority.send(prepare(51n));
  authority.send(configure({ seqnum: 2, negligibleAmount: 9e18, configData: '{"limit":51}' }));

  assert.partialDeepStrictEqual(rejected, { statusCode: "INSUFFICIENT_AVAILABLE_AMOUNT" });
  assert.equal(authority.lock(51n).lockedAmount, 51n);
});

for (const [recipient, statusCode] of [
  ["0", "RECIPIENT_SAME_AS_SENDER"],
  ["abc", "RECIPIENT_IS_UNREACHABLE"],
  ["", "RECIPIENT_IS_UNREACHABLE"],
  ["-1", "RECIPIENT_IS_UNREACHABLE"],
  ["18446744073709551616", "RECIPIENT_IS_UNREACHABLE"],
  ["01", "RECIPIENT_IS_UNREACHABLE"],
] as const) {
  test(`a transfer to the recipient "${recipient}" is rejected with ${statusCode}`, () => {
    assert.partialDeepStrictEqual(givenDebtor().send(prepare(1n, { recipient })), [
      { type: "RejectedTransfer", statusCode, totalLockedAmount: 0n },
    ]);
  });
}

test("with the policy `listed` an unknown number is unreachable, with `any` it is reachable", () => {
  const authority = givenDebtor();
  authority.policy = "listed";
  assert.partialDeepStrictEqual(authority.send(prepare(1n)), [{ statusCode: "RECIPIENT_IS_UNREACHABLE" }]);

  authority.policy = "any";
  assert.equal(authority.lock(1n, { recipient: "18446744073709551615" }).recipient, "18446744073709551615");
  assert.equal(authority.balance(-1n), 0n);
});

test("a recipient that is scheduled for deletion is unreachable", () => {
  const authority = givenDebtor();
  authority.lock(1n);
  authority.ledger.saveAccount({ ...authority.ledger.findAccount(DEBTOR, ALICE)!, configFlags: 1 });

  assert.partialDeepStrictEqual(authority.send(prepare(1n)), [{ statusCode: "RECIPIENT_IS_UNREACHABLE" }]);
});

test("the issuer's own account takes money back also when it is scheduled for deletion", () => {
  const authority = givenDebtor();
  authority.send(finalize(authority.lock(5n), 5n));
  authority.ledger.saveAccount({ ...authority.root(), configFlags: 1 });

  const [answer] = authority.send(prepare(5n, { creditorId: ALICE, recipient: "0" }));

  assert.partialDeepStrictEqual(answer, { type: "PreparedTransfer", recipient: "0", lockedAmount: 5n });
});

test("a sender without a configured account is unreachable", () => {
  assert.partialDeepStrictEqual(new BareAuthority().send(prepare(1n)), [
    { statusCode: "SENDER_IS_UNREACHABLE", totalLockedAmount: 0n },
  ]);
});

test("an account can have 2^31-1 pending transfers, not more", () => {
  const authority = givenDebtor();
  authority.ledger.saveAccount({ ...authority.root(), pendingTransfersCount: INT32_MAX, totalLockedAmount: 7n });

  assert.partialDeepStrictEqual(authority.send(prepare(1n)), [
    { statusCode: "TOO_MANY_TRANSFERS", totalLockedAmount: 7n },
  ]);
});

test("a commit after the deadline is a TIMEOUT of 0, and moves no money", () => {
  const authority = givenDebtor();
  const prepared = authority.lock(100n, { maxCommitDelay: 60 });
  authority.pass(60.000001);

  const [finalized] = authority.send(finalize(prepared, 100n));

  assert.equal(prepared.deadline, plusSeconds(START, 60));
  assert.partialDeepStrictEqual(finalized, { statusCode: "TIMEOUT", committedAmount: 0n, totalLockedAmount: 0n });
  assert.equal(authority.root().principal, 0n);
  assert.equal(authority.balance(ALICE), 0n);
});

test("a dismissal after the deadline is OK, and releases the lock", () => {
  const authority = givenDebtor();
  const prepared = authority.lock(100n, { maxCommitDelay: 60 });
  authority.pass(61);

  const [finalized] = authority.send(finalize(prepared, 0n));

  assert.partialDeepStrictEqual(finalized, { statusCode: "OK", committedAmount: 0n, totalLockedAmount: 0n });
});

test("finalizing twice, or with other coordinator fields, gets no answer", () => {
  const authority = givenDebtor();
  const prepared = authority.lock(100n);

  assert.deepEqual(authority.send(finalize(prepared, 100n, { coordinatorRequestId: REQUEST + 1n })), []);
  assert.deepEqual(authority.send(finalize(prepared, 100n, { coordinatorType: "direct" })), []);
  assert.deepEqual(authority.send(finalize(prepared, 100n, { coordinatorId: 1n })), []);
  assert.deepEqual(authority.send(finalize(prepared, 100n, { creditorId: 1n })), []);
  assert.deepEqual(authority.send(finalize(prepared, 100n, { transferId: 1n })), []);
  assert.equal(authority.send(finalize(prepared, 100n)).length, 1);
  assert.deepEqual(authority.send(finalize(prepared, 100n)), []);
  assert.equal(authority.root().principal, -100n);
});

test("the PreparedTransfer of a pending transfer is repeated every seven days", () => {
  const authority = givenDebtor();
  const prepared = authority.lock(100n);
  const reminders = () => authority.scan().filter(({ type }) => type === "PreparedTransfer");

  authority.pass(7 * DAY - 1);
  assert.deepEqual(reminders(), []);
  authority.pass(1);
  assert.deepEqual(reminders(), [{ ...prepared, ts: authority.now }]);
  assert.deepEqual(reminders(), []);
  authority.pass(7 * DAY);
  assert.equal(reminders().length, 1);
});

test("nothing overflows when the principal is at -2^63 + 5", () => {
  const authority = new BareAuthority();
  authority.givenRoot({ principal: INT64_MIN + 5n, negligibleAmount: 1e30, lastConfigTs: START });

  const [tooMuch] = authority.send(prepare(5n));
  const prepared = authority.lock(4n);
  const [another] = authority.send(prepare(1n));
  const [finalized] = authority.send(finalize(prepared, INT64_MAX));

  assert.partialDeepStrictEqual(tooMuch, { statusCode: "INSUFFICIENT_AVAILABLE_AMOUNT" });
  assert.partialDeepStrictEqual(another, { statusCode: "INSUFFICIENT_AVAILABLE_AMOUNT", totalLockedAmount: 4n });
  assert.partialDeepStrictEqual(finalized, { statusCode: "INSUFFICIENT_AVAILABLE_AMOUNT", committedAmount: 0n });
  authority.send(finalize(authority.lock(4n), 4n));
  assert.equal(authority.root().principal, INT64_MIN + 1n);
});

test("a locked amount that no longer fits into 64 bits, as interest has come between, is not committed", () => {
  const authority = new BareAuthority();
  authority.givenRoot({ principal: INT64_MIN + 5n, negligibleAmount: 1e30, lastConfigTs: START });
  const prepared = authority.lock(4n);
  authority.ledger.saveAccount({ ...authority.root(), principal: INT64_MIN + 3n });

  const [finalized] = authority.send(finalize(prepared, 4n));

  assert.partialDeepStrictEqual(finalized, { statusCode: "INSUFFICIENT_AVAILABLE_AMOUNT", committedAmount: 0n });
  assert.equal(authority.root().principal, INT64_MIN + 3n);
});

for (const [balance, statusCode, committedAmount] of [
  [INT64_MAX - 5n, "OK", 5n],
  [INT64_MAX - 4n, "RECIPIENT_IS_UNREACHABLE", 0n],
  [INT64_MAX, "RECIPIENT_IS_UNREACHABLE", 0n],
] as const) {
  test(`a commit of 5 to a holder who has ${balance} ends with ${statusCode}`, () => {
    const authority = givenDebtor();
    const prepared = authority.lock(5n);
    authority.ledger.saveAccount({ ...authority.ledger.findAccount(DEBTOR, ALICE)!, principal: balance });

    const [finalized] = authority.send(finalize(prepared, 5n));

    assert.partialDeepStrictEqual(finalized, { statusCode, committedAmount, totalLockedAmount: 0n });
    assert.equal(authority.root().principal, -committedAmount);
    assert.equal(authority.balance(ALICE), balance + committedAmount);
  });
}

test("the agent parses every encoded transfer message", () => {
  const authority = givenDebtor(1000);
  const prepared = authority.lock(1000n);
  const messages = [prepared, ...authority.send(finalize(prepared, 1000n)), ...authority.send(prepare(1n))];

  assert.deepEqual(
    messages.map((message) => parseMessage("application/json", message.type, Buffer.from(encode(message))).type),
    ["PreparedTransfer", "FinalizedTransfer", "RejectedTransfer"],
  );
  assert.match(encode(prepared), /"demurrage_rate":-50\.0,/);
});
