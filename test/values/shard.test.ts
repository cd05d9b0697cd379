import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  belongsToParentOnly,
  isInShard,
  isResponsible,
  messageRoutingKey,
  parentShard,
  parseShard,
} from "../../src/values/shard.ts";
import { int64 } from "./arbitraries.ts";

/** Maximum number of bits in the routing key of a shard. */
const SHARD_BITS_MAX = 20;
const bits = fc.array(fc.constantFrom("0", "1"), { maxLength: SHARD_BITS_MAX });
const interval = fc
  .tuple(int64, int64)
  .map(([a, b]) => (a < b ? { minDebtorId: a, maxDebtorId: b } : { minDebtorId: b, maxDebtorId: a }));
const keyOf = (some: readonly string[]): string => [...some, "#"].join(".");

test("a debtor is in the shards whose bits its routing key begins with, and in no other", () => {
  fc.assert(
    fc.property(int64, bits, (debtorId, some) => {
      const prefix = some.map((bit) => `${bit}.`).join("");
      assert.equal(isInShard(parseShard(keyOf(some))!, debtorId), messageRoutingKey(debtorId).startsWith(prefix));
    }),
  );
});

test("each debtor of a shard is in exactly one of its two halves", () => {
  fc.assert(
    fc.property(int64, fc.integer({ min: 0, max: SHARD_BITS_MAX - 1 }), (debtorId, length) => {
      const some = messageRoutingKey(debtorId).split(".").slice(0, length);
      const halves = ["0", "1"].map((bit) => parseShard(keyOf([...some, bit]))!);
      assert.equal(halves.filter((half) => isInShard(half, debtorId)).length, 1);
      for (const half of halves) assert.equal(parentShard(half).routingKey, keyOf(some));
      const realms = halves.map((shard) => ({ minDebtorId: debtorId, maxDebtorId: debtorId, shard }));
      assert.deepEqual(realms.map((realm) => isResponsible(realm, debtorId)).sort(), [false, true]);
      assert.deepEqual(realms.map((realm) => belongsToParentOnly(realm, debtorId)).sort(), [false, true]);
    }),
  );
});

test("the shard of all debtors is its own parent, and its parent has no further debtors", () => {
  const whole = parseShard("#")!;
  assert.deepEqual(parentShard(whole), whole);
  fc.assert(
    fc.property(int64, interval, (debtorId, { minDebtorId, maxDebtorId }) => {
      const realm = { minDebtorId, maxDebtorId, shard: whole };
      assert.equal(belongsToParentOnly(realm, debtorId), false);
      assert.equal(isResponsible(realm, debtorId), debtorId >= minDebtorId && debtorId <= maxDebtorId);
    }),
  );
});

test("a binding key has at most 20 bits and nothing around them", () => {
  fc.assert(fc.property(bits, (some) => assert.equal(parseShard(keyOf(some))?.bitCount, some.length)));
  assert.equal(parseShard(keyOf(Array<string>(SHARD_BITS_MAX + 1).fill("1"))), undefined);
  for (const key of ["", "0", "0.", "##", "*.#", "2.#", "0.1", "#.0", " #", "#\n", "0..#"])
    assert.equal(parseShard(key), undefined);
});
