import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isInSubnet, parseSubnet } from "../../src/node-data/subnet.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";

test("a prefix contains all debtor IDs that begin with it", () => {
  assert.deepEqual(parseSubnet("1234abcd00"), {
    prefix: "1234abcd00",
    minDebtorId: 0x1234abcd00000000n,
    maxDebtorId: 0x1234abcd00ffffffn,
  });
  assert.deepEqual(parseSubnet("ffffffff"), { prefix: "ffffffff", minDebtorId: -0x100000000n, maxDebtorId: -1n });
  assert.equal(parseSubnet("80000000")?.minDebtorId, INT64_MIN);
  assert.equal(parseSubnet("7fffffff")?.maxDebtorId, INT64_MAX);
  const single = parseSubnet("8000000000000000")!;
  assert.equal(single.minDebtorId, single.maxDebtorId);
});

test("a prefix must have 8 to 16 lower-case hexadecimal digits", () => {
  for (const text of [
    "",
    "1234abc",
    "1234ABCD",
    "1234abcd001122334",
    "0x1234ab",
    "1234abcd\n",
    " 1234abcd",
    "１２３４abcd",
  ]) {
    assert.equal(parseSubnet(text), undefined, JSON.stringify(text));
  }
});

test("a debtor ID is in the subnet when its 16 digits begin with the prefix, with either sign", () => {
  const digits = fc.array(fc.constantFrom(..."0123456789abcdef"), { minLength: 8, maxLength: 16 });
  const debtorId = fc.oneof(fc.bigInt(INT64_MIN, INT64_MAX), fc.constantFrom(INT64_MIN, INT64_MAX, 0n, -1n));
  fc.assert(
    fc.property(digits, debtorId, fc.boolean(), (prefixDigits, anyId, isInside) => {
      const prefix = prefixDigits.join("");
      const rest = BigInt.asUintN(64, anyId).toString(16).padStart(16, "0").slice(prefix.length);
      const id = isInside ? BigInt.asIntN(64, BigInt(`0x${prefix}${rest}`)) : anyId;
      const text = BigInt.asUintN(64, id).toString(16).padStart(16, "0");
      assert.equal(isInSubnet(parseSubnet(prefix)!, id), text.startsWith(prefix));
    }),
  );
});
