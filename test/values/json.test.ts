import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatFloat, formatFloat32, type Json, parseJson, stringifyJson } from "../../src/values/json.ts";
import { anyText, int64 } from "./arbitraries.ts";

const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    int64,
    fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }),
    anyText,
    fc.array(tie("json")),
    fc.dictionary(anyText, tie("json"), { noNullPrototype: true }),
  ),
}));

test("serialized values are parsed again, every integer exactly", () => {
  fc.assert(
    fc.property(json, (value) => {
      assert.deepStrictEqual(parseJson(stringifyJson(value)), value);
    }),
  );
});

test("an integer is a bigint, and a number with a point or an exponent is not", () => {
  fc.assert(fc.property(int64, (integer) => assert.strictEqual(parseJson(integer.toString()), integer)));
  for (const [text, value] of [
    ["1.0", 1],
    ["1e0", 1],
    ["-0.0", -0],
    ["1E+2", 100],
    ["9007199254740993.0", 2 ** 53],
  ] as const) {
    assert.strictEqual(parseJson(text), value);
  }
  assert.strictEqual(parseJson("-0"), 0n);
  assert.deepStrictEqual(parseJson('{"a":[1,1.0,{"b":-9223372036854775808}]}'), { a: [1n, 1, { b: -(2n ** 63n) }] });
});

test("a number that is too long for any type is still parsed quickly", () => {
  assert.strictEqual(parseJson("1".repeat(400)), BigInt("1".repeat(400)));
  assert.strictEqual(parseJson("1".repeat(1_000_000)), Number.POSITIVE_INFINITY);
});

test("malformed text throws a SyntaxError and nothing else", () => {
  const texts = [
    "",
    " ",
    "{",
    "[1,]",
    "01",
    "+1",
    "1.",
    ".5",
    "NaN",
    "Infinity",
    "-Infinity",
    "'a'",
    '"\n"',
    "{a:1}",
    "1 2",
    "\ufeff1",
    "nul",
  ];
  for (const text of texts) assert.throws(() => parseJson(text), SyntaxError, text);
  for (const open of ["[", '{"a":']) assert.throws(() => parseJson(open.repeat(200_000)), SyntaxError);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'[]{}:,"\\u01e.-+ntf') }), (text) => {
      try {
        parseJson(text);
      } catch (error) {
        assert.ok(error instanceof SyntaxError);
      }
    }),
  );
});

test("JSON nested a hundred thousand levels deep is parsed or throws a SyntaxError", () => {
  for (const inner of ["", "1"]) {
    const text = "[".repeat(100_000) + inner + "]".repeat(100_000);
    try {
      assert.ok(Array.isArray(parseJson(text)));
    } catch (error) {
      assert.ok(error instanceof SyntaxError, `${inner}: ${error}`);
    }
  }
});

test("a member called __proto__ is a member like others", () => {
  const value = parseJson('{"__proto__": {"x": 1}, "constructor": 2}') as Record<string, Json>;
  assert.deepEqual(Object.keys(value), ["__proto__", "constructor"]);
  assert.equal(value.x, undefined);
  assert.equal(stringifyJson(value), '{"__proto__":{"x":1},"constructor":2}');
});

test("characters outside of ASCII are not escaped", () => {
  assert.equal(stringifyJson({ note: "bücher 漢字 😀" }), '{"note":"bücher 漢字 😀"}');
});

const finite = fc.double({ noDefaultInfinity: true, noNaN: true });

test("a float is written with a point or an exponent, and is parsed as the same number", () => {
  fc.assert(
    fc.property(
      fc.oneof(finite, fc.integer(), fc.constantFrom(0, -0, 5e-324, 1e21, 1e22, Number.MAX_VALUE)),
      (value) => {
        const text = formatFloat(value);
        assert.match(text, /[.e]/);
        assert.equal(Number(text) + 0, value + 0);
        assert.equal(typeof parseJson(text), "number");
      },
    ),
  );
});

test("a 32-bit float is written so that it is the same 32-bit float again", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.float({ noDefaultInfinity: true, noNaN: true }),
        int64.map((amount) => -Number(amount)),
      ),
      (value) => {
        const text = formatFloat32(value);
        assert.match(text, /[.e]/);
        assert.equal(Math.fround(Number(text)) + 0, Math.fround(value) + 0);
        assert.equal(typeof parseJson(text), "number");
      },
    ),
  );
  assert.equal(formatFloat32(2 ** 63), "9223372000000000000.0");
});

test("numbers that are not finite are rejected", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    assert.throws(() => formatFloat(value), RangeError);
    assert.throws(() => formatFloat32(value), RangeError);
  }
  assert.throws(() => formatFloat32(1e39), RangeError, "above the largest 32-bit float");
});
