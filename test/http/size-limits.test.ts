/** No text that the API accepts makes a message that is too large for another program. Spec: size-limits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DebtorConfigRequest } from "../../src/http/schemas/debtors.ts";
import { TransferCreationRequest } from "../../src/http/schemas/transfers.ts";
import { compileValidator } from "../../src/http/schemas/validation.ts";
import { encodeConfigureAccount, encodeFinalizeTransfer, encodePrepareTransfer } from "../../src/messages/outgoing.ts";
import { INT32_MIN, INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { stringifyJson } from "../../src/values/json.ts";
import { parseTimestamp } from "../../src/values/timestamp.ts";

const STOMP_BODY_BYTES_MAX = 8192;
const ts = parseTimestamp("9999-12-31T23:59:59.999999+00:00")!;

const validateConfig = compileValidator(DebtorConfigRequest);
const isAccepted = (configData: string): boolean =>
  validateConfig({ configData, latestUpdateId: 2n }).errors === undefined;

/** Texts that grow a lot in JSON, and texts that do not. */
const configData = fc
  .array(fc.tuple(fc.constantFrom("\u0001", "\u001f", '"', "\\", "\n", "a", "\u007f", "é", "€", "😀"), fc.nat(1200)), {
    maxLength: 4,
  })
  .map((runs) => runs.map(([character, count]) => character.repeat(count)).join(""));

const configureAccountSize = (text: string): number =>
  Buffer.byteLength(
    encodeConfigureAccount({
      debtorId: INT64_MIN,
      ts,
      seqnum: INT32_MIN,
      negligibleAmount: 2 ** 63,
      configData: text,
      configFlags: INT32_MIN,
    }).body,
  );

const longestFloat = "-1.7976931348623157e+308";
/** What the accounting authority answers, with the longest values that are not a text of its own choice. */
const answers: readonly ((text: string) => string)[] = [
  (text) =>
    `{"type":"RejectedConfig","debtor_id":${INT64_MIN},"creditor_id":${INT64_MIN},"config_ts":"9999-12-31T23:59:59.999999+00:00",` +
    `"config_seqnum":${INT32_MIN},"config_flags":${INT32_MIN},"config_data":${stringifyJson(text)},` +
    `"negligible_amount":${longestFloat},"rejection_code":${stringifyJson("\u0001".repeat(30))},` +
    `"ts":"9999-12-31T23:59:59.999999+00:00"}`,
  (text) =>
    `{"type":"AccountUpdate","debtor_id":${INT64_MIN},"creditor_id":${INT64_MIN},"creation_date":"9999-12-31",` +
    `"last_change_ts":"9999-12-31T23:59:59.999999+00:00","last_change_seqnum":${INT32_MIN},"principal":${INT64_MIN},` +
    `"interest":${longestFloat},"interest_rate":${longestFloat},` +
    `"last_interest_rate_change_ts":"9999-12-31T23:59:59.999999+00:00","last_config_ts":"9999-12-31T23:59:59.999999+00:00",` +
    `"last_config_seqnum":${INT32_MIN},"negligible_amount":${longestFloat},"config_flags":${INT32_MIN},` +
    `"config_data":${stringifyJson(text)},"account_id":"${"x".repeat(100)}","debtor_info_iri":"",` +
    `"debtor_info_content_type":"","debtor_info_sha256":"${"F".repeat(64)}","last_transfer_number":${INT64_MAX},` +
    `"last_transfer_committed_at":"9999-12-31T23:59:59.999999+00:00","demurrage_rate":${longestFloat},` +
    `"commit_period":2147483647,"transfer_note_max_bytes":500,"ts":"9999-12-31T23:59:59.999999+00:00","ttl":2147483647}`,
];

test("a configuration that is accepted fits into every message that repeats it", () => {
  let largest = 0;
  fc.assert(
    fc.property(configData, (text) => {
      fc.pre(isAccepted(text));
      const sizes = [configureAccountSize(text), ...answers.map((answer) => Buffer.byteLength(answer(text)))];
      largest = Math.max(largest, ...sizes);
      for (const size of sizes) assert.ok(size <= STOMP_BODY_BYTES_MAX, `${size} bytes`);
    }),
    { numRuns: 2_000, examples: [["\u0001".repeat(1166)], ["a".repeat(2000)], ["€".repeat(666)], ["\\".repeat(2000)]] },
  );
  assert.ok(largest > STOMP_BODY_BYTES_MAX - 200, `the limit is met, almost: ${largest}`);
});

test("7,000 bytes as a JSON string are accepted, and one more is not", () => {
  for (const [text, bytes] of [
    ["\u0001".repeat(1166), 6998],
    [`${"\u0001".repeat(1166)}ab`, 7000],
    [`${"\u0001".repeat(1166)}abc`, 7001],
    ["\u0001".repeat(1167), 7004],
    [`${"\u0001".repeat(1166)}"`, 7000],
    [`${"\u0001".repeat(1166)}"a`, 7001],
    ["\u0001".repeat(1500), 9002],
  ] as const) {
    assert.equal(Buffer.byteLength(stringifyJson(text)), bytes);
    assert.equal(isAccepted(text), bytes <= 7000, `${bytes}`);
  }
});

test("no configuration without control characters meets the limit", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 2000 }), (text) => {
      fc.pre(Buffer.byteLength(text) <= 2000);
      assert.ok(isAccepted(text.replaceAll(/\p{Cc}/gu, "\n")));
    }),
    { examples: [['"'.repeat(2000)], ["\n".repeat(2000)], ["é".repeat(1000)], ["😀".repeat(500)]] },
  );
});

test("an accepted transfer fits into its messages, with any note and recipient", () => {
  const validate = compileValidator(TransferCreationRequest);
  const note = "\u0001".repeat(500);
  const request = {
    transferUuid: "123e4567-e89b-12d3-a456-426655440000",
    recipient: { uri: "swpt:7/1" },
    amount: INT64_MAX,
    noteFormat: "abcdefgh",
  };
  assert.equal(validate({ ...request, note }).errors, undefined);
  assert.notEqual(validate({ ...request, note: `${note}\u0001` }).errors, undefined);
  const ids = { debtorId: INT64_MIN, creditorId: INT64_MIN, transferId: INT64_MIN, coordinatorRequestId: INT64_MIN };
  const finalizing = encodeFinalizeTransfer({
    ...ids,
    coordinatorId: INT64_MIN,
    committedAmount: INT64_MAX,
    transferNoteFormat: request.noteFormat,
    transferNote: note,
    ts,
  });
  const preparing = encodePrepareTransfer({ ...ids, amount: INT64_MAX, recipient: "\u0001".repeat(100), ts });
  for (const { body } of [finalizing, preparing]) assert.ok(Buffer.byteLength(body) <= STOMP_BODY_BYTES_MAX);
});
