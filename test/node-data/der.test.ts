import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bitString,
  boolean,
  DerError,
  decode,
  decodeAll,
  encode,
  integer,
  membersOf,
  objectIdentifier,
  octetString,
  readObjectIdentifier,
  sequence,
  TAG,
  time,
} from "../../src/node-data/der.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { openssl } from "../support/openssl.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("integers are two's complement in as few bytes as possible", () => {
  const examples: [bigint, string][] = [
    [0n, "020100"],
    [127n, "02017f"],
    [128n, "02020080"],
    [255n, "020200ff"],
    [256n, "02020100"],
    [-1n, "0201ff"],
    [-128n, "020180"],
    [-129n, "0202ff7f"],
    [INT64_MAX, "02087fffffffffffffff"],
    [INT64_MIN, "02088000000000000000"],
    [2n ** 127n, `021100${"80".padEnd(32, "0")}`],
  ];
  for (const [value, expected] of examples) assert.equal(hex(integer(value)), expected);
});

test("any integer is decoded again, and has no shorter form", () => {
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 200n), 2n ** 200n), (value) => {
      const { content } = decode(integer(value));
      assert.equal(BigInt.asIntN(content.length * 8, BigInt(`0x${hex(content)}`)), value);
      const isRedundant = content.length > 1 && (content[0] === 0 || content[0] === 0xff);
      assert.ok(!isRedundant || (content[0]! ^ content[1]!) >= 0x80);
    }),
  );
});

test("object identifiers are decoded from their bytes, with arcs of any size", () => {
  const arcs = fc.array(fc.bigInt(0n, 2n ** 70n), { maxLength: 8 });
  const top = fc.oneof(
    fc.tuple(fc.constantFrom(0n, 1n), fc.bigInt(0n, 39n)),
    fc.tuple(fc.constant(2n), fc.bigInt(0n, 2n ** 40n)),
  );
  fc.assert(
    fc.property(top, arcs, (top, rest) => {
      const dotted = [...top, ...rest].join(".");
      assert.equal(readObjectIdentifier(decode(objectIdentifier(dotted))), dotted);
    }),
  );
  assert.equal(hex(objectIdentifier("1.2.840.113549.1.1.11")), "06092a864886f70d01010b");
  assert.equal(hex(objectIdentifier("2.16.840.1.113730.1.13")), "06096086480186f842010d");
});

test("lengths have the short form below 128 and as few bytes as possible above; the content is decoded again", () => {
  for (const [length, head] of [
    [127, "047f"],
    [128, "048180"],
    [255, "0481ff"],
    [256, "04820100"],
    [65536, "0483010000"],
  ] as const) {
    const bytes = octetString(Buffer.alloc(length, 7));
    assert.equal(hex(bytes.subarray(0, head.length / 2)), head);
    assert.equal(decode(bytes).content.length, length);
  }
});

test("times before 2050 are written as UTCTime, later ones as GeneralizedTime", () => {
  const text = (iso: string): string => {
    const { tag, content } = decode(time(new Date(iso)));
    return `${tag === TAG.utcTime ? "UTC" : "Generalized"} ${content}`;
  };
  assert.equal(text("2026-07-29T01:02:03.999Z"), "UTC 260729010203Z");
  assert.equal(text("2049-12-31T23:59:59Z"), "UTC 491231235959Z");
  assert.equal(text("2050-01-01T00:00:00Z"), "Generalized 20500101000000Z");
  assert.equal(text("9999-12-31T23:59:59Z"), "Generalized 99991231235959Z");
});

test("openssl reads the encoded values", () => {
  const value = sequence(boolean(true), bitString(Buffer.from([0x06]), 1), objectIdentifier("2.5.29.30"), integer(-5));
  const pem = `-----BEGIN X-----\n${value.toString("base64")}\n-----END X-----\n`;
  const lines = openssl(["asn1parse"], { input: pem }).trim().split("\n");
  assert.match(lines[0]!, /cons: SEQUENCE/);
  assert.match(lines[1]!, /BOOLEAN +:255/);
  assert.match(lines[2]!, /BIT STRING/);
  assert.match(lines[3]!, /OBJECT +:X509v3 Name Constraints/);
  assert.match(lines[4]!, /INTEGER +:-05/);
});

test("decoding any bytes gives values that make up the input, or a DerError", () => {
  const tree = fc.letrec<{ value: Buffer }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.uint8Array({ maxLength: 300 }).map((bytes) => octetString(bytes)),
      fc.array(tie("value"), { maxLength: 4 }).map((members) => sequence(...members)),
    ),
  })).value;
  fc.assert(
    fc.property(
      tree,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
      (value, changes) => {
        const bytes = Buffer.from(value);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        try {
          const values = decodeAll(bytes);
          assert.ok(Buffer.concat(values.map(({ raw }) => raw)).equals(bytes));
          for (const { tag, content, raw } of values) assert.ok(encode(tag, content).equals(raw));
        } catch (error) {
          assert.ok(error instanceof DerError, String(error));
        }
      },
    ),
  );
});

test("lengths that are cut off, indefinite, not minimal or too large are rejected", () => {
  for (const bytes of [
    "",
    "30",
    "3001",
    "3080",
    "308100",
    "30817f",
    "30820001",
    "3084ffffffff",
    "3085",
    "1f8101",
    "0500ff",
  ]) {
    assert.throws(() => decode(Buffer.from(bytes, "hex")), DerError, bytes);
  }
  assert.throws(() => membersOf(decode(integer(5))), DerError);
  assert.throws(() => readObjectIdentifier(decode(Buffer.from("060180", "hex"))), DerError);
});
