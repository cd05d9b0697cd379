/** How often a debtor may act and save documents. Spec: http-api, "Throttling" and "documents". */
import { type CalendarDate, dateOf, daysBetween, type Timestamp } from "../values/timestamp.ts";
import type { Debtor } from "./debtor.ts";

const ACTIONS_PERIOD_DAYS = 30;
const DOCUMENTS_PERIOD_DAYS = 365;

/** The debtor with one more action counted, or `undefined` when it has reached the limit. */
export function countAction<Counting extends Pick<Debtor, "actionsCount" | "actionsCountResetDate">>(
  debtor: Counting,
  actionsPerMonthMax: number,
  now: Timestamp,
): Counting | undefined {
  const { actionsCount: count, actionsCountResetDate: resetDate } = debtor;
  const counted = countOneMore({ count, resetDate }, ACTIONS_PERIOD_DAYS, actionsPerMonthMax, now);
  return counted && { ...debtor, actionsCount: counted.count, actionsCountResetDate: counted.resetDate };
}

/** The debtor with one more saved document counted, or `undefined` when it has reached the limit. */
export function countDocument(debtor: Debtor, savesPerYearMax: number, now: Timestamp): Debtor | undefined {
  const { documentsCount: count, documentsCountResetDate: resetDate } = debtor;
  const counted = countOneMore({ count, resetDate }, DOCUMENTS_PERIOD_DAYS, savesPerYearMax, now);
  return counted && { ...debtor, documentsCount: counted.count, documentsCountResetDate: counted.resetDate };
}

interface Counter {
  readonly count: number;
  /** When the count was last reset. */
  readonly resetDate: CalendarDate;
}

function countOneMore(
  { count, resetDate }: Counter,
  periodDays: number,
  countMax: number,
  now: Timestamp,
): Counter | undefined {
  const today = dateOf(now);
  const current = hasPassed(resetDate, periodDays, today) ? { count: 0, resetDate: today } : { count, resetDate };
  return current.count >= countMax ? undefined : { ...current, count: current.count + 1 };
}

/** Whether more than this number of days has passed; the count is still valid on the last day. */
const hasPassed = (since: CalendarDate, days: number, today: CalendarDate): boolean =>
  // Mostly both are the same day.
  since !== today && daysBetween(since, today) > days;
