import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decimalSeparator,
  exactUnits,
  formatAmount,
  parseAmount,
  type Scale,
  showAmount,
} from "../../../webapp/core/amounts.ts";

const scale = (amountDivisor: string, decimalPlaces = 0, unit = "SVN"): Scale => ({
  amountDivisor,
  decimalPlaces,
  unit,
});
const MAX = 2n ** 63n - 1n;

for (const [tokens, divisor, places, text, isExact = true] of [
  [12345n, "100", 2, "123.45"],
  [MAX, "100", 2, "92233720368547758.07"],
  [9007199254740993n, "1", 0, "9007199254740993"],
  [149n, "100", 0, "1", false],
  [150n, "100", 0, "2", false],
  [-150n, "100", 0, "-2", false],
  [-4n, "1000", 2, "0.00", false],
  [60n, "1", -2, "100", false],
  [49n, "1", -2, "0", false],
  [12345678n, "1", -2, "12345700", false],
  [1n, "3", 4, "0.3333", false],
  [123456789n, "0.01", 0, "12345678900"],
  [5n, "1e20", 20, "0.00000000000000000005"],
  [0n, "100", 2, "0.00"],
  [-(2n ** 63n), "1.0E2", 2, "-92233720368547758.08"],
] as const) {
  test(`${tokens} tokens with divisor ${divisor} and ${places} places are shown as ${text}`, () => {
    assert.deepEqual(showAmount(tokens, scale(divisor, places)), { text, isExact });
  });
}

test("a divisor outside 1e-99..1e99 is not used: amounts are tokens", () => {
  for (const divisor of ["1e100", "1e-100", "9.9e-100", "1e999999999"]) {
    assert.equal(showAmount(12345n, scale(divisor, 2)).text, "12345");
    assert.deepEqual(parseAmount("7", scale(divisor), "."), { tokens: 7n });
  }
  assert.equal(showAmount(1n, scale("1e99", 0)).text, "0");
  assert.equal(showAmount(1n, scale("1e-99", 0)).text, `1${"0".repeat(99)}`);
});

test("amounts are grouped as the language does, without losing a digit", () => {
  assert.equal(formatAmount(MAX, scale("100", 2), "en"), "92,233,720,368,547,758.07\u00a0SVN");
  assert.equal(formatAmount(MAX, scale("100", 2), "de"), "92.233.720.368.547.758,07\u00a0SVN");
  assert.equal(formatAmount(-4n, scale("1000", 2), "en"), "0.00\u00a0SVN");
  assert.equal(formatAmount(12345678n, scale("1", -2), "en"), "12,345,700\u00a0SVN");
});

for (const [text, divisor, tokens] of [
  ["123.45", "100", 12345n],
  ["90071992547409.93", "100", 9007199254740993n],
  ["92233720368547758.07", "100", MAX],
  ["100", "0.01", 1n],
  ["0.10", "100", 10n],
  ["1 234,5", "100", 123450n],
  ["1\u00a0234\u202f567", "1", 1234567n],
] as const) {
  test(`"${text}" typed with divisor ${divisor} is ${tokens} tokens`, () => {
    assert.deepEqual(parseAmount(text, scale(divisor), ","), { tokens });
  });
}

for (const [text, divisor, separator, expected] of [
  ["92233720368547758.08", "100", ".", { problem: "too-large" }],
  ["1.005", "100", ".", { problem: "not-whole", below: 100n, above: 101n }],
  ["0", "100", ".", { problem: "zero" }],
  ["-1", "100", ".", { problem: "format" }],
  ["1e3", "100", ".", { problem: "format" }],
  ["1.2.3", "100", ".", { problem: "format" }],
  ["", "100", ".", { problem: "empty" }],
  ["0.1", "3", ".", { problem: "not-whole", below: undefined, above: 1n }],
  ["1", "0.01", ".", { problem: "not-whole", below: undefined, above: 1n }],
  ["1,234.5", "100", ",", { problem: "format" }],
  ["1,234", "100", ".", { problem: "format" }],
  ["1 .5", "100", ".", { problem: "format" }],
  [".5", "100", ".", { problem: "format" }],
  ["٣", "100", ".", { problem: "format" }],
] as const) {
  test(`"${text}" typed with divisor ${divisor} is refused: ${expected.problem}`, () => {
    assert.deepEqual(parseAmount(text, scale(divisor), separator), expected);
  });
}

test("the separator is the language's", () => {
  assert.deepEqual(["en", "de", "bg"].map(decimalSeparator), [".", ",", ","]);
});

test("exact units are the same amount when typed", () => {
  const divisors = fc.constantFrom("1", "100", "1000", "0.01", "1e20", "2.5", "64", "1e-20");
  fc.assert(
    fc.property(fc.bigInt(1n, MAX), divisors, (tokens, divisor) => {
      assert.deepEqual(parseAmount(exactUnits(tokens, scale(divisor))!, scale(divisor), "."), { tokens });
    }),
  );
  assert.equal(exactUnits(1n, scale("3")), undefined);
  assert.equal(exactUnits(3n, scale("3")), "1");
});

test("an amount shown with all its places can be typed again", () => {
  fc.assert(
    fc.property(fc.bigInt(1n, MAX), fc.nat(20), (tokens, places) => {
      const inScale = scale(`1e${places}`, places);
      const shown = showAmount(tokens, inScale);
      assert.ok(shown.isExact);
      assert.deepEqual(parseAmount(shown.text, inScale, "."), { tokens });
    }),
  );
});

/** Any divisor that is used, as somebody may have written it. */
const divisor = fc
  .tuple(fc.bigInt(1n, 10n ** 30n), fc.integer({ min: -90, max: 60 }), fc.boolean())
  .map(([digits, power, isPlain]) => ({
    text: isPlain && power <= 0 ? plainDecimal(digits, -power) : `${digits}e${power}`,
    numerator: power >= 0 ? digits * 10n ** BigInt(power) : digits,
    denominator: power >= 0 ? 1n : 10n ** BigInt(-power),
  }));

function plainDecimal(digits: bigint, places: number): string {
  const text = digits.toString().padStart(places + 1, "0");
  return places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
}

test("no digit that is shown is wrong, whatever the divisor and the places: it is the nearest number of that many", () => {
  fc.assert(
    fc.property(fc.bigInt(-MAX - 1n, MAX), divisor, fc.integer({ min: -20, max: 20 }), (tokens, by, places) => {
      const { text, isExact } = showAmount(tokens, scale(by.text, places));
      const [, sign, whole, fraction = ""] = /^(-?)([0-9]+)(?:\.([0-9]+))?$/.exec(text)!;
      assert.equal(fraction.length, Math.max(0, places));
      assert.ok(whole === "0" || !whole!.startsWith("0"));
      // All times 10^20, so that whole numbers are compared.
      const scaled = BigInt(`${whole}${fraction.padEnd(20, "0")}`);
      if (places < 0) assert.equal(scaled % 10n ** BigInt(20 - places), 0n);
      const magnitude = tokens < 0n ? -tokens : tokens;
      const exact = magnitude * by.denominator * 10n ** 20n;
      const difference = scaled * by.numerator - exact;
      const step = 10n ** BigInt(20 - places) * by.numerator;
      const doubled = 2n * (difference < 0n ? -difference : difference);
      assert.ok(doubled <= step, text);
      assert.equal(isExact, difference === 0n);
      if (doubled === step) assert.ok(difference > 0n, "away from zero");
      assert.equal(sign === "-", tokens < 0n && scaled !== 0n);
    }),
    { numRuns: 500 },
  );
});

test("what is grouped has the digits of what is shown, in every language", () => {
  fc.assert(
    fc.property(
      fc.bigInt(-MAX - 1n, MAX),
      divisor,
      fc.integer({ min: -20, max: 20 }),
      fc.constantFrom("en", "de", "fr", "bg"),
      (tokens, by, places, language) => {
        const digitsOf = (text: string): string => text.replace(/[^0-9]/g, "");
        const inScale = scale(by.text, places);
        assert.equal(digitsOf(formatAmount(tokens, inScale, language)), digitsOf(showAmount(tokens, inScale).text));
      },
    ),
  );
});

test("a typed amount is taken exactly when it is a whole number of tokens in range, and never rounded", () => {
  const digits = fc.bigInt(0n, 10n ** 25n);
  fc.assert(
    fc.property(digits, fc.integer({ min: 0, max: 25 }), divisor, (value, places, by) => {
      const typed = plainDecimal(value, places);
      const numerator = value * by.numerator;
      const denominator = by.denominator * 10n ** BigInt(places);
      const isWhole = numerator % denominator === 0n;
      const tokens = numerator / denominator;
      const read = parseAmount(typed, scale(by.text), ".");
      if (value === 0n) assert.deepEqual(read, { problem: "zero" });
      else if (tokens > MAX) assert.deepEqual(read, { problem: "too-large" });
      else if (isWhole) assert.deepEqual(read, { tokens });
      else {
        const below = tokens > 0n ? tokens : undefined;
        assert.deepEqual(read, { problem: "not-whole", below, above: tokens < MAX ? tokens + 1n : undefined });
      }
    }),
    { numRuns: 300 },
  );
});

test("anything that is typed is read or rejected at once", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.string({ unit: fc.constantFrom(..."0123456789 .,-+e\u00a0\u202f٣"), maxLength: 40 }),
  );
  fc.assert(
    fc.property(texts, fc.constantFrom(".", ",", "٫"), (text, separator) => {
      const read = parseAmount(text, scale("100"), separator);
      if (!("tokens" in read)) return;
      assert.ok(read.tokens >= 1n && read.tokens <= MAX);
      const compact = text.trim().replace(/[ \u00a0\u202f]/g, "");
      assert.match(compact, new RegExp(`^[0-9]+(?:[.${separator}][0-9]+)?$`));
    }),
  );
  assert.deepEqual(parseAmount("9".repeat(1_000_000), scale("100"), "."), { problem: "format" });
});
