import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../../src/config.ts";
import { infoIriOf } from "../../src/domain/info-iri.ts";
import { isNegligibleAmountOf } from "../../src/domain/negligible-amount.ts";
import { callerOf } from "../../src/http/auth/subjects.ts";
import { iriToLocation } from "../../src/http/response/iri-to-location.ts";
import { Fields, InvalidMessageError } from "../../src/messages/fields.ts";
import {
  isInt64,
  parseEnvironmentId,
  parseUnsigned,
  toSigned,
  toUnsigned,
  UINT64_MAX,
} from "../../src/values/int64.ts";
import { formatFloat32, type Json, parseJson } from "../../src/values/json.ts";
import { isLaterSeqnum, nextSeqnum } from "../../src/values/seqnum.ts";
import { isInShard, messageRoutingKey, parentShard, parseShard } from "../../src/values/shard.ts";
import { formatAccountUri, formatDebtorUri, parseAccountUri, parseDebtorUri } from "../../src/values/swpt-uri.ts";
import { formatTimestamp, parseDate, parseTimestamp, type Timestamp } from "../../src/values/timestamp.ts";
import { parseUuid } from "../../src/values/uuid.ts";
import { readVectors, type Vector } from "./vectors.ts";

/** One test over all vectors of a file. */
function testVectors(name: string, check: (vector: Vector, isRefused: boolean, isQuirk: boolean) => void): void {
  test(`the recorded vectors of ${name} hold, and its deviations are rejected`, () => {
    const vectors = readVectors(name);
    assert.ok(vectors.length > 0);
    for (const { vector, isRefused, isQuirk } of vectors) {
      try {
        check(vector, isRefused, isQuirk);
      } catch (error) {
        throw new Error(
          `The vector ${JSON.stringify(vector, (_key, value) => (typeof value === "bigint" ? `${value}` : value))}`,
          {
            cause: error,
          },
        );
      }
    }
  });
}

testVectors("i64-to-u64", ({ input, output }, isRefused) => {
  const isInRange = isInt64(input as bigint);
  assert.equal(isInRange, !isRefused);
  if (isInRange) assert.equal(toUnsigned(input as bigint), output);
});

testVectors("u64-to-i64", ({ input, output }, isRefused) => {
  const isInRange = (input as bigint) >= 0n && (input as bigint) <= UINT64_MAX;
  assert.equal(isInRange, !isRefused);
  assert.equal(parseUnsigned(String(input)), isRefused ? undefined : output);
  if (isInRange) assert.equal(toSigned(input as bigint), output);
});

testVectors("debtor-id-env", ({ text, output }, isRefused) => {
  assert.equal(parseEnvironmentId(text as string), isRefused ? undefined : output);
});

testVectors("debtor-uri-make", ({ debtorId, output }, isRefused) => {
  assert.equal(isInt64(debtorId as bigint), !isRefused);
  if (!isRefused) assert.equal(formatDebtorUri(debtorId as bigint), output);
});

testVectors("debtor-uri-parse", ({ uri, output }, isRefused) => {
  assert.equal(parseDebtorUri(uri as string), isRefused ? undefined : output);
});

testVectors("account-uri-make", ({ debtorId, accountId, output, error }, _isRefused, isQuirk) => {
  const make = () => formatAccountUri({ debtorId: debtorId as bigint, accountId: accountId as string });
  if (error) assert.throws(make, RangeError);
  else if (isQuirk)
    assert.deepEqual(parseAccountUri(make()), { debtorId, accountId }, "an ID with a newline has the base64 form");
  else assert.equal(make(), output);
});

testVectors("account-uri-parse", ({ uri, output }, isRefused) => {
  assert.deepEqual(parseAccountUri(uri as string), isRefused ? undefined : { ...(output as object) });
});

testVectors("datetime-format", ({ micros, text }) => {
  assert.equal(formatTimestamp(micros as Timestamp), text);
});

testVectors("datetime-parse", ({ text, output }, isRefused) => {
  const { micros, zone } = (output ?? {}) as { micros?: bigint; zone?: boolean };
  assert.equal(parseTimestamp(text as string), isRefused || !zone ? undefined : micros);
});

testVectors("date-parse", ({ text, output }, isRefused) => {
  assert.equal(parseDate(text as string), isRefused ? undefined : output);
});

testVectors("uuid-parse", ({ text, output }, isRefused) => {
  assert.equal(parseUuid(text as string), isRefused ? undefined : output);
});

testVectors("seqnum-compare", ({ a, b, bIsLater }) => {
  assert.equal(isLaterSeqnum(Number(b), Number(a)), bIsLater);
});

testVectors("seqnum-increment", ({ input, output }) => {
  assert.equal(nextSeqnum(Number(input)), Number(output));
});

testVectors("routing-key-syntax", ({ routingKey, valid }, isRefused) => {
  assert.equal(parseShard(routingKey as string) !== undefined, valid === true && !isRefused);
});

testVectors("bin-routing-key", ({ debtorId, routingKey }) => {
  assert.equal(messageRoutingKey(debtorId as bigint), routingKey);
});

testVectors("sharding", ({ routingKey, debtorId, match, matchParent }) => {
  const shard = parseShard(routingKey as string)!;
  assert.equal(isInShard(shard, debtorId as bigint), match);
  assert.equal(isInShard(parentShard(shard), debtorId as bigint), matchParent);
});

/** Reads one field of a message out of JSON text. `undefined`: the message is invalid. */
function readField<Value>(json: Json, read: (fields: Fields) => Value): Value | undefined {
  try {
    return read(new Fields("AccountUpdate", { type: "AccountUpdate", field: parseJson(json as string) }));
  } catch (error) {
    if (error instanceof InvalidMessageError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

testVectors("json-integer", ({ json, output }, isRefused) => {
  const read = readField(json!, (fields) => fields.int64("field", -(10n ** 30n), 10n ** 30n));
  assert.equal(read, isRefused ? undefined : output);
});

testVectors("json-float", ({ json, output }, isRefused) => {
  const read = readField(json!, (fields) => fields.float("field"));
  assert.equal(read, isRefused ? undefined : output);
});

testVectors("negligible-amount-match", ({ minBalance, negligibleAmount, matches }) => {
  assert.equal(isNegligibleAmountOf(minBalance as bigint, Number(negligibleAmount)), matches);
});

testVectors("negligible-amount-send", ({ minBalance, negligibleAmount }) => {
  const text = formatFloat32(-Number(minBalance));
  assert.match(text, /[.e]/);
  // A `real` column keeps the same number, whichever of the two texts it is given.
  assert.equal(Math.fround(Number(text)) + 0, Math.fround(Number(negligibleAmount)) + 0);
});

testVectors("info-iri", ({ configData, iri }, isRefused) => {
  assert.equal(infoIriOf(configData as string), isRefused ? null : iri);
});

testVectors("iri-to-location", ({ iri, location }) => {
  assert.equal(iriToLocation(iri as string), location);
});

testVectors("subject", ({ subject, caller, debtorId }, _isRefused, isQuirk) => {
  const { subjects } = readConfig({}, []);
  const expected =
    isQuirk || caller === null ? undefined : { kind: caller, ...(debtorId !== undefined && { debtorId }) };
  assert.deepEqual(callerOf(subjects, subject as string), expected);
});
