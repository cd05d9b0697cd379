import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  type ConfigureAccount,
  encodeConfigureAccount,
  encodeFinalizeTransfer,
  encodePrepareTransfer,
} from "../../src/messages/outgoing.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { parseJson } from "../../src/values/json.ts";
import type { Timestamp } from "../../src/values/timestamp.ts";

const ts = 1_795_428_000_123_456n as Timestamp; // 2026-11-23T10:00:00.123456+00:00
const configuration: ConfigureAccount = {
  debtorId: INT64_MIN,
  ts,
  seqnum: -2147483648,
  negligibleAmount: 5000,
  configData: '{"info":{"iri":"https://пример.example/"}}',
  configFlags: 0,
};

describe("ConfigureAccount", () => {
  test("has all its fields, exact, and non-ASCII characters unescaped", () => {
    const { type, headers, body } = encodeConfigureAccount(configuration);
    assert.equal(type, "ConfigureAccount");
    assert.deepEqual(headers, { "message-type": "ConfigureAccount", "debtor-id": INT64_MIN, "creditor-id": 0n });
    assert.deepEqual(parseJson(body), {
      type: "ConfigureAccount",
      debtor_id: INT64_MIN,
      creditor_id: 0n,
      ts: "2026-11-23T10:00:00.123456+00:00",
      seqnum: -2147483648n,
      negligible_amount: 5000,
      config_data: configuration.configData,
      config_flags: 0n,
    });
    assert.match(body, /пример/);
    assert.doesNotMatch(body, /[:,{] | [:,}]/);
  });

  test("writes the negligible amount of each recorded minimum balance, in single precision, as a float", () => {
    for (const { minBalance, negligibleAmount } of readVectors()) {
      const { body } = encodeConfigureAccount({ ...configuration, negligibleAmount: Number(-minBalance) });
      const text = /"negligible_amount":([^,]+)/.exec(body)![1]!;
      assert.match(text, /[.e]/);
      // As precise as single precision is; how many digits were written is not important.
      assert.ok(Math.abs(Number(text) - negligibleAmount) <= negligibleAmount * 1e-6, `${minBalance}: ${text}`);
      assert.equal(Math.fround(Number(text)), Math.fround(Number(-minBalance)));
    }
  });

  test("writes every amount that single precision holds so that it is read back as that", () => {
    const real = fc.float({ min: 0, noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(real, (negligibleAmount) => {
        const { body } = encodeConfigureAccount({ ...configuration, negligibleAmount });
        const text = /"negligible_amount":([^,]+)/.exec(body)![1]!;
        assert.match(text, /[.e]/);
        assert.equal(Math.fround(Number(text)), Math.fround(negligibleAmount) + 0);
      }),
    );
  });
});

const int64 = fc.oneof(fc.bigInt(INT64_MIN, INT64_MAX), fc.constantFrom(INT64_MIN, INT64_MAX, 2n ** 53n + 1n));
const amount = fc.bigInt(0n, INT64_MAX);

test("PrepareTransfer locks exactly the amount, without a deadline, on the debtor's own account", () => {
  fc.assert(
    fc.property(int64, int64, amount, (debtorId, coordinatorRequestId, amount) => {
      const message = { debtorId, coordinatorRequestId, amount, recipient: "holder", ts };
      const { type, headers, body } = encodePrepareTransfer(message);
      assert.equal(type, "PrepareTransfer");
      assert.deepEqual(headers, {
        "message-type": "PrepareTransfer",
        "debtor-id": debtorId,
        "creditor-id": 0n,
        "coordinator-id": debtorId,
        "coordinator-type": "issuing",
      });
      assert.deepEqual(parseJson(body), {
        type: "PrepareTransfer",
        coordinator_type: "issuing",
        coordinator_id: debtorId,
        coordinator_request_id: coordinatorRequestId,
        min_locked_amount: amount,
        max_locked_amount: amount,
        debtor_id: debtorId,
        creditor_id: 0n,
        recipient: "holder",
        ts: "2026-11-23T10:00:00.123456+00:00",
        max_commit_delay: 2147483647n,
        final_interest_rate_ts: "9999-12-31T23:59:59+00:00",
      });
    }),
  );
});

test("FinalizeTransfer carries all IDs, the amount, the note and its format", () => {
  const ids = {
    debtorId: int64,
    creditorId: int64,
    transferId: int64,
    coordinatorId: int64,
    coordinatorRequestId: int64,
  };
  const notes = { transferNoteFormat: fc.string(), transferNote: fc.string({ unit: "binary" }) };
  fc.assert(
    fc.property(fc.record({ ...ids, committedAmount: amount, ...notes }), (fields) => {
      const { type, headers, body } = encodeFinalizeTransfer({ ...fields, ts });
      assert.equal(type, "FinalizeTransfer");
      assert.deepEqual(headers, {
        "message-type": "FinalizeTransfer",
        "debtor-id": fields.debtorId,
        "creditor-id": fields.creditorId,
        "coordinator-id": fields.coordinatorId,
        "coordinator-type": "issuing",
      });
      assert.deepEqual(parseJson(body), {
        type: "FinalizeTransfer",
        debtor_id: fields.debtorId,
        creditor_id: fields.creditorId,
        transfer_id: fields.transferId,
        coordinator_type: "issuing",
        coordinator_id: fields.coordinatorId,
        coordinator_request_id: fields.coordinatorRequestId,
        committed_amount: fields.committedAmount,
        transfer_note_format: fields.transferNoteFormat,
        transfer_note: fields.transferNote,
        ts: "2026-11-23T10:00:00.123456+00:00",
      });
    }),
  );
});

function readVectors(): { minBalance: bigint; negligibleAmount: number }[] {
  const file = readFileSync(new URL("../golden/vectors/negligible-amount-send.json", import.meta.url), "utf8");
  return (parseJson(file) as { vectors: { minBalance: bigint; negligibleAmount: number }[] }).vectors;
}
