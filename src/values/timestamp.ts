/**
 * Moments with microseconds, and calendar dates. Never put through `Date`, which has milliseconds only.
 * Spec: domain, "Numbers"; messages, "Field types".
 */

declare const timestampBrand: unique symbol;
declare const calendarDateBrand: unique symbol;

/** Microseconds since 1970-01-01 UTC, years 1 to 9999. Compare with `<`, `===`, `>`. */
export type Timestamp = bigint & { readonly [timestampBrand]: true };

/** A calendar date as `YYYY-MM-DD`, years 0001 to 9999. Ordered as text. */
export type CalendarDate = string & { readonly [calendarDateBrand]: true };

/** Lengths of time in microseconds. */
export const MICROS_PER_SECOND = 1_000_000n;
export const MICROS_PER_DAY = 86_400n * MICROS_PER_SECOND;

/** 1970-01-01T00:00:00+00:00 */
export const EPOCH = 0n as Timestamp;
/** 1970-01-01 */
export const EPOCH_DATE = "1970-01-01" as CalendarDate;

const MIN_MICROS = -62_135_596_800_000_000n; // 0001-01-01T00:00:00
const MAX_MICROS = 253_402_300_799_999_999n; // 9999-12-31T23:59:59.999999

/** The current time. Does not go back within one process when the system's clock is set back a little. */
export function now(): Timestamp {
  const reading = Temporal.Now.instant().epochNanoseconds / 1000n;
  const setBack = lastReading - reading;
  if (setBack < 0n || setBack > SET_BACK_MICROS_MAX) lastReading = reading;
  return lastReading as Timestamp;
}
let lastReading = 0n;
// A larger step corrects a wrong clock: standing still until that time has passed would be worse than going back.
const SET_BACK_MICROS_MAX = 10n * MICROS_PER_SECOND;

/**
 * `timestamp` plus a number of seconds (may be negative, may have a fraction of microsecond precision). What would be
 * before the year 1 or after the year 9999 is the first or the last moment that there is.
 */
export function plusSeconds(timestamp: Timestamp, seconds: number): Timestamp {
  const micros = timestamp + BigInt(Math.round(seconds * 1e6));
  if (micros < MIN_MICROS) return MIN_MICROS as Timestamp;
  return (micros > MAX_MICROS ? MAX_MICROS : micros) as Timestamp;
}

/** The date (UTC) of a moment. */
export const dateOf = (timestamp: Timestamp): CalendarDate => formatTimestamp(timestamp).slice(0, 10) as CalendarDate;

/** How many days `to` is after `from`. */
export const daysBetween = (from: CalendarDate, to: CalendarDate): number =>
  Number((parseDateMicros(to) - parseDateMicros(from)) / MICROS_PER_DAY);

const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/**
 * Reads an ISO 8601 date-time with seconds, up to six digits of a fraction and an offset (`Z` or `±HH:MM`).
 * `undefined` for anything else: no offset, a day that does not exist, a moment outside the years 1 to 9999.
 */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = DATE_TIME.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = "", sign, offsetHours, offsetMinutes] = match;
  const days = daysFromCivil(Number(year), Number(month), Number(day));
  if (days === undefined) return undefined;
  const offset = sign === undefined ? 0 : (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === "-" ? -1 : 1);
  const seconds = days * 86_400 + Number(hour) * 3600 + (Number(minute) - offset) * 60 + Number(second);
  const micros = BigInt(seconds) * MICROS_PER_SECOND + BigInt(Number(fraction.padEnd(6, "0")));
  return micros >= MIN_MICROS && micros <= MAX_MICROS ? (micros as Timestamp) : undefined;
}

/** `2026-11-23T10:00:00.123456+00:00`; the fraction is left out when it is zero. */
export function formatTimestamp(timestamp: Timestamp): string {
  let fraction = timestamp % MICROS_PER_SECOND;
  if (fraction < 0n) fraction += MICROS_PER_SECOND;
  // `Date` sees whole seconds only, which it holds exactly.
  const whole = new Date(Number((timestamp - fraction) / 1000n)).toISOString().slice(0, 19);
  return fraction === 0n ? `${whole}+00:00` : `${whole}.${fraction.toString().padStart(6, "0")}+00:00`;
}

/**
 * Reads PostgreSQL's own text of a `timestamptz` in a session with the time zone UTC: `2026-11-23 10:00:00.12+00`.
 * Throws a RangeError for values out of range (`infinity`, BC).
 */
export function parsePostgresTimestamp(text: string): Timestamp {
  const timestamp = text.endsWith("+00") ? parseTimestamp(`${text.slice(0, 10)}T${text.slice(11)}:00`) : undefined;
  if (timestamp === undefined) throw new RangeError(`The database holds a timestamp that is out of range: ${text}`);
  return timestamp;
}

/** Reads a calendar date, `YYYY-MM-DD`. `undefined` for anything else, a day that does not exist included. */
export function parseDate(text: string): CalendarDate | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (!match || daysFromCivil(Number(match[1]), Number(match[2]), Number(match[3])) === undefined) return undefined;
  return text as CalendarDate;
}

function parseDateMicros(date: CalendarDate): bigint {
  const [year, month, day] = date.split("-").map(Number);
  const days = daysFromCivil(year!, month!, day!);
  if (days === undefined) throw new RangeError(`Not a calendar date: ${date}`);
  return BigInt(days) * MICROS_PER_DAY;
}

/** Days since 1970-01-01 of a day in the Gregorian calendar, or `undefined` when there is no such day. */
function daysFromCivil(year: number, month: number, day: number): number | undefined {
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  // `setUTCFullYear` and not `Date.UTC`, which takes the years 0 to 99 for 1900 to 1999.
  return new Date(0).setUTCFullYear(year, month - 1, day) / 86_400_000;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
