import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isLaterSeqnum, nextSeqnum } from "../../src/values/seqnum.ts";

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;
const seqnum = fc.oneof(
  fc.integer({ min: INT32_MIN, max: INT32_MAX }),
  fc.constantFrom(INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX),
);

test("the next sequence number is later, also where they wrap", () => {
  fc.assert(
    fc.property(seqnum, (value) => {
      const next = nextSeqnum(value);
      assert.ok(next >= INT32_MIN && next <= INT32_MAX);
      assert.ok(isLaterSeqnum(next, value) && !isLaterSeqnum(value, next));
    }),
  );
  assert.equal(nextSeqnum(INT32_MAX), INT32_MIN);
});

test("b is later than a if it is 1 to 2^31-1 steps ahead", () => {
  fc.assert(
    fc.property(seqnum, seqnum, (a, b) => {
      const steps = (BigInt(b) - BigInt(a)) & 0xffff_ffffn;
      assert.equal(isLaterSeqnum(b, a), steps > 0n && steps < 2n ** 31n);
    }),
  );
});

test("of two different sequence numbers one is later, unless they are exactly opposite", () => {
  fc.assert(
    fc.property(seqnum, seqnum, (a, b) => {
      const isOpposite = Math.abs(a - b) === 2 ** 31;
      assert.equal(Number(isLaterSeqnum(a, b)) + Number(isLaterSeqnum(b, a)), a === b || isOpposite ? 0 : 1);
    }),
  );
});
