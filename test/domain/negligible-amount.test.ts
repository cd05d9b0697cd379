import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { isNegligibleAmountOf } from "../../src/domain/negligible-amount.ts";
import { INT64_MIN } from "../../src/values/int64.ts";
import { formatFloat32, parseJson } from "../../src/values/json.ts";

interface Vector {
  readonly minBalance: bigint;
  readonly negligibleAmount: number;
  readonly matches: boolean;
}

test("a negligible amount matches a minimum balance as recorded, including the bound of the tolerance", () => {
  const file = readFileSync(new URL("../golden/vectors/negligible-amount-match.json", import.meta.url), "utf8");
  for (const { minBalance, negligibleAmount, matches } of (parseJson(file) as unknown as { vectors: Vector[] })
    .vectors) {
    assert.equal(isNegligibleAmountOf(minBalance, negligibleAmount), matches, `${minBalance} ${negligibleAmount}`);
  }
});

test("the amount sent for a minimum balance matches it, in single precision and exactly", () => {
  fc.assert(
    fc.property(fc.bigInt(INT64_MIN, 0n), (minBalance) => {
      assert.ok(isNegligibleAmountOf(minBalance, Number(-minBalance)));
      assert.ok(isNegligibleAmountOf(minBalance, Number(formatFloat32(Number(-minBalance)))));
    }),
  );
});
