/**
 * Dates and times in the spellings that the peers' programs accept, brought to the one spelling that they write. What is
 * relayed keeps its offset, and may lie outside of the years 1 to 9999 once the offset is applied.
 */
import { parseDate, parseTimestamp } from "./timestamp.ts";

/** A date-time as it is passed on. */
export interface RelayedDateTime {
  /** `YYYY-MM-DDTHH:MM:SS[.ffffff]±HH:MM` */
  readonly text: string;
  /** Microseconds since 1970-01-01 UTC. */
  readonly micros: bigint;
}

const DATE = String.raw`(\d{4})-(\d{1,2})-(\d{1,2})`;
const TIME = String.raw`(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6})\d{0,6})?)?`;
const OFFSET = String.raw`(?:Z|([+-])(\d{2})(?::?(\d{2}))?)`;
const RELAYED_DATE_TIME = new RegExp(`^${DATE}[T ]${TIME}${OFFSET}\\n?$`);
const RELAYED_DATE = new RegExp(`^${DATE}\\n?$`);

const OFFSET_MINUTES_MAX = 24 * 60 - 1;
const MICROS_PER_MINUTE = 60_000_000n;

/** Reads a date-time with an offset. `undefined` for anything else; digits beyond the microseconds are cut. */
export function parseRelayedDateTime(text: string): RelayedDateTime | undefined {
  const match = RELAYED_DATE_TIME.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second = "0", fraction = "", sign, hours = "0", minutes = "0"] = match;
  const offset = Number(hours) * 60 + Number(minutes);
  if (offset > OFFSET_MINUTES_MAX) return undefined;
  const micros6 = fraction.padEnd(6, "0");
  const local =
    `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}` +
    (/[1-9]/.test(micros6) ? `.${micros6}` : "");
  // Read without its offset: with it the first and the last day of the calendar may be outside of it.
  const localMicros = parseTimestamp(`${local}Z`);
  if (localMicros === undefined) return undefined;
  const isNegative = sign === "-" && offset !== 0;
  const zone = `${two(String(Math.trunc(offset / 60)))}:${two(String(offset % 60))}`;
  return {
    text: `${local}${isNegative ? "-" : "+"}${zone}`,
    micros: localMicros + BigInt(isNegative ? offset : -offset) * MICROS_PER_MINUTE,
  };
}

/** Reads a calendar date, as `YYYY-MM-DD`. `undefined` for anything else. */
export function parseRelayedDate(text: string): string | undefined {
  const match = RELAYED_DATE.exec(text);
  return match ? parseDate(`${match[1]}-${two(match[2])}-${two(match[3])}`) : undefined;
}

const two = (digits: string | undefined): string => digits!.padStart(2, "0");
