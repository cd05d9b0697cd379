import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compareRootConfigs,
  editRootConfig,
  putBackMembers,
  readRootConfig,
} from "../../../webapp/core/root-config-data.ts";
import { R0 } from "./cases.ts";

const info = {
  iri: "https://x.example/debtors/7/documents/2/public",
  contentType: "text/plain",
  sha256: "AB".repeat(32),
};

test("an edit changes what the user changed, and nothing else", () => {
  assert.deepEqual(editRootConfig(R0, { rate: 1.5 }), { configData: R0.replace('"rate":0', '"rate":1.5') });
  const withUnknown = R0.replace("{", '{"x":[1,2.50],');
  const { configData } = editRootConfig(withUnknown, { info }) as { configData: string };
  assert.ok(
    configData.startsWith(
      '{"x":[1,2.50],"type":"RootConfigData","rate":0,"limit":9007199254740993,"info":{"type":"DebtorInfo","iri":',
    ),
  );
  assert.deepEqual(readRootConfig(configData), {
    kind: "ours",
    rate: 0,
    limit: 9007199254740993n,
    info,
    unknownMembers: ["x"],
  });
});

test("what others wrote stays to the byte, white space, escapes and digits included", () => {
  const others = String.raw`"info": {"type": "DebtorInfo", "iri": "https:\/\/x.example/1",  "\u0041": 1E400}`;
  const before = String.raw`{ "x\u0079" : [ 1, 2.50, 9007199254740993, {"a": -0.0} ] , "rate" : 0.0, ${others} }`;
  const { configData } = editRootConfig(before, { rate: 1.5, limit: 9007199254740993n }) as { configData: string };
  assert.equal(
    configData,
    String.raw`{"x\u0079":[ 1, 2.50, 9007199254740993, {"a": -0.0} ],"rate":1.5,${others.replace(": ", ":")},"limit":9007199254740993}`,
  );
  const [putBack] = compareRootConfigs(before, '{"rate":0}').filter(({ field }) => field === "info");
  assert.equal(putBackMembers('{"rate":0}', [putBack!]), `{"rate":0,${others.replace(": ", ":")}}`);
  // Only where the whole would be too long the white space goes.
  const spaced = `{"x":[1,${" ".repeat(1990)}2.50]}`;
  assert.deepEqual(editRootConfig(spaced, { rate: 1 }), { configData: '{"x":[1,2.50],"rate":1}' });
});

test("configuration data are read, and any other text is foreign", () => {
  assert.deepEqual(readRootConfig(""), {
    kind: "empty",
    rate: 0,
    limit: undefined,
    info: undefined,
    unknownMembers: [],
  });
  assert.deepEqual(readRootConfig('{"rate":5}'), {
    kind: "ours",
    rate: 5,
    limit: undefined,
    info: undefined,
    unknownMembers: [],
  });
  assert.equal(readRootConfig(R0).limit, 9007199254740993n);
  for (const text of [
    "[]",
    "not json",
    '{"type":"Other"}',
    '{"rate":"5"}',
    '{"limit":1.5}',
    '{"limit":-1}',
    '{"info":{}}',
    "null",
  ]) {
    assert.equal(readRootConfig(text).kind, "foreign", text);
  }
});

test("only allowed values are written", () => {
  for (const rate of [-50, 100, 0.1]) assert.ok("configData" in editRootConfig(R0, { rate }), String(rate));
  for (const rate of [-50.1, 100.5, Number.NaN]) assert.deepEqual(editRootConfig(R0, { rate }), { problem: "rate" });
  for (const limit of [0n, 2n ** 63n - 1n]) assert.ok("configData" in editRootConfig(R0, { limit }));
  for (const limit of [-1n, 2n ** 63n]) assert.deepEqual(editRootConfig(R0, { limit }), { problem: "limit" });
  assert.deepEqual(editRootConfig(R0, { info: { ...info, sha256: "ab".repeat(32) } }), { problem: "info" });
});

test("configuration data have at most 2,000 bytes", () => {
  const edit = (bytes: number) => {
    const frame = editRootConfig('{"x":""}', { rate: 1 }) as { configData: string };
    return editRootConfig(`{"x":"${"é".repeat((bytes - frame.configData.length) / 2)}"}`, { rate: 1 });
  };
  const even = (editRootConfig('{"x":""}', { rate: 1 }) as { configData: string }).configData.length % 2;
  assert.ok("configData" in edit(2000 - even));
  assert.deepEqual(edit(2002 - even), { problem: "size" });
});

test("a limit is written without point or exponent, and can be removed", () => {
  assert.deepEqual(editRootConfig("", { limit: 2n ** 63n - 1n }), {
    configData: '{"type":"RootConfigData","rate":0,"limit":9223372036854775807}',
  });
  assert.deepEqual(editRootConfig('{"rate":5,"limit":1}', { limit: null }), { configData: '{"rate":5}' });
});

test("what the old client erased is detected, and restored with one edit", () => {
  const byOldClient =
    '{"type":"RootConfigData","rate":0.0,"info":{"type":"DebtorInfo","iri":"https://x.example/debtors/7/documents/1/public"}}';
  const differences = compareRootConfigs(R0, byOldClient);
  assert.deepEqual(differences, [{ field: "limit", before: "9007199254740993", now: undefined }]);
  assert.equal(readRootConfig(putBackMembers(byOldClient, differences)).limit, 9007199254740993n);
});
