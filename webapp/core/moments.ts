/** ISO 8601 times from other programs: dates, and date-times with or without seconds, fraction and offset. */
import { parseDate } from "../../src/values/timestamp.ts";

const TIME = /^(?:[T ]([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?(?:Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$/i;

/**
 * Reads a time in milliseconds. A date alone is its end (UTC); a time without an offset is local, as ISO 8601 says.
 * `undefined` if it cannot be read.
 */
export function parseMoment(text: string): number | undefined {
  const [date, time] = [text.slice(0, 10), text.slice(10)];
  if (parseDate(date) === undefined || !TIME.test(time)) return undefined;
  if (time === "") return Date.parse(date) + 86_400_000;
  const offset = /(?:Z|[+-]\d\d(?::?\d\d)?)$/i.exec(time)?.[0] ?? "";
  const clock = time.slice(1, time.length - offset.length).replace(",", ".");
  const normalOffset = offset.replace(
    /^([+-]\d\d):?(\d\d)?$/,
    (_, hours: string, minutes = "00") => `${hours}:${minutes}`,
  );
  const moment = Date.parse(`${date}T${clock}${normalOffset.toUpperCase()}`);
  return Number.isNaN(moment) ? undefined : moment;
}

/**
 * When a day (`YYYY-MM-DD`), or the one so many days later, begins here. Days on which the clocks are changed do not have 24 hours.
 * `undefined` for other text.
 */
export function startOfDay(date: string, daysLater = 0): number | undefined {
  if (parseDate(date) === undefined) return undefined;
  const [year, month, day] = date.split("-").map(Number) as [number, number, number];
  return new Date(year, month - 1, day + daysLater).getTime();
}
