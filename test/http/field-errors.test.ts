import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { jsonOf, startTestServer, type TestServer } from "./test-server.ts";

const uuid = "123e4567-e89b-12d3-a456-426655440000";
const transfer = { transferUuid: uuid, recipient: { uri: "swpt:7/1111" }, amount: 1 };

let testServer: TestServer;
before(async () => {
  testServer = await startTestServer();
});
after(() => testServer.close());

async function errorsOf(method: string, path: string, body: string | object): Promise<unknown> {
  const response = await testServer.send(method, path, body);
  const { code, status, errors } = (await jsonOf(response)) as Record<string, unknown>;
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.deepEqual([response.status, code, status], [422, 422n, "Unprocessable Entity"]);
  return (errors as { json: unknown }).json;
}

const namesOf = (errors: unknown): unknown =>
  Array.isArray(errors)
    ? "texts"
    : Object.fromEntries(Object.entries(errors as object).map(([name, inner]) => [name, namesOf(inner)]));

test("all wrong fields are reported together, in the nesting of the request", async () => {
  const errors = await errorsOf("POST", "/debtors/7/transfers/", {
    type: "Transfer",
    transferUuid: "1",
    recipient: { type: "Account", x: 1 },
    amount: -1,
    noteFormat: "!",
    note: 5,
    other: null,
  });
  assert.deepEqual(namesOf(errors), {
    type: "texts",
    transferUuid: "texts",
    recipient: { type: "texts", uri: "texts", x: "texts" },
    amount: "texts",
    noteFormat: "texts",
    note: "texts",
    other: "texts",
  });
});

test("fields named like parts of JavaScript objects are unknown fields", async () => {
  const body = '{"__proto__": {"amount": 1}, "constructor": 1, "toString": 2, "hasOwnProperty": 3}';
  assert.deepEqual(namesOf(await errorsOf("POST", "/debtors/7/deactivate", body)), {
    ["__proto__"]: "texts",
    constructor: "texts",
    toString: "texts",
    hasOwnProperty: "texts",
  });
});

for (const number of ["1.0", "1.5", "1e2", '"1"', '" 1 "', "true", "-0.0", "9223372036854775808", "-1"]) {
  test(`an amount of ${number} is rejected`, async () => {
    const body = JSON.stringify(transfer).replace('"amount":1', `"amount":${number}`);
    assert.deepEqual(namesOf(await errorsOf("POST", "/debtors/7/transfers/", body)), { amount: "texts" });
  });
}

for (const number of ["-5.7", '"-8"', '"-1_0"', "-1e3", "0.9", "1", "-9223372036854775809"]) {
  test(`a minimum balance of ${number} is rejected`, async () => {
    const errors = await errorsOf("POST", "/debtors/7/restrict", `{"minBalance": ${number}}`);
    assert.deepEqual(namesOf(errors), { minBalance: "texts" });
  });
}

for (const number of ['"2"', "3.9", "0", "9223372036854775808"]) {
  test(`a latestUpdateId of ${number} is rejected`, async () => {
    const errors = await errorsOf("PATCH", "/debtors/7/config", `{"configData": "x", "latestUpdateId": ${number}}`);
    assert.deepEqual(namesOf(errors), { latestUpdateId: "texts" });
  });
}

for (const [what, text] of [
  ["a NUL character", "\\u0000"],
  ["a lone surrogate", "\\ud800"],
] as const) {
  test(`${what} is rejected in every text`, async () => {
    const config = `{"configData": "a${text}", "latestUpdateId": 2}`;
    assert.deepEqual(namesOf(await errorsOf("PATCH", "/debtors/7/config", config)), { configData: "texts" });
    const reservation = `{"reservationId": "${text}"}`;
    assert.deepEqual(namesOf(await errorsOf("POST", "/debtors/9/activate", reservation)), { reservationId: "texts" });
    for (const [field, names] of [
      ["note", { note: "texts" }],
      ["noteFormat", { noteFormat: "texts" }],
      ["transferUuid", { transferUuid: "texts" }],
    ] as const) {
      const body = JSON.stringify({ ...transfer, [field]: "TEXT" }).replace("TEXT", text);
      assert.deepEqual(namesOf(await errorsOf("POST", "/debtors/7/transfers/", body)), names);
    }
    const body = JSON.stringify({ ...transfer, recipient: { uri: "swpt:7/TEXT" } }).replace("TEXT", text);
    assert.deepEqual(namesOf(await errorsOf("POST", "/debtors/7/transfers/", body)), { recipient: { uri: "texts" } });
  });
}

test("an account ID with a NUL character in its base64 is rejected", async () => {
  const errors = await errorsOf("POST", "/debtors/7/transfers/", { ...transfer, recipient: { uri: "swpt:7/!AAAA" } });
  assert.deepEqual(namesOf(errors), { recipient: { uri: "texts" } });
});

test("a newline at the end of a note format or an account URI is not ignored", async () => {
  const errors = await errorsOf("POST", "/debtors/7/transfers/", { ...transfer, noteFormat: "a\n" });
  assert.deepEqual(namesOf(errors), { noteFormat: "texts" });
  for (const uri of ["swpt:7/1\n", "swpt:7/!YQ==\n"]) {
    const uriErrors = await errorsOf("POST", "/debtors/7/transfers/", { ...transfer, recipient: { uri } });
    assert.deepEqual(namesOf(uriErrors), { recipient: { uri: "texts" } });
  }
});

for (const spelling of [
  `{${uuid}}`,
  `urn:uuid:${uuid}`,
  `uuid:${uuid}`,
  "1-2-3e4567e89b12d3a456426655440000",
  "123e4567--e89b-12d3-a456-426655440000",
  "123e4567-e89b-12d3-a456-42665544000 ",
  "123e4567-e89b-12d3-a456-42_665544000",
  "0x123e45-67e8-9b12-d3a4-566655440000",
  "123e4567-e89b-12d3-a456-42665544000\u0661",
]) {
  test(`a UUID spelled ${JSON.stringify(spelling)} is rejected`, async () => {
    const errors = await errorsOf("POST", "/debtors/7/transfers/", { ...transfer, transferUuid: spelling });
    assert.deepEqual(namesOf(errors), { transferUuid: "texts" });
  });
}

test("deeply nested JSON and huge numbers are rejected like other wrong values", async () => {
  for (const depth of [5_000, 10_000]) {
    const response = await testServer.send("POST", "/debtors/7/deactivate", "[".repeat(depth) + "]".repeat(depth));
    assert.ok([400, 422].includes(response.status), String(response.status));
    await response.body?.cancel();
  }
  const huge = "1".repeat(20_000);
  assert.deepEqual(namesOf(await errorsOf("POST", "/debtors/7/restrict", `{"minBalance": -${huge}}`)), {
    minBalance: "texts",
  });
});

test("NaN and Infinity are not JSON", async () => {
  for (const body of ["NaN", "[Infinity]", '{"x": NaN}', '{"type": -Infinity}']) {
    const response = await testServer.send("POST", "/debtors/7/deactivate", body);
    const { errors } = (await response.json()) as { errors: { json: string[] } };
    assert.deepEqual([response.status, errors.json.length], [400, 1]);
  }
});

test("int64 values are exact in requests and answers", async () => {
  const response = await testServer.send("POST", "/debtors/8/restrict", '{"minBalance": -9223372036854775807}');
  assert.equal(response.status, 200);
  assert.equal(((await jsonOf(response)) as { minBalance: bigint }).minBalance, -9223372036854775807n);
  const created = await testServer.send(
    "POST",
    "/debtors/8/transfers/",
    `{"transferUuid": "${uuid}", "recipient": {"uri": "swpt:8/1"}, "amount": 9007199254740993}`,
  );
  assert.equal(created.status, 201);
  assert.equal(((await jsonOf(created)) as { amount: bigint }).amount, 9007199254740993n);
});

test("a configuration that would make too large a message is 422 at configData", async () => {
  for (const configData of ["\u0001".repeat(1500), "\u0001".repeat(1315), `"${"\u001f".repeat(1167)}`]) {
    const errors = await errorsOf("PATCH", "/debtors/7/config", { configData, latestUpdateId: 2 });
    assert.deepEqual(errors, { configData: ["Must not have more than 7000 bytes as a JSON string."] });
  }
  const accepted = await testServer.send("PATCH", "/debtors/7/config", {
    configData: "\u0001".repeat(1166),
    latestUpdateId: 2,
  });
  assert.equal(accepted.status, 200);
  await accepted.body?.cancel();
});
