import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readCoinInfo } from "../../../webapp/core/coin-info.ts";
import { nearestDouble } from "../../../webapp/core/decimal.ts";
import {
  checkPegDocument,
  exchangeRateOf,
  isSameDisplay,
  rescaleExchangeRate,
  worthOf,
} from "../../../webapp/core/peg.ts";
import { C0, COIN } from "./cases.ts";

for (const [worth, own, peg, rate] of [
  ["1", "100", "100", 1],
  ["2", "100", "1000", 20],
  ["0.5", "1000", "100", 0.05],
  ["1.1", "1", "100", 110],
  ["0", "100", "100", 0],
] as const) {
  test(`one unit (divisor ${own}) worth ${worth} of the peg (divisor ${peg}) is the rate ${rate}`, () => {
    assert.equal(exchangeRateOf(worth, peg, own), rate);
    const display = { amountDivisor: peg, decimalPlaces: 2, unit: "EGT" };
    assert.equal(worthOf({ exchangeRate: rate, debtorIdentityUri: "", latestDebtorInfoUri: "", display }, own), worth);
  });
}

test("a change of the own divisor rescales the rate", () => {
  assert.equal(rescaleExchangeRate(1, "100", "1000"), 0.1);
  assert.equal(rescaleExchangeRate(0.1, "1000", "100"), 1);
});

test("a ratio becomes the double that is nearest to it", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-290, max: 1e290, noNaN: true }), (value) => {
      const [digits, exponent] = value.toExponential(20).split("e") as [string, string];
      const exact = BigInt(digits.replace(".", ""));
      const power = Number(exponent) - 20;
      const nearest =
        power >= 0 ? nearestDouble(exact * 10n ** BigInt(power), 1n) : nearestDouble(exact, 10n ** BigInt(-power));
      assert.equal(nearest, value);
    }),
  );
  assert.equal(nearestDouble(1n, 3n), 1 / 3);
  assert.equal(nearestDouble(2n ** 53n + 1n, 1n), 2 ** 53);
  assert.equal(nearestDouble((2n ** 53n + 1n) * 10n ** 30n + 1n, 10n ** 30n), 2 ** 53 + 2);
});

test("the document of a peg must be that of its coin, and not the own one", () => {
  const document = readCoinInfo(C0)!;
  assert.equal(checkPegDocument(COIN, document, "swpt:8"), undefined);
  assert.equal(checkPegDocument({ ...COIN, identity: "swpt:9" }, document, "swpt:8"), "mismatch");
  assert.equal(checkPegDocument({ ...COIN, locator: "https://y.example/" }, document, "swpt:8"), "mismatch");
  assert.equal(checkPegDocument(COIN, document, "swpt:7"), "own-coin");
  const other = readCoinInfo(C0.replace("https://x.example/", "https://X.example:443/"))!;
  assert.equal(checkPegDocument(COIN, other, "swpt:8"), undefined);
});

test("a peg whose document has other display values is noticed", () => {
  const stored = { amountDivisor: "100", decimalPlaces: 2, unit: "SVN" };
  assert.ok(isSameDisplay(stored, { ...stored, amountDivisor: "1e2" }));
  assert.ok(!isSameDisplay(stored, { ...stored, decimalPlaces: 0 }));
  assert.ok(!isSameDisplay(stored, { ...stored, unit: "S" }));
});
