import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  dateOf,
  daysBetween,
  EPOCH,
  EPOCH_DATE,
  formatTimestamp,
  MICROS_PER_DAY,
  now,
  parseDate,
  parsePostgresTimestamp,
  parseTimestamp,
  plusSeconds,
  type Timestamp,
} from "../../src/values/timestamp.ts";
import { anyText, TIMESTAMP_MAX, TIMESTAMP_MIN, timestamp } from "./arbitraries.ts";

test("a timestamp is written and read without losing a microsecond", () => {
  fc.assert(
    fc.property(timestamp, (moment) => {
      const text = formatTimestamp(moment);
      assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(?!000000)\d{6})?\+00:00$/);
      assert.equal(parseTimestamp(text), moment);
    }),
  );
});

test("the texts of timestamps with a fraction are in the order of the timestamps", () => {
  const withFraction = timestamp.filter((moment) => moment % 1_000_000n !== 0n);
  fc.assert(
    fc.property(withFraction, withFraction, (a, b) => {
      assert.equal(formatTimestamp(a) < formatTimestamp(b), a < b);
    }),
  );
});

test("all spellings of a moment are parsed as the same timestamp", () => {
  const offset = fc.integer({ min: -(23 * 60 + 59), max: 23 * 60 + 59 });
  const inner = fc.bigInt({
    min: TIMESTAMP_MIN + MICROS_PER_DAY,
    max: TIMESTAMP_MAX - MICROS_PER_DAY,
  }) as fc.Arbitrary<Timestamp>;
  fc.assert(
    fc.property(inner, offset, (moment, minutes) => {
      const local = formatTimestamp((moment + BigInt(minutes) * 60_000_000n) as Timestamp).slice(0, -6);
      const digits = (value: number) => String(value).padStart(2, "0");
      const size = Math.abs(minutes);
      const zone = `${minutes < 0 ? "-" : "+"}${digits(Math.floor(size / 60))}:${digits(size % 60)}`;
      assert.equal(parseTimestamp(`${local}${zone}`), moment);
    }),
  );
  for (const text of ["2026-11-23T10:00:00.5Z", "2026-11-23T10:00:00.500000Z", "2026-11-23T12:00:00.50+02:00"]) {
    assert.equal(formatTimestamp(parseTimestamp(text)!), "2026-11-23T10:00:00.500000+00:00");
  }
});

test("a text without an offset, with an impossible date, or outside the years 1 to 9999 is not a timestamp", () => {
  const texts = [
    "",
    "2026-11-23",
    "2026-11-23T10:00:00",
    "2026-11-23 10:00:00Z",
    "2026-11-23T10:00Z",
    "2026-11-23T10:00:00z",
    "2026-11-23T24:00:00Z",
    "2026-11-23T10:60:00Z",
    "2026-11-23T10:00:60Z",
    "2026-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "+2026-11-23T10:00:00Z",
    "2026-11-23T10:00:00.Z",
    "2026-11-23T10:00:00.1234567Z",
    "2026-11-23T10:00:00+0100",
    "2026-11-23T10:00:00+24:00",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59.999999-00:01",
    "2026-11-23T10:00:00Z\n",
    "infinity",
    "２026-11-23T10:00:00Z",
  ];
  for (const text of texts) assert.equal(parseTimestamp(text), undefined, text);
  fc.assert(fc.property(anyText, (text) => assert.equal(parseTimestamp(`${text}Z`), undefined)));
});

test("leap days exist in leap years only", () => {
  for (const year of ["0004", "0400", "1600", "2000", "2024", "9996"]) assert.ok(parseDate(`${year}-02-29`));
  for (const year of ["0001", "0100", "1900", "2023", "2100", "9999"])
    assert.equal(parseDate(`${year}-02-29`), undefined);
});

test("the text form of PostgreSQL is parsed, and values out of range are rejected", () => {
  fc.assert(
    fc.property(timestamp, (moment) => {
      // PostgreSQL drops the zeros at the end of a fraction.
      const text = formatTimestamp(moment)
        .replace("T", " ")
        .replace(/(\.\d*?)0*\+00:00$/, "$1+00")
        .replace(/\+00:00$/, "+00");
      assert.equal(parsePostgresTimestamp(text), moment);
    }),
  );
  for (const text of [
    "infinity",
    "-infinity",
    "0044-03-15 12:00:00+00 BC",
    "10000-01-01 00:00:00+00",
    "2026-11-23 10:00:00+01",
  ]) {
    assert.throws(() => parsePostgresTimestamp(text), RangeError, text);
  }
});

test("a date is the UTC day of a moment, and days are counted exactly", () => {
  fc.assert(
    fc.property(timestamp, timestamp, (a, b) => {
      const floor = (moment: bigint) =>
        (moment - (((moment % MICROS_PER_DAY) + MICROS_PER_DAY) % MICROS_PER_DAY)) / MICROS_PER_DAY;
      assert.equal(daysBetween(dateOf(a), dateOf(b)), Number(floor(b) - floor(a)));
      assert.equal(dateOf(a) < dateOf(b), floor(a) < floor(b));
      assert.equal(parseDate(dateOf(a)), dateOf(a));
    }),
  );
  assert.equal(dateOf(EPOCH), EPOCH_DATE);
});

test("seconds are added exactly, to the microsecond", () => {
  fc.assert(
    fc.property(timestamp, fc.integer({ min: -1e9, max: 1e9 }), (moment, micros) => {
      const sum = moment + BigInt(micros);
      fc.pre(sum >= TIMESTAMP_MIN && sum <= TIMESTAMP_MAX);
      assert.equal(plusSeconds(moment, micros / 1e6), sum);
    }),
  );
});

test("a sum out of the range of timestamps is limited to the range", () => {
  assert.equal(plusSeconds(EPOCH, 1e9 * 86_400), TIMESTAMP_MAX);
  assert.equal(plusSeconds(EPOCH, -1e9 * 86_400), TIMESTAMP_MIN);
});

test("the clock does not go back when the system's is set back a little, and follows a larger correction", (t) => {
  const noon = parseTimestamp("2026-03-04T12:00:00Z")!;
  const instantNow = t.mock.method(Temporal.Now, "instant");
  const readAt = (seconds: number): Timestamp => {
    const instant = Temporal.Instant.fromEpochMilliseconds(Number(plusSeconds(noon, seconds) / 1000n));
    instantNow.mock.mockImplementation(() => instant);
    return now();
  };
  assert.equal(readAt(0), noon);
  assert.equal(readAt(1), plusSeconds(noon, 1));
  assert.equal(readAt(-9), plusSeconds(noon, 1));
  assert.equal(readAt(2), plusSeconds(noon, 2));
  assert.equal(readAt(86_400), plusSeconds(noon, 86_400));
  assert.equal(readAt(3), plusSeconds(noon, 3));
});
