import assert from "node:assert/strict";
import { test } from "node:test";
import { coinWarnings, formatCoin, ownCoin, readCoin } from "../../../webapp/core/coin.ts";
import { P0 } from "./cases.ts";

const coinAt = (api: string, path = "/debtors/7/public", identity = "swpt:7"): string =>
  formatCoin(ownCoin(path, `${api}/debtors/.debtor`, identity));

test("own coin is the document's URL and the debtor's identity", () => {
  assert.equal(coinAt("https://x.example"), "https://x.example/debtors/7/public#swpt:7");
  assert.equal(
    coinAt("https://x.example", "/debtors/18446744073709551615/public", "swpt:18446744073709551615"),
    "https://x.example/debtors/18446744073709551615/public#swpt:18446744073709551615",
  );
});

test("own coin is in canonical form, and warns of what wallets refuse", () => {
  assert.equal(coinAt("https://X.example:443"), "https://x.example/debtors/7/public#swpt:7");
  assert.deepEqual(coinWarnings(coinAt("https://X.example:443")), []);
  assert.deepEqual(coinWarnings(coinAt("http://10.0.0.1")), ["not-https"]);
  assert.deepEqual(coinWarnings(coinAt("http://localhost:8080")), []);
  assert.deepEqual(coinWarnings(coinAt("http://[::1]:8080")), []);
  assert.deepEqual(coinWarnings("https://X.example:443/debtors/7/public#swpt:7"), ["not-canonical"]);
  assert.deepEqual(coinWarnings(coinAt(`https://${"x".repeat(63)}.${"y".repeat(63)}.${"z".repeat(63)}.example`)), [
    "too-long",
  ]);
});

test("a coin is read from what was scanned or pasted", () => {
  const coin = { locator: "https://x.example/debtors/7/public", identity: "swpt:7" };
  assert.deepEqual(readCoin("https://x.example/debtors/7/public#swpt:7"), coin);
  assert.deepEqual(readCoin(" https://X.example:443/debtors/7/public#swpt:07\n"), coin);
});

for (const [text, problem] of [
  ["https://x.example/debtors/7/public", "not-a-coin"],
  ["https://x.example/debtors/7/public#7", "not-a-coin"],
  ["swpt:7", "not-a-coin"],
  ["https://u:p@x.example/debtors/7/public#swpt:7", "not-a-coin"],
  ["javascript:alert(1)#swpt:7", "not-a-coin"],
  ["/debtors/7/public#swpt:7", "not-a-coin"],
  ["https://x.example/#swpt:18446744073709551616", "not-a-coin"],
  [P0, "payment-request"],
] as const) {
  test(`${JSON.stringify(text)} is refused as a coin`, () => assert.deepEqual(readCoin(text), { problem }));
}
