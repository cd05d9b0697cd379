import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { COIN_INFO_TYPE, localizeCoinInfo, readCoinInfo, readCoinInfoBytes } from "../../../webapp/core/coin-info.ts";
import {
  areConflicting,
  changedFields,
  checkCoinInfoForm,
  formOfCoinInfo,
  needsNewCoinInfo,
  writeCoinInfo,
} from "../../../webapp/core/coin-info-edit.ts";
import { C0, COIN, utf8 } from "./cases.ts";

const edited = (change: object): string => JSON.stringify({ ...JSON.parse(C0), ...change });
const NOW = Date.parse("2026-11-26T10:00:00Z");

test("the first document of a currency is written to the byte", () => {
  const form = formOfCoinInfo(readCoinInfo(C0)!);
  assert.equal(
    createHash("sha256").update(C0).digest("hex").toUpperCase(),
    "3C8C8FA4C3FEBFD33539A204C482CDB9A1231285467180FDC7D95235A2606283",
  );
  assert.equal(writeCoinInfo(undefined, form, COIN, NOW), C0);
});

for (const [what, text] of Object.entries({
  "as it is": C0,
  "of a version": edited({ type: "CoinInfo-v1" }),
  "with an unknown member": edited({ x: { y: [1] } }),
  "with negative places": edited({ decimalPlaces: -2 }),
  "with a name of 40 emoji": edited({ debtorName: "😀".repeat(40) }),
  "with an empty summary": edited({ summary: "" }),
  "with the revision 1.0": C0.replace('"revision":1', '"revision":1.0'),
  "with a second member in latestDebtorInfo": edited({ latestDebtorInfo: { uri: "https://x.example/", type: "X" } }),
  "with a localization": edited({ localization: { bg: { type: "LocalizationDict-v2", unit: "СДМ" } } }),
})) {
  test(`a document ${what} is read`, () => assert.ok(readCoinInfo(text)));
}

test("an unreadable promise counts as absent", () => {
  assert.equal(readCoinInfo(edited({ willNotChangeUntil: "INVALID" }))!.willNotChangeUntil, undefined);
  assert.equal(
    readCoinInfo(edited({ willNotChangeUntil: "2030-01-01T00:00:00Z" }))!.willNotChangeUntil,
    "2030-01-01T00:00:00Z",
  );
});

for (const [what, text] of Object.entries({
  "without a unit": edited({ unit: undefined }),
  "with the revision -1": edited({ revision: -1 }),
  "with the revision 1.5": edited({ revision: 1.5 }),
  "with the revision 2147483648": edited({ revision: 2147483648 }),
  "with an empty name": edited({ debtorName: "" }),
  "with a name of 41": edited({ debtorName: "x".repeat(41) }),
  "with the divisor 0": edited({ amountDivisor: 0 }),
  "with a text as divisor": edited({ amountDivisor: "100" }),
  "with 21 places": edited({ decimalPlaces: 21 }),
  "of the type CoinInfo-v0": edited({ type: "CoinInfo-v0" }),
  "with a latestDebtorInfo of 201": edited({ latestDebtorInfo: { uri: `https://x.example/${"x".repeat(183)}` } }),
  "with a peg that lacks its display": edited({ peg: { type: "Peg", exchangeRate: 1 } }),
  "that is not JSON": C0.slice(1),
})) {
  test(`a document ${what} is not read`, () => assert.equal(readCoinInfo(text), undefined));
}

test("content type and size are checked before the text", () => {
  for (const type of [COIN_INFO_TYPE, `${COIN_INFO_TYPE}; charset=utf-8`, `${COIN_INFO_TYPE.toUpperCase()};v=1`]) {
    assert.ok("document" in readCoinInfoBytes(utf8(C0), type), type);
  }
  assert.deepEqual(readCoinInfoBytes(utf8(C0), "application/json"), { problem: "content-type" });
  assert.deepEqual(readCoinInfoBytes(new Uint8Array(5 * 1024 * 1024 + 1), COIN_INFO_TYPE), { problem: "too-large" });
  assert.deepEqual(readCoinInfoBytes(new Uint8Array([0xff]), COIN_INFO_TYPE), { problem: "format" });
});

test("an edit keeps what the form does not know, and a promise that still holds", () => {
  const base = `${C0.slice(0, -1)},"localization":{"bg":{"type":"LocalizationDict","unit":"СДМ"}},"x": 1.50,"willNotChangeUntil":"2027-06-01T00:00:00Z"}`;
  const form = { ...formOfCoinInfo(readCoinInfo(base)!), summary: "Bread" };
  assert.equal(
    writeCoinInfo(base, form, COIN, NOW),
    `${C0.slice(0, -1).replace('"revision":1', '"revision":2')},"localization":{"bg":{"type":"LocalizationDict","unit":"СДМ"}},"x":1.50,"willNotChangeUntil":"2027-06-01T00:00:00Z","summary":"Bread"}`,
  );
  assert.ok(!writeCoinInfo(base, form, COIN, Date.parse("2027-06-02")).includes("willNotChangeUntil"));
});

test("a new document is needed only when more than its revision would differ", () => {
  const form = formOfCoinInfo(readCoinInfo(C0)!);
  assert.equal(needsNewCoinInfo(C0, form, COIN), false);
  assert.equal(needsNewCoinInfo(C0, { ...form, amountDivisor: "100.0" }, COIN), false);
  assert.equal(needsNewCoinInfo(C0, { ...form, unit: "S" }, COIN), true);
  assert.equal(needsNewCoinInfo(C0, form, { ...COIN, locator: "https://y.example/debtors/7/public" }), true);
  assert.equal(needsNewCoinInfo(undefined, form, COIN), true);
});

test("an http homepage, a cleared summary and a peg are written and read again", () => {
  const peg = {
    exchangeRate: 0.05,
    debtorIdentityUri: "swpt:8",
    latestDebtorInfoUri: "https://y.example/8",
    display: { amountDivisor: "1e2", decimalPlaces: 2, unit: "EGT" },
  };
  const form = { ...formOfCoinInfo(readCoinInfo(C0)!), summary: "A", homepage: "http://x.example/", peg };
  const second = writeCoinInfo(C0, form, COIN, NOW);
  assert.deepEqual(formOfCoinInfo(readCoinInfo(second)!), form);
  const third = writeCoinInfo(second, { ...form, summary: "", homepage: "" }, COIN, NOW);
  assert.deepEqual(changedFields(form, formOfCoinInfo(readCoinInfo(third)!)), ["summary", "homepage"]);
  assert.equal(readCoinInfo(third)!.revision, 3);
});

for (const [places, divisor, isConflict] of [
  [2, "100", false],
  [2, "200", false],
  [2, "150", true],
  [2, "10", true],
  [10, "1e10", true],
  [10, "2e10", false],
] as const) {
  test(`places ${places} with divisor ${divisor} ${isConflict ? "conflict" : "go together"}`, () => {
    assert.equal(areConflicting({ decimalPlaces: places, amountDivisor: divisor }), isConflict);
  });
}

test("every invalid member of the form is named", () => {
  const form = formOfCoinInfo(readCoinInfo(C0)!);
  assert.deepEqual(checkCoinInfoForm(form), {});
  assert.deepEqual(
    checkCoinInfoForm({
      ...form,
      debtorName: "",
      unit: "x".repeat(41),
      amountDivisor: "1,5",
      decimalPlaces: 21,
      summary: "x".repeat(501),
    }),
    {
      debtorName: "required",
      unit: "too-long",
      amountDivisor: "not-a-number",
      decimalPlaces: "out-of-range",
      summary: "too-long",
    },
  );
});

test("the localization of foreign coins is honoured", () => {
  const text = edited({
    localization: {
      bg: { type: "LocalizationDict", debtorName: "Седем", unit: "СДМ" },
      de: { type: "LocalizationDict" },
    },
  });
  assert.deepEqual(localizeCoinInfo(text, "bg-BG"), { debtorName: "Седем", summary: undefined, unit: "СДМ" });
  assert.deepEqual(localizeCoinInfo(text, "de"), { debtorName: "Seven", summary: undefined, unit: "SVN" });
});
