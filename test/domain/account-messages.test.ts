import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { decideAccountPurge, decideAccountUpdate, decideRejectedConfig } from "../../src/domain/account-messages.ts";
import { decideDeactivation } from "../../src/domain/activation.ts";
import type { Debtor } from "../../src/domain/debtor.ts";
import type { AccountPurge, AccountUpdate } from "../../src/messages/incoming.ts";
import { type CalendarDate, EPOCH_DATE, plusSeconds, type Timestamp } from "../../src/values/timestamp.ts";
import { parseSample } from "../messages/sample-messages.ts";
import { updateFor as anyUpdateFor, rejectionFor } from "./account-messages.ts";
import { activeDebtor, at, reservedDebtor, THEN } from "./records.ts";

const now = at("2026-11-23T10:00:00.123456Z");
const date = (text: string) => text as CalendarDate;

const updateFor = (debtor: Debtor, changes: Partial<AccountUpdate> = {}): AccountUpdate =>
  anyUpdateFor(debtor, { ts: now, ...changes });

function updated(decision: { readonly action: string; readonly debtor?: Debtor }): Debtor {
  assert.equal(decision.action, "update");
  return decision.debtor!;
}

const deactivatedDebtor = (): Debtor => {
  const decision = decideDeactivation(activeDebtor(), THEN);
  assert.ok(decision.action === "deactivate");
  return decision.debtor;
};

describe("an AccountUpdate", () => {
  test("stores the state of the account", () => {
    const debtor = activeDebtor();
    const update = updateFor(debtor);
    assert.deepEqual(updated(decideAccountUpdate(debtor, update, now)), {
      ...debtor,
      hasServerAccount: true,
      accountCreationDate: "2026-01-01",
      accountLastChangeTs: update.lastChangeTs,
      accountLastChangeSeqnum: 1,
      accountLastHeartbeatTs: now,
      accountId: "account",
      balance: -1000n,
      transferNoteMaxBytes: 500,
      isConfigEffectual: true,
    });
  });

  test("is ignored when it is older than its ttl, to the microsecond", () => {
    const debtor = activeDebtor();
    const ts = plusSeconds(now, -60);
    assert.equal(decideAccountUpdate(debtor, updateFor(debtor, { ts, ttl: 60 }), now).action, "update");
    const older = (ts - 1n) as Timestamp;
    assert.equal(decideAccountUpdate(debtor, updateFor(debtor, { ts: older, ttl: 60 }), now).action, "ignore");
    assert.equal(decideAccountUpdate(undefined, updateFor(debtor, { ts: older, ttl: 60 }), now).action, "ignore");
  });

  test("from the future is not too old, and its heartbeat is now", () => {
    const debtor = activeDebtor();
    const update = updateFor(debtor, { ts: at("9999-12-31T23:59:59.999999Z"), ttl: 0 });
    assert.equal(updated(decideAccountUpdate(debtor, update, now)).accountLastHeartbeatTs, now);
  });

  for (const [name, orphan] of [
    ["unknown", undefined],
    ["reserved", reservedDebtor()],
    ["deactivated", deactivatedDebtor()],
  ] as const) {
    test(`of a debtor that is ${name} asks each time for the account to be discarded`, () => {
      const update = updateFor(activeDebtor(), { creationDate: EPOCH_DATE, lastChangeSeqnum: 0 });
      assert.deepEqual(decideAccountUpdate(orphan, update, now), {
        action: "discard",
        message: { debtorId: 1n, ts: now, seqnum: 0, negligibleAmount: 1e30, configData: "", configFlags: 1 },
        ...(name === "reserved" && { debtor: { ...orphan, lastConfigTs: now } }),
      });
    });

    test(`of a debtor that is ${name} is ignored when the account is being discarded`, () => {
      const isDiscarded = (configFlags: number, negligibleAmount: number): boolean =>
        decideAccountUpdate(orphan, updateFor(activeDebtor(), { configFlags, negligibleAmount }), now).action ===
        "ignore";
      assert.ok(isDiscarded(1, 1e30));
      assert.ok(isDiscarded(-2147483647, 0.99999e30));
      assert.ok(!isDiscarded(0, 1e30));
      assert.ok(!isDiscarded(-2147483648, 1e30));
      assert.ok(!isDiscarded(1, 0.999989e30));
    });
  }

  test("moves the heartbeat forward, never back, even when its event is not newer", () => {
    const debtor = updated(decideAccountUpdate(activeDebtor(), updateFor(activeDebtor(), { ts: THEN }), now));
    const later = plusSeconds(THEN, 0.000001);
    assert.deepEqual(updated(decideAccountUpdate(debtor, updateFor(debtor, { ts: later }), now)), {
      ...debtor,
      accountLastHeartbeatTs: later,
    });
    assert.equal(decideAccountUpdate(debtor, updateFor(debtor, { ts: THEN }), now).action, "ignore");
    const ahead = { ...debtor, accountLastHeartbeatTs: plusSeconds(now, 5) };
    assert.equal(decideAccountUpdate(ahead, updateFor(ahead, { ts: plusSeconds(now, 9) }), now).action, "ignore");
  });

  test("is newer only if creation date, change or wrapping sequence number are later, compared in this order", () => {
    const t = at("2026-05-05T00:00:00Z");
    const debtor = activeDebtor({
      accountCreationDate: date("2026-02-02"),
      accountLastChangeTs: t,
      accountLastChangeSeqnum: 2147483647,
      accountLastHeartbeatTs: now,
    });
    const isNews = (creationDate: string, lastChangeTs: bigint, lastChangeSeqnum: number): boolean => {
      const event = { creationDate: date(creationDate), lastChangeTs: lastChangeTs as Timestamp, lastChangeSeqnum };
      return decideAccountUpdate(debtor, updateFor(debtor, event), now).action === "update";
    };
    assert.ok(isNews("2026-02-03", t - 1n, -5));
    assert.ok(!isNews("2026-02-01", t + 1n, -2147483648));
    assert.ok(isNews("2026-02-02", t + 1n, -5));
    assert.ok(!isNews("2026-02-02", t - 1n, -2147483648));
    assert.ok(isNews("2026-02-02", t, -2147483648));
    assert.ok(isNews("2026-02-02", t, -2));
    assert.ok(!isNews("2026-02-02", t, 2147483647));
    assert.ok(!isNews("2026-02-02", t, 2147483646));
    assert.ok(!isNews("2026-02-02", t, -1)); // just as far ahead as behind
  });

  test("with a later event makes the configuration effectual only when it is the last one sent", () => {
    const debtor = activeDebtor({ configError: "NO", debtorInfoIri: "old", minBalance: -1000n });
    const others: Partial<AccountUpdate>[] = [
      { lastConfigTs: plusSeconds(debtor.lastConfigTs, 0.000001) },
      { lastConfigSeqnum: debtor.lastConfigSeqnum + 1 },
      { configFlags: 1 },
      { configData: " " },
      { negligibleAmount: 1000.1 },
      { negligibleAmount: 0 },
    ];
    for (const other of others) {
      const after = updated(decideAccountUpdate(debtor, updateFor(debtor, other), now));
      assert.equal(after.isConfigEffectual, false);
      assert.equal(after.configError, "NO");
      assert.equal(after.debtorInfoIri, "old");
      assert.equal(after.balance, -1000n);
    }
    const after = updated(decideAccountUpdate(debtor, updateFor(debtor, { negligibleAmount: 1000.005 }), now));
    assert.equal(after.isConfigEffectual, true);
    assert.equal(after.configError, null);
    assert.equal(after.debtorInfoIri, null);
  });

  test("with an effectual configuration sets the info IRI, or clears it when the column cannot hold it", () => {
    for (const [configData, iri] of [
      ['{"info":{"iri":"https://example.com/"}}', "https://example.com/"],
      ['{"info":{"iri":""}}', ""],
      ['{"info":{"iri":"\\u0000"}}', null],
      ['{"info":{"iri":"\\ud800"}}', null],
      ["[]", null],
    ] as const) {
      const debtor = activeDebtor({ configData, debtorInfoIri: "old" });
      assert.equal(updated(decideAccountUpdate(debtor, updateFor(debtor), now)).debtorInfoIri, iri);
    }
  });

  test("may come in any order and any number of times: the latest event wins", () => {
    const debtor = activeDebtor();
    const update = fc
      .record({
        creationDate: fc.constantFrom(date("2026-01-01"), date("2026-01-02")),
        change: fc.bigInt(0n, 2n),
        lastChangeSeqnum: fc.integer({ min: 2147483645, max: 2147483651 }).map((seqnum) => seqnum | 0),
        age: fc.integer({ min: 0, max: 100 }),
      })
      // The content is the event's, as it is with every peer: the same event is never sent with two contents.
      .map(({ creationDate, change, lastChangeSeqnum, age }) =>
        updateFor(debtor, {
          creationDate,
          lastChangeTs: (THEN + change) as Timestamp,
          lastChangeSeqnum,
          principal: change * 100n + BigInt(lastChangeSeqnum),
          accountId: `${creationDate}/${change}`,
          ts: plusSeconds(now, -age),
        }),
      );
    const applyAll = (updates: readonly AccountUpdate[]): Debtor =>
      updates.reduce<Debtor>((before, update) => {
        const decision = decideAccountUpdate(before, update, now);
        return decision.action === "update" ? decision.debtor : before;
      }, debtor);
    const shuffledWithRepeats = fc
      .array(update, { minLength: 1, maxLength: 8 })
      .chain((updates) =>
        fc.tuple(
          fc.constant(updates),
          fc.shuffledSubarray([...updates, ...updates], { minLength: updates.length * 2 }),
        ),
      );
    fc.assert(
      fc.property(shuffledWithRepeats, ([updates, deliveries]) => {
        assert.deepEqual(applyAll(deliveries), applyAll(updates));
      }),
    );
  });
});

describe("an AccountPurge", () => {
  const purge = (creationDate: string): AccountPurge => ({
    ...parseSample("AccountPurge"),
    creationDate: date(creationDate),
  });
  const debtor = updated(decideAccountUpdate(activeDebtor(), updateFor(activeDebtor()), now));

  test("removes the account, but keeps its creation date and its last event", () => {
    const after = updated(decideAccountPurge(debtor, purge("2026-01-01")));
    assert.deepEqual(after, {
      ...debtor,
      hasServerAccount: false,
      balance: 0n,
      transferNoteMaxBytes: 0,
      accountId: "",
      isConfigEffectual: false,
    });
    assert.equal(decideAccountPurge(after, purge("2026-01-01")).action, "ignore");
    assert.equal(decideAccountUpdate(after, updateFor(after), now).action, "ignore");
  });

  test("of an older account is ignored, of a newer one is not", () => {
    assert.equal(decideAccountPurge(debtor, purge("2025-12-31")).action, "ignore");
    assert.equal(decideAccountPurge(debtor, purge("2026-01-02")).action, "update");
  });

  test("does not change a debtor without an account", () => {
    assert.equal(decideAccountPurge(undefined, purge("2026-01-01")).action, "ignore");
    assert.equal(decideAccountPurge(activeDebtor(), purge("9999-12-31")).action, "ignore");
  });
});

describe("a RejectedConfig", () => {
  test("is stored when it is about the last configuration sent, also for a deactivated debtor", () => {
    for (const debtor of [activeDebtor(), activeDebtor({ isConfigEffectual: true }), deactivatedDebtor()]) {
      assert.deepEqual(updated(decideRejectedConfig(debtor, rejectionFor(debtor))), { ...debtor, configError: "NO" });
    }
  });

  test("is ignored when it is about another configuration", () => {
    const debtor = activeDebtor({ minBalance: -1000n });
    for (const other of [
      { configTs: plusSeconds(debtor.lastConfigTs, -0.000001) },
      { configSeqnum: 0 },
      { configFlags: 1 },
      { configData: "x" },
      { negligibleAmount: 999.9 },
    ]) {
      assert.equal(decideRejectedConfig(debtor, rejectionFor(debtor, other)).action, "ignore");
    }
    assert.equal(decideRejectedConfig(undefined, rejectionFor(debtor)).action, "ignore");
  });

  test("does not replace an earlier reason, even an empty one", () => {
    for (const configError of ["FIRST", ""]) {
      const debtor = activeDebtor({ configError });
      assert.equal(decideRejectedConfig(debtor, rejectionFor(debtor)).action, "ignore");
    }
  });
});
