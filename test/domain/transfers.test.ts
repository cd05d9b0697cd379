import assert from "node:assert/strict";
import { test } from "node:test";
import { decideCancellation } from "../../src/domain/transfer-cancellation.ts";
import { decideTransferCreation } from "../../src/domain/transfer-creation.ts";
import { activeDebtor, at, newTransfer, reservedDebtor, runningTransfer } from "./records.ts";

const NOW = at("2026-03-05T00:00:00Z");

test("a new transfer begins now, and is counted as an action and as a transfer", () => {
  const debtor = activeDebtor({ runningTransfersCount: 2, actionsCount: 4 });
  const decision = decideTransferCreation(newTransfer(), undefined, debtor, 5, NOW);

  const { coordinatorRequestId: _, ...transfer } = runningTransfer({ initiatedAt: NOW });
  assert.deepEqual(decision, {
    action: "create",
    debtor: { ...debtor, runningTransfersCount: 3, actionsCount: 5 },
    transfer,
  });
});

test("a repetition is recognized before activity and limits are checked", () => {
  for (const debtor of [undefined, reservedDebtor(), activeDebtor({ actionsCount: 10 })]) {
    const decision = decideTransferCreation(newTransfer(), runningTransfer(), debtor, 0, NOW);
    assert.deepEqual(decision, { action: "repeat" });
  }
});

test("a transfer that differs in anything is a conflict", () => {
  for (const difference of [
    { amount: 1001n },
    { recipientUri: "swpt:1/!MTExMQ==" },
    { transferNoteFormat: "f" },
    { transferNote: "n" },
  ]) {
    const decision = decideTransferCreation(newTransfer(difference), runningTransfer(), activeDebtor(), 10, NOW);
    assert.deepEqual(decision, { action: "reject", code: "TRANSFER_CONFLICT" });
  }
});

test("only an active debtor creates transfers, however high the limit", () => {
  for (const debtor of [undefined, reservedDebtor(), activeDebtor({ statusFlags: 3 })]) {
    const decision = decideTransferCreation(newTransfer(), undefined, debtor, 0, NOW);
    assert.deepEqual(decision, { action: "reject", code: "DEBTOR_NOT_ACTIVE" });
  }
});

test("beyond the monthly limit of actions a transfer is rejected", () => {
  const decision = decideTransferCreation(newTransfer(), undefined, activeDebtor({ actionsCount: 10 }), 10, NOW);
  assert.deepEqual(decision, { action: "reject", code: "TOO_MANY_ACTIONS" });
});

test("the number of undeleted transfers is limited to the number of actions in a month", () => {
  const decide = (runningTransfersCount: number) =>
    decideTransferCreation(newTransfer(), undefined, activeDebtor({ runningTransfersCount }), 10, NOW);

  assert.equal(decide(9).action, "create");
  assert.deepEqual(decide(10), { action: "reject", code: "TOO_MANY_TRANSFERS" });
});

test("a transfer that is not settled can be canceled", () => {
  const decision = decideCancellation(runningTransfer(), NOW);
  assert.deepEqual(decision, {
    action: "finalize",
    transfer: runningTransfer({ finalizedAt: NOW, errorCode: "CANCELED_BY_THE_SENDER" }),
  });
});

test("canceling a failed transfer does not change it", () => {
  const failed = runningTransfer({ finalizedAt: NOW, errorCode: "TIMEOUT", totalLockedAmount: 5n });
  assert.deepEqual(decideCancellation(failed, at("2026-03-06T00:00:00Z")), { action: "repeat", transfer: failed });
});

test("a settled transfer cannot be canceled, even if it has failed since", () => {
  for (const transfer of [
    runningTransfer({ transferId: 7n }),
    runningTransfer({ transferId: 7n, finalizedAt: NOW }),
    runningTransfer({ transferId: 7n, finalizedAt: NOW, errorCode: "TIMEOUT" }),
  ]) {
    assert.deepEqual(decideCancellation(transfer, NOW), { action: "reject", code: "TRANSFER_SETTLED" });
  }
});

test("an unknown transfer cannot be canceled", () => {
  assert.deepEqual(decideCancellation(undefined, NOW), { action: "reject", code: "TRANSFER_NOT_FOUND" });
});
