import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { capitalizeInterest, HolderError, pay } from "../../sandbox/accounting-authority/holders.ts";
import type { SentMessage, SentPreparedTransfer } from "../../sandbox/accounting-authority/sent-messages.ts";
import { INT64_MAX } from "../../src/values/int64.ts";
import { BareAuthority, configure, DEBTOR, finalize, prepare } from "./authority-fixtures.ts";

type Action =
  | { readonly kind: "configure"; readonly negligibleAmount: number; readonly configFlags: number }
  | { readonly kind: "prepare"; readonly min: bigint; readonly extra: bigint; readonly recipient: number }
  | { readonly kind: "finalize"; readonly which: number; readonly amount: bigint | "all" }
  | { readonly kind: "pay"; readonly from: bigint; readonly to: bigint; readonly amount: bigint }
  | { readonly kind: "interest"; readonly to: bigint; readonly amount: bigint }
  | { readonly kind: "pass"; readonly days: number };

const amount = fc.oneof(fc.bigInt(0n, 20n), fc.bigInt(0n, INT64_MAX / 2n));
const person = fc.bigInt(0n, 3n);
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    kind: fc.constant("configure" as const),
    negligibleAmount: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constant(1e30)),
    configFlags: fc.integer({ min: 0, max: 1 }),
  }),
  fc.record({
    kind: fc.constant("prepare" as const),
    min: amount,
    extra: amount,
    recipient: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({
    kind: fc.constant("finalize" as const),
    which: fc.nat(30),
    amount: fc.oneof({ arbitrary: fc.constant("all" as const), weight: 3 }, amount),
  }),
  fc.record({ kind: fc.constant("pay" as const), from: person, to: person, amount }),
  fc.record({ kind: fc.constant("interest" as const), to: person, amount: fc.bigInt(-20n, 20n) }),
  fc.record({ kind: fc.constant("pass" as const), days: fc.integer({ min: 1, max: 60 }) }),
);

function perform(authority: BareAuthority, prepared: SentPreparedTransfer[], step: number, what: Action): void {
  const remember = (messages: readonly SentMessage[]): void => {
    for (const message of messages) if (message.type === "PreparedTransfer") prepared.push(message);
  };
  const unlessRefused = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof HolderError)) throw error;
    }
  };
  switch (what.kind) {
    case "configure":
      authority.send(configure({ ...what, type: "ConfigureAccount", ts: authority.now, seqnum: step }));
      return;
    case "prepare": {
      const maxLockedAmount = what.min + what.extra;
      remember(authority.send(prepare(what.min, { maxLockedAmount, recipient: String(what.recipient) })));
      return;
    }
    case "finalize": {
      const transfer = prepared[what.which % Math.max(prepared.length, 1)];
      if (transfer) authority.send(finalize(transfer, what.amount === "all" ? transfer.lockedAmount : what.amount));
      return;
    }
    case "pay":
      unlessRefused(() => {
        const payment = { debtorId: DEBTOR, sender: what.from, recipient: what.to, amount: what.amount };
        pay(authority.ledger, payment, authority.stepContext());
      });
      return;
    case "interest":
      unlessRefused(() => {
        const interest = { debtorId: DEBTOR, creditorId: what.to, amount: what.amount };
        capitalizeInterest(authority.ledger, interest, authority.stepContext());
      });
      return;
    case "pass":
      authority.pass(what.days * 86_400);
      authority.scan();
  }
}

test("after any events no money is created or lost, no holder has a negative balance, and the locks are those of the prepared transfers", () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 20, maxLength: 60 }), (actions) => {
      const authority = new BareAuthority();
      const prepared: SentPreparedTransfer[] = [];
      authority.send(configure({ seqnum: -1 }));
      for (const [step, what] of actions.entries()) {
        perform(authority, prepared, step, what);
        const accounts = authority.ledger.accounts();
        const transfers = authority.ledger.transfers();
        const sumOf = (numbers: bigint[]): bigint => numbers.reduce((sum, number) => sum + number, 0n);
        assert.equal(sumOf(accounts.map(({ principal }) => principal)), 0n);
        assert.ok(accounts.every(({ creditorId, principal }) => creditorId === 0n || principal >= 0n));
        assert.equal(authority.root()?.totalLockedAmount ?? 0n, sumOf(transfers.map((t) => t.lockedAmount)));
        assert.equal(authority.root()?.pendingTransfersCount ?? 0, transfers.length);
        authority.ledger.assertMoneyIsConserved();
      }
    }),
    { numRuns: 300 },
  );
});
