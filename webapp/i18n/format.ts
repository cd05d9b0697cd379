/** Times, counts and sizes in the present language. Amounts: `core/amounts.ts`. */
import { locale } from "./i18n.ts";

const cache = new Map<string, Intl.DateTimeFormat>();

function dateFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale()} ${JSON.stringify(options)}`;
  let format = cache.get(key);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(locale(), options);
    cache.set(key, format);
  }
  return format;
}

/** For display only: a minute is exact enough here, and nothing is computed from it. A date alone is one of the calendar here. */
function millisOf(time: number | string): number {
  if (typeof time === "number") return time;
  return Date.parse(isDateOnly(time) ? `${time}T00:00` : time);
}

const isDateOnly = (time: number | string): boolean => /^\d{4}-\d\d-\d\d$/.test(String(time));

/** `Nov 26, 2026, 8:15 AM`; text that is no time is shown as it is. */
export function formatTime(time: number | string): string {
  if (isDateOnly(time)) return formatDate(time);
  const millis = millisOf(time);
  return Number.isNaN(millis) ? String(time) : dateFormat({ dateStyle: "medium", timeStyle: "short" }).format(millis);
}

/** `Nov 26, 2026`. */
export function formatDate(time: number | string): string {
  const millis = millisOf(time);
  return Number.isNaN(millis) ? String(time) : dateFormat({ dateStyle: "medium" }).format(millis);
}

/** `Thursday, November 26, 2026`. */
export const formatDay = (millis: number): string => dateFormat({ dateStyle: "full" }).format(millis);

/** `8:15 AM`. */
export const formatClock = (millis: number): string => dateFormat({ timeStyle: "short" }).format(millis);

/** Today the time, else the date. */
export function formatShortTime(time: number | string, now = Date.now()): string {
  const millis = millisOf(time);
  if (new Date(millis).toDateString() === new Date(now).toDateString()) {
    return dateFormat({ timeStyle: "short" }).format(millis);
  }
  return formatDate(time);
}

/** `3 minutes ago`, `in 2 days`. */
export function formatAgo(time: number | string, now = Date.now()): string {
  const seconds = (millisOf(time) - now) / 1000;
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  const units = [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ] as const;
  for (const [unit, length] of units) {
    if (Math.abs(seconds) >= length) return format.format(Math.trunc(seconds / length), unit);
  }
  return format.format(0, "second");
}

/** An interest rate: `1.5%`, as the language writes it. */
export const formatPercent = (percent: number): string =>
  new Intl.NumberFormat(locale(), { style: "unit", unit: "percent", maximumFractionDigits: 15 }).format(percent);

/** A decimal number that was configured or measured. */
export const formatNumber = (value: number): string =>
  new Intl.NumberFormat(locale(), { maximumSignificantDigits: 17 }).format(value);
