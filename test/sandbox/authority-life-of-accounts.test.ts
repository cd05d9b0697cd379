import assert from "node:assert/strict";
import { test } from "node:test";
import { capitalizeInterest, createHolder, HolderError, pay } from "../../sandbox/accounting-authority/holders.ts";
import { createAccount } from "../../sandbox/accounting-authority/records.ts";
import { dateOf, plusSeconds } from "../../src/values/timestamp.ts";
import { ALICE, BareAuthority, BOB, configure, DAY, DEBTOR, finalize, START } from "./authority-fixtures.ts";

const DISCARDED = { configFlags: 1, negligibleAmount: 1e30 };

function givenIssued(amount: bigint): BareAuthority {
  const authority = new BareAuthority();
  authority.send(configure());
  authority.send(finalize(authority.lock(amount), amount));
  authority.pass(1);
  authority.scan();
  return authority;
}

test("a heartbeat repeats the last update with a new timestamp after seven days", () => {
  const authority = new BareAuthority();
  const [update] = authority.send(configure());

  authority.pass(7 * DAY - 1);
  assert.deepEqual(authority.scan(), []);
  authority.pass(1);
  assert.deepEqual(authority.scan(), [{ ...update, ts: authority.now }]);
  assert.deepEqual(authority.scan(), []);
});

test("a deactivated debtor with principal 0 has no heartbeats, then come the final update and the purge", () => {
  const authority = new BareAuthority();
  authority.send(configure());
  authority.send(configure({ seqnum: 2, configFlags: 1 }));
  const answers = authority.send(configure({ ts: plusSeconds(START, 1), seqnum: 0, ...DISCARDED }));
  assert.partialDeepStrictEqual(answers, [{ type: "AccountUpdate", ...DISCARDED }]);

  const final = authority.scan();
  assert.partialDeepStrictEqual(final, [{ type: "AccountUpdate", principal: 0n, lastChangeSeqnum: 4, ...DISCARDED }]);
  authority.pass(106 * DAY - 1);
  assert.deepEqual(authority.scan(), []);
  authority.pass(1);
  assert.deepEqual(authority.scan(), [
    { type: "AccountPurge", debtorId: DEBTOR, creditorId: 0n, creationDate: dateOf(START), ts: authority.now },
  ]);
  assert.equal(authority.root(), undefined);
});

test("the account of a deactivated debtor with money in circulation stays, with heartbeats and no purge", () => {
  const authority = givenIssued(100n);
  authority.send(configure({ seqnum: 2, ...DISCARDED }));

  for (let week = 0; week < 20; week++) {
    authority.pass(7 * DAY);
    assert.partialDeepStrictEqual(authority.scan(), [{ type: "AccountUpdate", principal: -100n }]);
  }
  assert.equal(authority.root().isDeleted, false);
});

test("deleting an account is retried after 14 days, not before", () => {
  const authority = givenIssued(100n);
  authority.send(configure({ seqnum: 2, ...DISCARDED }));
  authority.scan();
  pay(authority.ledger, { debtorId: DEBTOR, sender: ALICE, recipient: 0n, amount: 100n }, authority.stepContext());

  authority.pass(14 * DAY - 1);
  authority.scan();
  assert.equal(authority.root().isDeleted, false);
  authority.pass(1);
  authority.scan();
  assert.equal(authority.root().isDeleted, true);
});

test("a deleted account comes back with a later configuration", () => {
  const authority = new BareAuthority();
  authority.send(configure(DISCARDED));
  authority.scan();
  assert.equal(authority.root().isDeleted, true);

  const [update] = authority.send(configure({ seqnum: 2 }));

  assert.partialDeepStrictEqual(update, { type: "AccountUpdate", lastChangeSeqnum: 3, configFlags: 0 });
  assert.equal(authority.root().isDeleted, false);
  assert.equal(authority.root().purgeAt, null);
});

test("paying back raises the root principal, of which the agent is notified later", () => {
  const authority = givenIssued(100n);

  const atOnce = pay(
    authority.ledger,
    { debtorId: DEBTOR, sender: ALICE, recipient: 0n, amount: 30n },
    authority.stepContext(),
  );
  authority.pass(1);

  assert.deepEqual(atOnce, []);
  assert.equal(authority.root().principal, -70n);
  assert.equal(authority.balance(ALICE), 70n);
  assert.partialDeepStrictEqual(authority.scan(), [{ type: "AccountUpdate", principal: -70n, lastChangeSeqnum: 3 }]);
});

test("a payment to a deleted root account restores it, with an update at once", () => {
  const authority = new BareAuthority();
  authority.givenRoot({ ...DISCARDED, isDeleted: true, purgeAt: plusSeconds(START, DAY), lastChangeSeqnum: 7 });
  authority.ledger.saveAccount({ ...createAccount(DEBTOR, ALICE, START), principal: 30n });

  const messages = pay(
    authority.ledger,
    { debtorId: DEBTOR, sender: ALICE, recipient: 0n, amount: 30n },
    authority.stepContext(),
  );

  assert.partialDeepStrictEqual(messages, [
    { type: "AccountUpdate", principal: 30n, lastChangeSeqnum: 8, ...DISCARDED },
  ]);
  assert.equal(authority.root().isDeleted, false);
});

test("a payment to a purged root account creates it again, with an empty first update; the agent then has it discarded", () => {
  const authority = new BareAuthority();
  authority.ledger.saveAccount({ ...createAccount(DEBTOR, ALICE, START), principal: 30n });

  const messages = pay(
    authority.ledger,
    { debtorId: DEBTOR, sender: ALICE, recipient: 0n, amount: 30n },
    authority.stepContext(),
  );
  const answer = authority.send(configure({ seqnum: 0, ...DISCARDED }));

  assert.partialDeepStrictEqual(messages, [
    { type: "AccountUpdate", principal: 0n, lastChangeSeqnum: 0, negligibleAmount: 0, lastConfigTs: 0n },
  ]);
  assert.partialDeepStrictEqual(answer, [
    { type: "AccountUpdate", principal: 30n, lastChangeSeqnum: 2, negligibleAmount: 1e30, configFlags: 1 },
  ]);
  authority.pass(DAY);
  assert.deepEqual(authority.scan(), []);
});

test("holders pay each other, and the amount in circulation stays", () => {
  const authority = givenIssued(100n);
  createHolder(authority.ledger, DEBTOR, BOB, authority.stepContext());

  pay(authority.ledger, { debtorId: DEBTOR, sender: ALICE, recipient: BOB, amount: 40n }, authority.stepContext());

  assert.equal(authority.balance(ALICE), 60n);
  assert.equal(authority.balance(BOB), 40n);
  assert.equal(authority.root().principal, -100n);
});

test("positive interest lowers the root principal, negative interest raises it", () => {
  const authority = givenIssued(100n);
  const capitalize = (amount: bigint) =>
    capitalizeInterest(authority.ledger, { debtorId: DEBTOR, creditorId: ALICE, amount }, authority.stepContext());

  capitalize(5n);
  assert.equal(authority.root().principal, -105n);
  capitalize(-20n);
  assert.equal(authority.root().principal, -85n);
  assert.equal(authority.balance(ALICE), 85n);
  assert.throws(() => capitalize(-86n), HolderError);
});

test("an impossible payment is rejected", () => {
  const authority = givenIssued(100n);
  const rejected = (sender: bigint, recipient: bigint, amount: bigint) =>
    assert.throws(
      () => pay(authority.ledger, { debtorId: DEBTOR, sender, recipient, amount }, authority.stepContext()),
      HolderError,
    );

  rejected(ALICE, 0n, 101n);
  rejected(ALICE, 0n, 0n);
  rejected(ALICE, 0n, -1n);
  rejected(ALICE, ALICE, 1n);
  rejected(ALICE, BOB, 1n);
  rejected(BOB, ALICE, 1n);
  rejected(0n, ALICE, 1n);
  assert.throws(() => createHolder(authority.ledger, DEBTOR, ALICE, authority.stepContext()), HolderError);
  assert.throws(() => createHolder(authority.ledger, DEBTOR, 0n, authority.stepContext()), HolderError);
});
