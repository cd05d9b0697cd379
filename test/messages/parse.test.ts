import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { InvalidMessageError } from "../../src/messages/fields.ts";
import { parseMessage } from "../../src/messages/parse.ts";
import { INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { formatTimestamp, parseTimestamp, type Timestamp } from "../../src/values/timestamp.ts";
import {
  bodyOf,
  type FieldTexts,
  fieldNamesOf,
  type MessageType,
  messageTypes,
  parseSample,
} from "./sample-messages.ts";

const parseText = (
  type: string | undefined,
  text: string | Buffer,
  contentType: string | undefined = "application/json",
) => parseMessage(contentType, type, Buffer.from(text));

function assertInvalid(run: () => unknown, reason: RegExp): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof InvalidMessageError);
    assert.match(error.message, reason);
    return true;
  });
}

const isTaken = (type: MessageType, changes: FieldTexts): boolean => {
  try {
    parseSample(type, changes);
    return true;
  } catch (error) {
    assert.ok(error instanceof InvalidMessageError);
    return false;
  }
};

describe("the envelope", () => {
  test("has exactly the content type application/json", () => {
    for (const contentType of ["", "text/plain", "application/json; charset=utf-8", "Application/JSON"]) {
      assertInvalid(() => parseText("AccountPurge", bodyOf("AccountPurge"), contentType), /content type/);
    }
    assertInvalid(() => parseMessage(undefined, "AccountPurge", Buffer.from(bodyOf("AccountPurge"))), /content type/);
  });

  test("has one of the seven types, and names of built-in object properties are unknown types", () => {
    for (const type of ["", "accountpurge", "ConfigureAccount", "constructor", "__proto__", "toString"]) {
      assertInvalid(() => parseText(type, bodyOf("AccountPurge")), /Unknown message type/);
    }
    assertInvalid(() => parseText(undefined, bodyOf("AccountPurge")), /Unknown message type: none/);
  });

  test("agrees with the type in the body", () => {
    for (const type of ['"AccountUpdate"', '"accountPurge"', "null", "1", undefined]) {
      assertInvalid(() => parseSample("AccountPurge", { type }), /^AccountPurge: type /);
    }
  });
});

describe("the body", () => {
  test("is a JSON object in UTF-8", () => {
    for (const text of ["", " ", "{", "[]", "null", "1", '"AccountPurge"', `${bodyOf("AccountPurge")}x`]) {
      assertInvalid(() => parseText("AccountPurge", text), /^AccountPurge: the body/);
    }
    assertInvalid(() => parseText("AccountPurge", `\ufeff${bodyOf("AccountPurge")}`), /not valid JSON/);
    const latin1 = Buffer.from(bodyOf("AccountPurge", { extra: '"é"' }), "latin1");
    assertInvalid(() => parseText("AccountPurge", latin1), /not valid JSON/);
    const encodedSurrogate = Buffer.concat([
      Buffer.from('{"extra": "'),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from(`", ${bodyOf("AccountPurge").slice(1)}`),
    ]);
    assertInvalid(() => parseText("AccountPurge", encodedSurrogate), /not valid JSON/);
  });

  test("may have other fields of any value", () => {
    const expected = parseSample("AccountPurge");
    for (const extra of ["1e400", '"\\u0000"', '"\\ud800"', "[[[[]]]]", '{"debtor_id": 2}', "9".repeat(1000)]) {
      assert.deepEqual(parseSample("AccountPurge", { extra }), expected);
    }
  });

  test("may have a field called __proto__, which changes nothing", () => {
    const text = bodyOf("AccountPurge").replace("{", '{"__proto__": {"debtor_id": 7, "creditor_id": 7}, ');
    assert.deepEqual(parseText("AccountPurge", text), parseSample("AccountPurge"));
    const inherited = text.replace('"creditor_id": 0, ', "");
    assertInvalid(() => parseText("AccountPurge", inherited), /creditor_id is missing/);
  });

  test("may have a field twice: the last one counts", () => {
    const text = bodyOf("AccountPurge").replace("{", '{"debtor_id": 7, "creation_date": false, ');
    assert.deepEqual(parseText("AccountPurge", text), parseSample("AccountPurge"));
  });

  test("is not parsed when it has more than 64 KiB, and is when it has just that", () => {
    for (const type of messageTypes) {
      assertInvalid(() => parseText(type, " ".repeat(65_537)), /: the body has 65537 bytes; at most 65536 are allowed/);
      assertInvalid(() => parseText(type, " ".repeat(65_536)), /not valid JSON/);
    }
  });

  test("is rejected when it is nested too deeply", () => {
    const deep = "[".repeat(30_000) + "]".repeat(30_000);
    assertInvalid(() => parseSample("AccountPurge", { extra: deep }), /not valid JSON/);
  });
});

describe("every field", () => {
  for (const type of messageTypes) {
    test(`of ${type} is required, and is named when it is missing or of another type`, () => {
      for (const name of fieldNamesOf(type)) {
        assertInvalid(() => parseSample(type, { [name]: undefined }), new RegExp(`^${type}: ${name} is missing$`));
        for (const text of ["null", "true", "{}", "[]", "[1]"]) {
          assertInvalid(() => parseSample(type, { [name]: text }), new RegExp(`^${type}: ${name} must `));
        }
      }
    });
  }
});

test("integers are written without a point or an exponent, and not as strings", () => {
  for (const text of ["1.0", "1.5", "1e0", "1E2", "-0.0", '"1"', "1e400"]) {
    assertInvalid(() => parseSample("AccountUpdate", { principal: text }), /principal must be an integer/);
    assertInvalid(() => parseSample("AccountUpdate", { ttl: text }), /ttl must be an integer/);
  }
});

test("floats are finite and may be written as integers, but not as strings", () => {
  for (const text of ["1e400", "-1e400", "1e309", '"1"', "9".repeat(400), "9".repeat(5000)]) {
    assertInvalid(() => parseSample("AccountUpdate", { interest: text }), /interest must be a number/);
  }
  assert.equal(parseSample("AccountUpdate", { negligible_amount: "9007199254740993" }).negligibleAmount, 2 ** 53);
  assert.equal(parseSample("AccountUpdate", { negligible_amount: "1e300" }).negligibleAmount, 1e300);
});

test("floats out of range are rejected", () => {
  for (const name of ["interest_rate", "demurrage_rate"]) {
    assert.ok(isTaken("AccountUpdate", { [name]: "-100" }));
    assert.ok(!isTaken("AccountUpdate", { [name]: "-100.0000001" }));
  }
  assert.ok(!isTaken("AccountUpdate", { demurrage_rate: "1e-9" }));
  assert.ok(!isTaken("AccountUpdate", { negligible_amount: "-1e-9" }));
  assert.ok(!isTaken("RejectedConfig", { negligible_amount: "-1e-9" }));
});

test("integers out of range are rejected, exactly at the bounds", () => {
  const bounds: [MessageType, string, bigint, bigint][] = [
    ["AccountUpdate", "principal", INT64_MIN, INT64_MAX],
    ["AccountUpdate", "last_change_seqnum", BigInt(INT32_MIN), BigInt(INT32_MAX)],
    ["AccountUpdate", "config_flags", BigInt(INT32_MIN), BigInt(INT32_MAX)],
    ["AccountUpdate", "last_transfer_number", 0n, INT64_MAX],
    ["AccountUpdate", "commit_period", 0n, BigInt(INT32_MAX)],
    ["AccountUpdate", "transfer_note_max_bytes", 0n, 500n],
    ["AccountUpdate", "ttl", 0n, BigInt(INT32_MAX)],
    ["PreparedTransfer", "locked_amount", 0n, INT64_MAX],
    ["PreparedTransfer", "transfer_id", INT64_MIN, INT64_MAX],
    ["RejectedTransfer", "total_locked_amount", 0n, INT64_MAX],
    ["FinalizedTransfer", "committed_amount", 0n, INT64_MAX],
    ["FinalizedTransfer", "coordinator_request_id", INT64_MIN, INT64_MAX],
  ];
  for (const [type, name, min, max] of bounds) {
    for (const [value, isIn] of [
      [min, true],
      [max, true],
      [min - 1n, false],
      [max + 1n, false],
    ] as const) {
      assert.equal(isTaken(type, { [name]: value.toString() }), isIn, `${name} ${value}`);
    }
  }
});

test("lengths are counted in bytes of UTF-8, in ASCII characters, or in characters, as the field wants it", () => {
  const lengths: [MessageType, string, string, number][] = [
    ["AccountUpdate", "config_data", "a", 2000],
    ["AccountUpdate", "config_data", "é", 1000],
    ["RejectedConfig", "config_data", "😀", 500],
    ["RejectedConfig", "rejection_code", "a", 30],
    ["AccountUpdate", "account_id", "a", 100],
    ["AccountUpdate", "debtor_info_content_type", "a", 100],
    ["AccountUpdate", "debtor_info_iri", "a", 200],
    ["AccountUpdate", "debtor_info_iri", "😀", 200],
    ["ActivateDebtor", "reservation_id", "😀", 100],
    ["PreparedTransfer", "recipient", "~", 100],
    ["PreparedTransfer", "coordinator_type", "\t", 30],
    ["FinalizedTransfer", "status_code", "O", 30],
  ];
  for (const [type, name, character, max] of lengths) {
    const changes = { committed_amount: type === "FinalizedTransfer" ? "0" : undefined };
    assert.ok(isTaken(type, { ...changes, [name]: JSON.stringify(character.repeat(max)) }), name);
    assert.ok(!isTaken(type, { ...changes, [name]: JSON.stringify(character.repeat(max + 1)) }), name);
  }
  for (const name of ["account_id", "debtor_info_content_type"]) {
    assert.ok(isTaken("AccountUpdate", { [name]: '"~ \\t!\\u0001\\n"' }));
    for (const text of ['"é"', '"a\\u00a0"', '"\\u0080"']) assert.ok(!isTaken("AccountUpdate", { [name]: text }));
  }
  assertInvalid(() => parseSample("PreparedTransfer", { coordinator_type: '""' }), /must have 1 to 30 ASCII/);
});

test("a hash is empty or has 64 hexadecimal digits of one case, and nothing after them", () => {
  for (const hash of ["", "0123456789abcdef".repeat(4), "0123456789ABCDEF".repeat(4)]) {
    assert.ok(isTaken("AccountUpdate", { debtor_info_sha256: JSON.stringify(hash) }));
  }
  for (const hash of ["0".repeat(63), "0".repeat(65), "aA".repeat(32), " ", `${"0".repeat(64)}\n`, "\n"]) {
    assert.ok(!isTaken("AccountUpdate", { debtor_info_sha256: JSON.stringify(hash) }), JSON.stringify(hash));
  }
});

test("no string has a NUL character or a lone surrogate, whether it is stored or not", () => {
  const texts: [MessageType, string][] = [
    ["ActivateDebtor", "reservation_id"],
    ["RejectedConfig", "config_data"],
    ["RejectedConfig", "rejection_code"],
    ["AccountUpdate", "config_data"],
    ["AccountUpdate", "account_id"],
    ["AccountUpdate", "debtor_info_iri"],
    ["PreparedTransfer", "recipient"],
    ["RejectedTransfer", "status_code"],
  ];
  for (const [type, name] of texts) {
    assertInvalid(() => parseSample(type, { [name]: '"a\\u0000"' }), new RegExp(`${name} must not have a NUL`));
    for (const text of ['"\\ud800"', '"a\\udc00"', '"\\udc00\\ud800"']) {
      assertInvalid(() => parseSample(type, { [name]: text }), new RegExp(`${name} must not have a lone surrogate`));
    }
  }
});

test("a date-time has a zone, and dates and days exist", () => {
  for (const ts of [
    "2026-11-23T10:00:00",
    "2026-11-23T10:00",
    "2026-11-23",
    "2026-02-29T00:00:00Z",
    "x",
    "1795428000",
  ]) {
    assertInvalid(() => parseSample("AccountPurge", { ts: `"${ts}"` }), /ts must be an ISO 8601 date-time/);
  }
  for (const date of ["2026-1-2", "2026-02-29", "2026-01-01\\n", "0000-01-01", "10000-01-01", "2026-01-01T00:00:00Z"]) {
    assertInvalid(() => parseSample("AccountPurge", { creation_date: `"${date}"` }), /creation_date must be a date/);
  }
});

test("the same moment is the same timestamp however it is spelled", () => {
  const expected = parseTimestamp("2026-11-23T10:00:00.100000+00:00");
  for (const ts of ["2026-11-23T10:00:00.1Z", "2026-11-23T12:30:00.10+02:30", "2026-11-22T22:00:00.100-12:00"]) {
    assert.equal(parseSample("AccountPurge", { ts: `"${ts}"` }).ts, expected);
  }
});

test("a RejectedTransfer with the status code OK is invalid", () => {
  assertInvalid(() => parseSample("RejectedTransfer", { status_code: '"OK"' }), /status_code must not be OK/);
  assert.ok(isTaken("RejectedTransfer", { status_code: '"ok"' }));
  assert.ok(isTaken("RejectedTransfer", { status_code: '""' }));
});

test("a FinalizedTransfer that is not OK must have a zero amount", () => {
  const invalid = { status_code: '"ok"', committed_amount: "1" };
  assertInvalid(() => parseSample("FinalizedTransfer", invalid), /committed_amount must be 0 unless status_code is OK/);
  assert.ok(isTaken("FinalizedTransfer", { status_code: '"OK"', committed_amount: "0" }));
  assert.ok(isTaken("FinalizedTransfer", { status_code: '"TIMEOUT"', committed_amount: "0" }));
});

describe("written values are parsed exactly, to the last digit", () => {
  const int64 = fc.oneof(fc.bigInt(INT64_MIN, INT64_MAX), fc.constantFrom(INT64_MIN, INT64_MAX, 2n ** 53n + 1n, 0n));
  const amount = fc.oneof(fc.bigInt(0n, INT64_MAX), fc.constantFrom(0n, INT64_MAX, 2n ** 53n + 1n));
  const int32 = fc.oneof(fc.integer({ min: INT32_MIN, max: INT32_MAX }), fc.constantFrom(INT32_MIN, INT32_MAX));
  const timestamp = fc.bigInt(-62_135_596_800_000_000n, 253_402_300_799_999_999n).map((micros) => micros as Timestamp);
  const float = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
  const ascii = fc.string({
    unit: fc.integer({ min: 1, max: 127 }).map((code) => String.fromCharCode(code)),
    maxLength: 30,
  });
  const text = (ts: Timestamp) => `"${formatTimestamp(ts)}"`;

  test("in an AccountUpdate", () => {
    fc.assert(
      fc.property(
        fc.record({
          debtorId: int64,
          creditorId: int64,
          principal: int64,
          lastChangeSeqnum: int32,
          configFlags: int32,
        }),
        fc.record({ lastChangeTs: timestamp, lastConfigTs: timestamp, ts: timestamp }),
        fc.record({ negligibleAmount: float, accountId: ascii }),
        fc.string({ unit: "binary", maxLength: 300 }).filter((data) => !data.includes("\0")),
        (numbers, times, { negligibleAmount, accountId }, configData) => {
          const message = parseSample("AccountUpdate", {
            debtor_id: String(numbers.debtorId),
            creditor_id: String(numbers.creditorId),
            principal: String(numbers.principal),
            last_change_seqnum: String(numbers.lastChangeSeqnum),
            config_flags: String(numbers.configFlags),
            last_change_ts: text(times.lastChangeTs),
            last_config_ts: text(times.lastConfigTs),
            ts: text(times.ts),
            negligible_amount: String(negligibleAmount),
            account_id: JSON.stringify(accountId),
            config_data: JSON.stringify(configData),
          });
          const expected = { ...numbers, ...times, negligibleAmount, accountId, configData };
          assert.deepEqual({ ...message, ...expected }, message);
        },
      ),
    );
  });

  test("in a FinalizedTransfer", () => {
    const ids = {
      debtorId: int64,
      creditorId: int64,
      coordinatorId: int64,
      coordinatorRequestId: int64,
      transferId: int64,
    };
    fc.assert(
      fc.property(
        fc.record({ ...ids, committedAmount: amount, totalLockedAmount: amount, ts: timestamp }),
        (expected) => {
          const message = parseSample("FinalizedTransfer", {
            debtor_id: String(expected.debtorId),
            creditor_id: String(expected.creditorId),
            coordinator_id: String(expected.coordinatorId),
            coordinator_request_id: String(expected.coordinatorRequestId),
            transfer_id: String(expected.transferId),
            committed_amount: String(expected.committedAmount),
            total_locked_amount: String(expected.totalLockedAmount),
            ts: text(expected.ts),
          });
          const fixed = { type: "FinalizedTransfer", coordinatorType: "issuing", statusCode: "OK" };
          assert.deepEqual(message, { ...fixed, ...expected });
        },
      ),
    );
  });
});

test("any message is accepted or rejected with a reason", () => {
  const field = fc
    .constantFrom(...messageTypes)
    .chain((type) => fc.tuple(fc.constant(type), fc.constantFrom(...fieldNamesOf(type))));
  fc.assert(
    fc.property(field, fc.json(), ([type, name], json) => {
      isTaken(type, { [name]: json });
    }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...messageTypes), fc.uint8Array({ maxLength: 40 }), (type, bytes) => {
      assertInvalid(() => parseText(type, Buffer.from(bytes)), /^\w+: the body/);
    }),
  );
});
