import assert from "node:assert/strict";
import { test } from "node:test";
import { decideActivation, decideDeactivation, reserve } from "../../src/domain/activation.ts";
import { CONFIG_SCHEDULED_FOR_DELETION, isActive } from "../../src/domain/debtor.ts";
import { activeDebtor, at, reservedDebtor, THEN } from "./records.ts";

const NOW = at("2026-05-06T07:08:09.000001Z");

test("a new reservation is not active, and allows any negative balance", () => {
  const debtor = reserve(-5n, NOW);

  assert.equal(isActive(debtor), false);
  assert.equal(debtor.minBalance, -(2n ** 63n));
  assert.equal(debtor.configLatestUpdateId, 1n);
  assert.equal(debtor.createdAt, NOW);
  assert.equal(debtor.actionsCountResetDate, "2026-05-06");
});

test("the right reservation ID activates the debtor and tells the accounting authority", () => {
  const decision = decideActivation(reservedDebtor(), "9007199254740993", NOW);

  assert.equal(decision.action, "activate");
  assert.equal(decision.action === "activate" && isActive(decision.debtor), true);
  assert.deepEqual(decision.action === "activate" && decision.message, {
    debtorId: 1n,
    ts: NOW,
    seqnum: 1,
    negligibleAmount: 2 ** 63,
    configData: "",
    configFlags: 0,
  });
});

test("a reservation ID is opaque text: another spelling of the number is wrong", () => {
  for (const text of [
    "",
    "wrong",
    "09007199254740993",
    "+9007199254740993",
    " 9007199254740993",
    "9007199254740993\n",
  ]) {
    const decision = decideActivation(reservedDebtor(), text, NOW);
    assert.deepEqual(decision, { action: "reject", code: "INVALID_RESERVATION" }, JSON.stringify(text));
  }
});

test("for a debtor that is not reserved every reservation ID is wrong", () => {
  assert.deepEqual(decideActivation(undefined, "1", NOW), { action: "reject", code: "INVALID_RESERVATION" });
});

test("a row without a reservation ID cannot be activated by one", () => {
  const decision = decideActivation(reservedDebtor({ reservationId: null }), "null", NOW);
  assert.deepEqual(decision, { action: "reject", code: "INVALID_RESERVATION" });
});

test("a repeated activation changes nothing, even after the deactivation", () => {
  const deactivated = activeDebtor({ statusFlags: 3, deactivationDate: "2026-03-05" as never });
  for (const debtor of [activeDebtor(), deactivated]) {
    assert.deepEqual(decideActivation(debtor, "9007199254740993", NOW), { action: "repeat", debtor });
  }
});

test("a wrong reservation ID of a debtor that has been activated is a conflict", () => {
  for (const debtor of [activeDebtor(), activeDebtor({ statusFlags: 3 })]) {
    assert.deepEqual(decideActivation(debtor, "1", NOW), { action: "reject", code: "DEBTOR_EXISTS" });
  }
});

test("a deactivation empties the configuration and keeps the update ID and the minimum balance", () => {
  const debtor = activeDebtor({
    configData: "{}",
    configLatestUpdateId: 7n,
    configError: "ERROR",
    debtorInfoIri: "https://example.com/",
    minBalance: -5n,
    runningTransfersCount: 3,
  });
  const decision = decideDeactivation(debtor, NOW);

  assert.equal(decision.action, "deactivate");
  assert.deepEqual(decision.action === "deactivate" && decision.debtor, {
    ...debtor,
    statusFlags: 3,
    deactivationDate: "2026-05-06",
    runningTransfersCount: 0,
    configFlags: CONFIG_SCHEDULED_FOR_DELETION,
    configData: "",
    configError: null,
    debtorInfoIri: null,
    isConfigEffectual: true,
    lastConfigTs: NOW,
    lastConfigSeqnum: 2,
  });
  assert.deepEqual(decision.action === "deactivate" && decision.message, {
    debtorId: 1n,
    ts: NOW,
    seqnum: 2,
    negligibleAmount: 5,
    configData: "",
    configFlags: 1,
  });
});

test("only an active debtor can be deactivated", () => {
  for (const debtor of [undefined, reservedDebtor(), activeDebtor({ statusFlags: 3 })]) {
    assert.deepEqual(decideDeactivation(debtor, THEN), { action: "ignore" });
  }
});
