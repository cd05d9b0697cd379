import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileSerializer } from "../../src/http/schemas/serialization.ts";
import { Transfer } from "../../src/http/schemas/transfers.ts";
import { parseJson } from "../../src/values/json.ts";
import type { Uuid } from "../../src/values/uuid.ts";

const write = compileSerializer(Transfer);

const int64 = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const error = fc.record(
  { type: fc.constant("TransferError" as const), errorCode: fc.string({ unit: "binary" }), totalLockedAmount: int64 },
  { requiredKeys: ["type", "errorCode"] },
);
const result = fc.record(
  { type: fc.constant("TransferResult" as const), finalizedAt: fc.string(), committedAmount: int64, error },
  { requiredKeys: ["type", "finalizedAt", "committedAmount"] },
);
const transfer = fc.record(
  {
    type: fc.constant("Transfer" as const),
    uri: fc.string(),
    transferUuid: fc.uuid().map((uuid) => uuid as Uuid),
    transfersList: fc.record({ uri: fc.string() }),
    recipient: fc.record({ type: fc.constant("AccountIdentity" as const), uri: fc.string({ unit: "binary" }) }),
    amount: int64,
    noteFormat: fc.string(),
    note: fc.string({ unit: "binary" }),
    initiatedAt: fc.string(),
    checkupAt: fc.string(),
    result,
  },
  {
    requiredKeys: [
      "type",
      "uri",
      "transferUuid",
      "transfersList",
      "recipient",
      "amount",
      "noteFormat",
      "note",
      "initiatedAt",
    ],
  },
);

test("serialized objects are parsed as the same objects, with exact integers", () => {
  fc.assert(
    fc.property(transfer, (object) => {
      assert.deepEqual(parseJson(write(object)), structuredClone(object));
    }),
  );
});

test("fields that the schema does not have are left out, and a missing required one throws", () => {
  const [object] = fc.sample(transfer, 1);
  assert.ok(!write({ ...object!, secret: 1 } as never).includes("secret"));
  assert.throws(() => write({ ...object!, amount: undefined } as never), TypeError);
});
