import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatUnsigned,
  INT64_MAX,
  INT64_MIN,
  isInt64,
  parseEnvironmentId,
  parsePathId,
  parseUnsigned,
  toSigned,
  toUnsigned,
  UINT64_MAX,
} from "../../src/values/int64.ts";
import { anyText, int64, uint64 } from "./arbitraries.ts";

test("every signed ID has one unsigned form, and is parsed from it", () => {
  fc.assert(
    fc.property(int64, (id) => {
      assert.equal(toSigned(toUnsigned(id)), id);
      assert.ok(toUnsigned(id) >= 0n && toUnsigned(id) <= UINT64_MAX);
      assert.equal(parseUnsigned(formatUnsigned(id)), id);
      assert.equal(parsePathId(formatUnsigned(id)), id);
    }),
  );
});

test("every unsigned number up to 2^64-1 is accepted, and none above", () => {
  fc.assert(fc.property(uint64, (id) => assert.equal(toUnsigned(parseUnsigned(id.toString())!), id)));
  fc.assert(
    fc.property(fc.bigInt({ min: UINT64_MAX + 1n, max: 10n ** 40n }), (tooBig) => {
      assert.equal(parseUnsigned(tooBig.toString()), undefined);
      assert.equal(parsePathId(tooBig.toString()), undefined);
      assert.equal(parseEnvironmentId(tooBig.toString()), undefined);
    }),
  );
});

test("leading zeros are allowed in URIs and not in paths", () => {
  fc.assert(
    fc.property(int64, fc.integer({ min: 1, max: 50 }), (id, zeros) => {
      const text = "0".repeat(zeros) + formatUnsigned(id);
      assert.equal(parseUnsigned(text), id);
      assert.equal(parsePathId(text), undefined);
    }),
  );
  assert.equal(parsePathId("0"), 0n);
});

test("an ID in the environment may be signed, unsigned or hexadecimal", () => {
  fc.assert(
    fc.property(int64, (id) => {
      assert.equal(parseEnvironmentId(id.toString()), id);
      assert.equal(parseEnvironmentId(formatUnsigned(id)), id);
      assert.equal(parseEnvironmentId(` 0x${toUnsigned(id).toString(16)} `), id);
      assert.equal(parseEnvironmentId(`${id < 0n ? "-" : ""}0X${(id < 0n ? -id : id).toString(16).toUpperCase()}`), id);
    }),
  );
});

test("text that is not a number is not an ID", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      if (!/^[0-9]+$/.test(text)) assert.equal(parseUnsigned(text), undefined);
      if (!/^(0|[1-9][0-9]*)$/.test(text)) assert.equal(parsePathId(text), undefined);
    }),
  );
  for (const text of ["", "-1", "+1", "1.0", "1e3", "١", "1\n", " 1", "1_0", "0x1"]) {
    assert.equal(parseUnsigned(text), undefined);
    assert.equal(parsePathId(text), undefined);
  }
});

test("the range of a signed 64-bit integer includes its bounds and ends there", () => {
  assert.ok(isInt64(INT64_MIN) && isInt64(INT64_MAX));
  assert.ok(!isInt64(INT64_MIN - 1n) && !isInt64(INT64_MAX + 1n));
});
