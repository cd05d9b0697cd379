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
