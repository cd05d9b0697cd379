import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJson } from "../../src/values/json.ts";
import { type Captures, compare, fill } from "./matching.ts";

const differences = (expected: string, actual: string, captures: Captures = new Map()): string[] =>
  compare(parseJson(expected), parseJson(actual), captures);

test("equal values match, in any order of members", () => {
  assert.deepEqual(differences('{"a": 1, "b": [null, true, "x", 1.5]}', '{"b": [null, true, "x", 1.5], "a": 1}'), []);
});

test("every difference is found", () => {
  const pairs: [expected: string, actual: string][] = [
    ["1", "1.0"],
    ["1.0", "1"],
    ["9223372036854775807", "9223372036854775806"],
    ['{"a": 1}', "{}"],
    ["{}", '{"a": 1}'],
    ['{"a": null}', "{}"],
    ["[1]", "[1, 2]"],
    ['"a"', '"b"'],
    ["null", "false"],
    ['{"$match": "integer"}', "1.0"],
    ['{"$match": "datetime"}', '"2026-11-23T10:00:00Z"'],
    ['{"$match": "datetime"}', '"2026-11-23T10:00:00.000000+00:00"'],
    ['{"$match": "datetime"}', '"2026-11-23T10:00:00.12345+00:00"'],
    ['{"$match": "float", "value": 1.0, "rel": 0.1}', "1"],
    ['{"$match": "float", "value": 1.0, "rel": 0.1}', "1.2"],
    ['{"$match": "strings"}', "[]"],
    ['{"$match": "strings"}', "[1]"],
    ['{"$match": "unordered", "items": [1, 1, 2]}', "[1, 2, 2]"],
    ['{"$match": "tokens", "tokens": ["GET", "PUT"]}', '"GET"'],
    ['{"$match": "includes", "tokens": ["GET"]}', '"PUT, POST"'],
    ['{"$match": "same", "capture": "nothing"}', "1"],
  ];
  for (const [expected, actual] of pairs) {
    assert.notDeepEqual(differences(expected, actual), [], `${expected} must not match ${actual}`);
  }
});

// In two parts, so that it does not look like a template literal.
const placeholder = (name: string): string => `$${`{${name}}`}`;

test("a captured value must be repeated exactly", () => {
  const captures: Captures = new Map();
  const first = '{"id": {"$match": "integer", "$capture": "id"}, "at": {"$match": "datetime", "$capture": "at"}}';
  const at = "2026-11-23T10:00:00.000001+00:00";
  assert.deepEqual(differences(first, `{"id": 9007199254740993, "at": "${at}"}`, captures), []);
  assert.equal(fill(`${placeholder("id")}/${placeholder("at")}`, captures), `9007199254740993/${at}`);
  assert.deepEqual(compare(placeholder("at"), at, captures), []);
  assert.deepEqual(differences('{"$match": "same", "capture": "id"}', "9007199254740993", captures), []);
  assert.notDeepEqual(differences('{"$match": "same", "capture": "id"}', "9007199254740992", captures), []);
  assert.throws(() => fill(placeholder("other"), captures), /has not captured/);
});

test("a timestamp is compared with another of the same object, to the microsecond unless a tolerance is given", () => {
  const near = (tolerance: number): string =>
    `{"b": {"$match": "datetime", "near": {"capture": "a", "seconds": 10, "tolerance": ${tolerance}}}, "a": {"$match": "datetime", "$capture": "a"}}`;
  const actual = (b: string): string => `{"a": "2026-11-23T10:00:00+00:00", "b": "2026-11-23T${b}+00:00"}`;
  assert.deepEqual(differences(near(0), actual("10:00:10")), []);
  assert.notDeepEqual(differences(near(0), actual("10:00:10.000001")), []);
  assert.deepEqual(differences(near(2), actual("10:00:12")), []);
  assert.notDeepEqual(differences(near(2), actual("10:00:12.000001")), []);
});
