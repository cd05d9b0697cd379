/** The document accepts the request objects that the server accepts, and no others. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { type Json, parseJson, stringifyJson } from "../../src/values/json.ts";
import { parseShard } from "../../src/values/shard.ts";
import { startTestServer, type TestServer } from "../http/test-server.ts";
import { type Operation, readContract } from "./contract.ts";

const uuid = "123e4567-e89b-12d3-a456-426655440000";

/** A valid request object of each operation, with a path where it does not affect the others. */
const goodRequests: Readonly<Record<string, { readonly path: string; readonly body: { [field: string]: Json } }>> = {
  reserveRandomDebtor: { path: "/debtors/.debtor-reserve", body: { type: "DebtorReservationRequest" } },
  reserveDebtor: { path: "/debtors/7/reserve", body: { type: "DebtorReservationRequest" } },
  activateDebtor: { path: "/debtors/9/activate", body: { type: "DebtorActivationRequest", reservationId: "1" } },
  deactivateDebtor: { path: "/debtors/10/deactivate", body: { type: "DebtorDeactivationRequest" } },
  restrictDebtor: { path: "/debtors/8/restrict", body: { type: "DebtorRestrictionRequest", minBalance: -1n } },
  updateDebtorConfig: {
    path: "/debtors/7/config",
    body: { type: "DebtorConfig", configData: "x", latestUpdateId: 2n },
  },
  createTransfer: {
    path: "/debtors/7/transfers/",
    body: {
      type: "TransferCreationRequest",
      transferUuid: uuid,
      recipient: { type: "AccountIdentity", uri: "swpt:7/17" },
      amount: 1n,
      noteFormat: ".",
      note: "x",
    },
  },
  cancelTransfer: { path: `/debtors/7/transfers/${uuid}`, body: { type: "TransferCancelationRequest" } },
};

/** What the document says only in descriptions, because it depends on other values. */
const reasonsBeyondSchemas = new Set([
  "There is no such reservation for this debtor.",
  "Must be an account of this debtor.",
]);

let testServer: TestServer;
let contract: ReadonlyMap<string, Operation>;
before(async () => {
  // There are enough debtor IDs to reserve.
  const realm = { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard: parseShard("#")! };
  testServer = await startTestServer({ APP_MAX_TRANSFERS_PER_MONTH: "1000000" }, { realm });
  contract = readContract(await (await testServer.fetch("/debtors/.docs/openapi.json")).text());
});
after(() => testServer?.close());

// Floats with a whole value (1.0) are left out: for JSON Schema they are integers, and for the server they are none.
const integers = [0n, 1n, -1n, 2n ** 53n + 1n, INT64_MAX, INT64_MAX + 1n, INT64_MIN, INT64_MIN - 1n, 10n ** 30n];
const texts = [
  ...["", "x", ".", "a-B.9", "12345678", "123456789", "a_b", "\n", "x\n", "\0", "a\0b", "é", "😀", "null"],
  ...[uuid, uuid.toUpperCase(), uuid.replaceAll("-", ""), uuid.replace("-", ""), `{${uuid}}`, `${uuid}\n`],
  ...[500, 501, 2000, 2001].flatMap((length) => ["x".repeat(length), "é".repeat(length / 2), "😀".repeat(length / 4)]),
  ...["swpt:7/17", "swpt:8/17", `swpt:7/${"1".repeat(193)}`, `swpt:7/${"1".repeat(194)}`],
];
const value: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(...integers, ...texts, null, true, 1.5, [], [1n], {}, { uri: "swpt:7/17" }),
  fc.string({ unit: "binary", maxLength: 20 }).filter((text) => text.isWellFormed()),
);

/** The valid object with some of its fields replaced, removed or added, nested ones included. */
function mutations(good: { [field: string]: Json }): fc.Arbitrary<Json> {
  const fields = Object.keys(good);
  const change = fc.oneof(
    fc.record({ kind: fc.constant("replace" as const), field: fc.constantFrom(...fields), value }),
    fc.record({ kind: fc.constant("remove" as const), field: fc.constantFrom(...fields), value }),
    fc.record({ kind: fc.constant("replace" as const), field: fc.constantFrom("other", "Type", ""), value }),
  );
  const changed = fc.array(change, { maxLength: 2 }).map((changes) => {
    const body = { ...good };
    for (const { kind, field, value } of changes) {
      if (kind === "remove") delete body[field];
      else body[field] = value;
    }
    return body;
  });
  const inner = Object.entries(good).find(([, part]) => typeof part === "object") as [string, typeof good] | undefined;
  return fc.oneof(
    { arbitrary: changed, weight: 6 },
    { arbitrary: value, weight: 1 },
    ...(inner === undefined
      ? []
      : [{ arbitrary: mutations(inner[1]).map((part) => ({ ...good, [inner[0]]: part })), weight: 3 }]),
  );
}

/** Whether the server accepts the form of the object, even when it rejects the request later. */
async function isAccepted(method: string, path: string, body: Json): Promise<boolean> {
  const response = await testServer.send(method, path, stringifyJson(body));
  const text = await response.text();
  assert.ok(response.status < 500, `${response.status} ${text}`);
  assert.notEqual(response.status, 400, text);
  if (response.status !== 422) return true;
  const reasons = [...text.matchAll(/\["([^"]*)"\]/g)].map(([, reason = ""]) => reason);
  return reasons.length === 1 && reasonsBeyondSchemas.has(reasons[0]!);
}

for (const [operationId, { path, body: good }] of Object.entries(goodRequests)) {
  test(`the server and the document accept the same request objects of ${operationId}`, async () => {
    const { method, accepts } = contract.get(operationId)!;
    assert.ok(accepts!(good), "the good one, says the document");
    assert.ok(await isAccepted(method, path, good), "the good one, says the server");
    await fc.assert(
      fc.asyncProperty(mutations(good), async (body) => {
        assert.equal(await isAccepted(method, path, body), accepts!(parseJson(stringifyJson(body))));
      }),
      { numRuns: 300 },
    );
  });
}

test("every operation that takes a request object is among these", () => {
  const taking = [...contract.values()].filter(({ accepts }) => accepts !== undefined);
  assert.deepEqual(taking.map(({ operationId }) => operationId).sort(), Object.keys(goodRequests).sort());
});
