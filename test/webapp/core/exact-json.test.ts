import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compactJson, isSameJson, JsonObject } from "../../../webapp/core/exact-json.ts";

test("order, unknown members and the digits of untouched numbers stay", () => {
  const text = '{"b":1.50,"a":9007199254740993,"x":{"z":[1,2.50,"a , b"]},"e":1E+2,"q\\"":"\\u0041"}';
  assert.equal(JsonObject.parse(text)!.toString(), text);
  assert.equal(
    JsonObject.parse(text)!.with("a", "2").with("new", "[]").without("e").toString(),
    '{"b":1.50,"a":2,"x":{"z":[1,2.50,"a , b"]},"q\\"":"\\u0041","new":[]}',
  );
});

test("members named like the properties of every object are ordinary members", () => {
  const text = '{"__proto__":1,"constructor":2,"toString":{"a":3}}';
  assert.equal(JsonObject.parse(text)!.toString(), text);
  assert.equal(JsonObject.parse("{}")!.get("constructor"), undefined);
});

test("of members with the same name the last counts", () => {
  assert.equal(JsonObject.parse('{"a":1,"a":2}')!.get("a"), "2");
});

test("anything but an object is refused", () => {
  for (const text of ["", "[]", "1", "null", '"a"', "{", "{a:1}", "not json", '{"a":01}']) {
    assert.equal(JsonObject.parse(text), undefined, text);
  }
});

test("any object is read as JSON.parse reads it, however it is spaced", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()),
      fc.constantFrom(0, 2, "\t"),
      (value, space) => {
        const text = JSON.stringify(value, null, space);
        const object = JsonObject.parse(text)!;
        assert.deepEqual(object.names, Object.keys(JSON.parse(text)).length === 0 ? [] : [...object.names]);
        for (const name of Object.keys(value)) assert.deepEqual(JSON.parse(object.get(name)!), JSON.parse(text)[name]);
        assert.equal(compactJson(text), JSON.stringify(value));
      },
    ),
  );
});

test("numbers are the same by value, not by their digits", () => {
  for (const [a, b] of [
    ["1.50", "1.5"],
    ["0", "-0.0"],
    ["1e2", "100"],
    ["10", "1E1"],
  ] as const) {
    assert.ok(isSameJson(a, b), `${a} and ${b}`);
  }
  for (const [a, b] of [
    ["1", '"1"'],
    ["9007199254740993", "9007199254740992"],
    ["1", "-1"],
    ["1", undefined],
  ] as const) {
    assert.ok(!isSameJson(a, b), `${a} and ${b}`);
  }
});
