/** How often a debtor may act and save documents. Spec: http-api, "Throttling" and "documents". */
import { type CalendarDate, dateOf, daysBetween, type Timestamp } from "../values/timestamp.ts";
import type { Debtor } from "./debtor.ts";

const ACTIONS_PERIOD_DAYS = 30;
const DOCUMENTS_PERIOD_DAYS = 365;

/** The debtor with one more action counted, or `undefined` when it has reached the limit. */
export function countAction(debtor: Debtor, actionsPerMonthMax: number, now: Timestamp): Debtor | undefined {
  const today = dateOf(now);
  const isRestarted = hasPassed(debtor.actionsCountResetDate, ACTIONS_PERIOD_DAYS, today);
  const actionsCount = isRestarted ? 0 : debtor.actionsCount;
  if (actionsCount >= actionsPerMonthMax) return undefined;
  const actionsCountResetDate = isRestarted ? today : debtor.actionsCountResetDate;
  return { ...debtor, actionsCount: actionsCount + 1, actionsCountResetDate };
}

/** The debtor with one more saved document counted, or `undefined` when it has reached the limit. */
export function countDocument(debtor: Debtor, savesPerYearMax: number, now: Timestamp): Debtor | undefined {
  const today = dateOf(now);
  const isRestarted = hasPassed(debtor.documentsCountResetDate, DOCUMENTS_PERIOD_DAYS, today);
  const documentsCount = isRestarted ? 0 : debtor.documentsCount;
  if (documentsCount >= savesPerYearMax) return undefined;
  const documentsCountResetDate = isRestarted ? today : debtor.documentsCountResetDate;
  return { ...debtor, documentsCount: documentsCount + 1, documentsCountResetDate };
}

/** Whether more than so many days have passed: on the last of them the count still holds. */
const hasPassed = (since: CalendarDate, days: number, today: CalendarDate): boolean =>
  // Mostly both are the same day.
  since !== today && daysBetween(since, today) > days;
