import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { configure, decideConfigurationUpdate } from "../../src/domain/account-configuration.ts";
import { isLaterSeqnum } from "../../src/values/seqnum.ts";
import type { Timestamp } from "../../src/values/timestamp.ts";
import { activeDebtor, at, reservedDebtor, THEN } from "./records.ts";

const NOW = at("2026-05-06T07:08:09.000001Z");

test("a new configuration keeps the state of the previous one until an update arrives, and its message equals the record", () => {
  const { debtor, message } = configure(
    activeDebtor({ isConfigEffectual: true, configError: "OLD", minBalance: -5500n }),
    { configData: "x" },
    NOW,
  );

  assert.equal(debtor.isConfigEffectual, true);
  assert.equal(debtor.configError, "OLD", "only an effectual configuration clears the error");
  assert.deepEqual(message, {
    debtorId: 1n,
    ts: NOW,
    seqnum: 2,
    negligibleAmount: 5500,
    configData: "x",
    configFlags: 0,
  });
});

test("a minimum balance of zero gives a negligible amount of zero, without a sign", () => {
  assert.ok(Object.is(configure(activeDebtor(), { minBalance: 0n }, NOW).message.negligibleAmount, 0));
});

test("the sequence number wraps", () => {
  assert.equal(configure(activeDebtor({ lastConfigSeqnum: 2147483647 }), {}, NOW).message.seqnum, -2147483648);
});

test("timestamps of configurations never go back when the clock does, and sequence numbers grow", () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 0n, max: 4_000_000_000_000_000n }), { minLength: 2 }), (clock) => {
      let debtor = activeDebtor({ lastConfigTs: 0n as Timestamp, lastConfigSeqnum: 2147483640 });
      for (const reading of clock) {
        const next = configure(debtor, {}, reading as Timestamp);
        assert.ok(next.message.ts >= debtor.lastConfigTs && next.message.ts >= reading);
        assert.ok(isLaterSeqnum(next.message.seqnum, debtor.lastConfigSeqnum));
        assert.deepEqual(
          [next.debtor.lastConfigTs, next.debtor.lastConfigSeqnum],
          [next.message.ts, next.message.seqnum],
        );
        debtor = next.debtor;
      }
    }),
  );
});

test("the next update is accepted, and counted as an action", () => {
  const decision = decideConfigurationUpdate(activeDebtor(), { configData: "x", latestUpdateId: 2n }, 1, NOW);

  assert.equal(decision.action, "configure");
  assert.ok(decision.action === "configure");
  assert.deepEqual(
    [decision.debtor.configData, decision.debtor.configLatestUpdateId, decision.debtor.actionsCount],
    ["x", 2n, 1],
  );
});

test("the same update again changes nothing, but is counted", () => {
  const debtor = activeDebtor();
  const decision = decideConfigurationUpdate(debtor, { configData: "", latestUpdateId: 1n }, 1, THEN);
  assert.deepEqual(decision, { action: "count", debtor: { ...debtor, actionsCount: 1 } });
});

test("any other update is a conflict", () => {
  const debtor = activeDebtor({ configData: "A", configLatestUpdateId: 2n });
  for (const [configData, latestUpdateId] of [
    ["B", 2n],
    ["A", 1n],
    ["", 1n],
    ["A", 4n],
    ["a", 2n],
    ["B", 2n ** 63n - 1n],
  ] as const) {
    const decision = decideConfigurationUpdate(debtor, { configData, latestUpdateId }, 10, NOW);
    assert.deepEqual(decision, { action: "reject", code: "UPDATE_CONFLICT" });
  }
});

test("activity is checked first, then the limit, then the update ID", () => {
  const conflict = { configData: "B", latestUpdateId: 9n };
  assert.deepEqual(decideConfigurationUpdate(undefined, conflict, 0, NOW), {
    action: "reject",
    code: "DEBTOR_NOT_ACTIVE",
  });
  assert.deepEqual(decideConfigurationUpdate(reservedDebtor(), conflict, 0, NOW), {
    action: "reject",
    code: "DEBTOR_NOT_ACTIVE",
  });
  assert.deepEqual(decideConfigurationUpdate(activeDebtor(), conflict, 0, NOW), {
    action: "reject",
    code: "TOO_MANY_ACTIONS",
  });
});
