import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { RunningTransfer } from "../../src/domain/running-transfer.ts";
import { decideCancellation } from "../../src/domain/transfer-cancellation.ts";
import {
  decideFinalizedTransfer,
  decidePreparedTransfer,
  decideRejectedTransfer,
} from "../../src/domain/transfer-messages.ts";
import type { FinalizedTransfer, PreparedTransfer, RejectedTransfer } from "../../src/messages/incoming.ts";
import { parseSample } from "../messages/sample-messages.ts";
import { at, runningTransfer, THEN } from "./records.ts";

const now = at("2026-11-23T10:00:00.123456Z");

const keyOf = (transfer: RunningTransfer) => ({
  debtorId: transfer.debtorId,
  creditorId: 0n,
  coordinatorId: transfer.debtorId,
  coordinatorRequestId: transfer.coordinatorRequestId,
});

const preparedFor = (transfer: RunningTransfer, changes: Partial<PreparedTransfer> = {}): PreparedTransfer => ({
  ...parseSample("PreparedTransfer"),
  ...keyOf(transfer),
  transferId: 7n,
  lockedAmount: transfer.amount,
  recipient: transfer.recipient,
  ...changes,
});

const rejectedFor = (transfer: RunningTransfer, changes: Partial<RejectedTransfer> = {}): RejectedTransfer => ({
  ...parseSample("RejectedTransfer"),
  ...keyOf(transfer),
  statusCode: "INSUFFICIENT_AVAILABLE_AMOUNT",
  totalLockedAmount: 5n,
  ...changes,
});

const finalizedFor = (transfer: RunningTransfer, changes: Partial<FinalizedTransfer> = {}): FinalizedTransfer => ({
  ...parseSample("FinalizedTransfer"),
  ...keyOf(transfer),
  transferId: transfer.transferId ?? 7n,
  committedAmount: transfer.amount,
  statusCode: "OK",
  totalLockedAmount: 5n,
  ...changes,
});

const noted = { transferNoteFormat: "-", transferNote: "Thank you!" };
const settledTransfer = (changes: Partial<RunningTransfer> = {}) => runningTransfer({ transferId: 7n, ...changes });
const canceledTransfer = () => runningTransfer({ finalizedAt: THEN, errorCode: "CANCELED_BY_THE_SENDER" });

describe("a PreparedTransfer", () => {
  test("settles the transfer it matches, and commits the whole amount with the note", () => {
    const transfer = runningTransfer(noted);
    assert.deepEqual(decidePreparedTransfer(transfer, preparedFor(transfer), now), {
      action: "commit",
      transfer: { ...transfer, transferId: 7n },
      message: { ...keyOf(transfer), transferId: 7n, committedAmount: 1000n, ...noted, ts: now },
    });
  });

  test("commits no more than the amount, even when more is locked", () => {
    const transfer = runningTransfer();
    const decision = decidePreparedTransfer(transfer, preparedFor(transfer, { lockedAmount: 1001n }), now);
    assert.equal(decision.action, "commit");
    assert.equal(decision.message.committedAmount, 1000n);
  });

  test("is answered in the same way when it is repeated, finalized or not", () => {
    for (const finalizedAt of [null, THEN]) {
      const transfer = settledTransfer({ ...noted, finalizedAt });
      const decision = decidePreparedTransfer(transfer, preparedFor(transfer), now);
      assert.ok(decision.action === "commit");
      assert.equal(decision.transfer, transfer);
      assert.equal(decision.message.committedAmount, 1000n);
    }
  });

  test("may have the transfer ID 0", () => {
    const transfer = runningTransfer();
    const decision = decidePreparedTransfer(transfer, preparedFor(transfer, { transferId: 0n }), now);
    assert.ok(decision.action === "commit");
    assert.equal(decision.transfer.transferId, 0n);
    assert.equal(decidePreparedTransfer(decision.transfer, preparedFor(transfer), now).action, "dismiss");
  });

  test("is dismissed, with its own IDs, when it does not match", () => {
    const transfer = runningTransfer(noted);
    const mismatches: Partial<PreparedTransfer>[] = [
      { debtorId: 2n },
      { creditorId: 1n },
      { recipient: "other" },
      { lockedAmount: 999n },
    ];
    for (const mismatch of mismatches) {
      const prepared = preparedFor(transfer, mismatch);
      assert.deepEqual(decidePreparedTransfer(transfer, prepared, now), {
        action: "dismiss",
        message: {
          debtorId: prepared.debtorId,
          creditorId: prepared.creditorId,
          transferId: 7n,
          coordinatorId: 1n,
          coordinatorRequestId: transfer.coordinatorRequestId,
          committedAmount: 0n,
          transferNoteFormat: "",
          transferNote: "",
          ts: now,
        },
      });
    }
  });

  test("is dismissed when the transfer is unknown, canceled, or settled by another message", () => {
    const transfers = [undefined, canceledTransfer(), settledTransfer({ transferId: 8n })];
    for (const transfer of transfers) {
      const decision = decidePreparedTransfer(transfer, preparedFor(runningTransfer()), now);
      assert.equal(decision.action, "dismiss");
      assert.equal(decision.message.committedAmount, 0n);
    }
  });

  test("that repeats a settled transfer's ID, but does not match, is dismissed", () => {
    const transfer = settledTransfer();
    assert.equal(decidePreparedTransfer(transfer, preparedFor(transfer, { recipient: "x" }), now).action, "dismiss");
  });
});

describe("a RejectedTransfer", () => {
  test("finalizes the transfer with its status code, which may be empty, and its total locked amount", () => {
    for (const transfer of [runningTransfer(), settledTransfer()]) {
      for (const statusCode of ["INSUFFICIENT_AVAILABLE_AMOUNT", ""]) {
        assert.deepEqual(decideRejectedTransfer(transfer, rejectedFor(transfer, { statusCode }), now), {
          action: "finalize",
          transfer: { ...transfer, finalizedAt: now, errorCode: statusCode, totalLockedAmount: 5n },
        });
      }
    }
  });

  test("with another debtor's or creditor's ID also finalizes it, but as an unexpected error", () => {
    const transfer = runningTransfer();
    for (const mismatch of [{ debtorId: 2n }, { creditorId: 1n }]) {
      assert.deepEqual(decideRejectedTransfer(transfer, rejectedFor(transfer, mismatch), now), {
        action: "finalize",
        transfer: { ...transfer, finalizedAt: now, errorCode: "UNEXPECTED_ERROR", totalLockedAmount: null },
      });
    }
  });

  test("of an unknown or finalized transfer is ignored", () => {
    const rejected = rejectedFor(runningTransfer());
    assert.equal(decideRejectedTransfer(undefined, rejected, now).action, "ignore");
    assert.equal(decideRejectedTransfer(canceledTransfer(), rejected, now).action, "ignore");
  });
});

describe("a FinalizedTransfer", () => {
  test("with the whole amount is a success", () => {
    for (const transfer of [settledTransfer(), settledTransfer({ amount: 0n })]) {
      assert.deepEqual(decideFinalizedTransfer(transfer, finalizedFor(transfer), now), {
        action: "finalize",
        transfer: { ...transfer, finalizedAt: now },
      });
    }
  });

  test("with an error and no amount is that error", () => {
    const transfer = settledTransfer();
    for (const statusCode of ["TIMEOUT", ""]) {
      const finalized = finalizedFor(transfer, { statusCode, committedAmount: 0n });
      assert.deepEqual(decideFinalizedTransfer(transfer, finalized, now), {
        action: "finalize",
        transfer: { ...transfer, finalizedAt: now, errorCode: statusCode, totalLockedAmount: 5n },
      });
    }
  });

  test("with another amount is an unexpected error", () => {
    const transfer = settledTransfer();
    for (const committedAmount of [0n, 999n, 1001n]) {
      assert.deepEqual(decideFinalizedTransfer(transfer, finalizedFor(transfer, { committedAmount }), now), {
        action: "finalize",
        transfer: { ...transfer, finalizedAt: now, errorCode: "UNEXPECTED_ERROR", totalLockedAmount: null },
      });
    }
  });

  test("of another account or transfer, or of one that is not settled, is ignored", () => {
    const transfer = settledTransfer();
    for (const mismatch of [{ debtorId: 2n }, { creditorId: 1n }, { transferId: 8n }]) {
      assert.equal(decideFinalizedTransfer(transfer, finalizedFor(transfer, mismatch), now).action, "ignore");
    }
    assert.equal(decideFinalizedTransfer(undefined, finalizedFor(transfer), now).action, "ignore");
    assert.equal(decideFinalizedTransfer(runningTransfer(), finalizedFor(transfer), now).action, "ignore");
  });
});

test("any messages in any order give at most one settlement, one outcome, and commits only of the settled transfer", () => {
  const start = runningTransfer();
  const transferId = fc.constantFrom(7n, 8n);
  const message = fc.oneof(
    fc.record({ transferId, recipient: fc.constantFrom("1111", "x") }).map((changes) => preparedFor(start, changes)),
    fc.record({ statusCode: fc.constantFrom("A", "B") }).map((changes) => rejectedFor(start, changes)),
    fc
      .record({ transferId, committedAmount: fc.constantFrom(0n, 1000n), statusCode: fc.constantFrom("OK", "A") })
      .map((changes) => finalizedFor(start, changes)),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
      let transfer = start;
      for (const message of messages) {
        const before = transfer;
        if (message.type === "PreparedTransfer") {
          const decision = decidePreparedTransfer(before, message, now);
          if (decision.action === "commit") transfer = decision.transfer;
          const isSettledByThis = transfer.transferId === message.transferId && message.recipient === "1111";
          assert.equal(decision.action, isSettledByThis ? "commit" : "dismiss");
        } else {
          const decision =
            message.type === "RejectedTransfer"
              ? decideRejectedTransfer(before, message, now)
              : decideFinalizedTransfer(before, message, now);
          if (decision.action === "finalize") transfer = decision.transfer;
        }
        if (before.transferId !== null) assert.equal(transfer.transferId, before.transferId);
        if (before.finalizedAt !== null) assert.deepEqual(transfer, before);
      }
    }),
  );
});

test("a transfer never ends before it began, even when a clock has been set back", () => {
  const initiatedAt = at("2026-03-04T00:00:01Z");
  const now = at("2026-03-04T00:00:00Z");
  const transfer = runningTransfer({ initiatedAt });
  const cancellation = decideCancellation(transfer, now);
  assert.ok(cancellation.action === "finalize" && cancellation.transfer.finalizedAt === initiatedAt);
  for (const message of [rejectedFor(transfer), rejectedFor(transfer, { creditorId: 1n })]) {
    const decision = decideRejectedTransfer(transfer, message, now);
    assert.ok(decision.action === "finalize" && decision.transfer.finalizedAt === initiatedAt);
  }
  const settled = { ...transfer, transferId: 7n };
  for (const changes of [{}, { committedAmount: 0n, statusCode: "TIMEOUT" }, { committedAmount: 1n }]) {
    const decision = decideFinalizedTransfer(settled, finalizedFor(settled, { transferId: 7n, ...changes }), now);
    assert.ok(decision.action === "finalize" && decision.transfer.finalizedAt === initiatedAt);
  }
});
