/** The states of a payment, and what may be done in each. Spec: issuer-webapp, "Payments: states and times". */
import { parseMoment } from "./moments.ts";

/** The state of a payment at a moment. */
export type PaymentState =
  | "draft"
  | "sending"
  | "not-sent"
  | "not-confirmed"
  | "refused"
  | "timed-out"
  | "waiting"
  | "delayed"
  | "done"
  | "failed";

/** What the user can do with a payment. */
export type PaymentAction =
  | "send"
  | "edit"
  | "save-file"
  | "discard"
  | "send-again"
  | "acknowledge"
  | "cancel"
  | "look"
  | "make-template"
  | "retry"
  | "dismiss";

/** What decides the state of a payment. Moments are milliseconds, those of the server its text. */
export interface PaymentFacts {
  /** Of the first POST that may have reached the server, and of the last POST. */
  readonly firstTryAt: number | undefined;
  readonly lastTryAt: number | undefined;
  /** Whether an answer to some POST is missing. */
  readonly isTryOpen: boolean;
  /** The last POST was refused for sure. */
  readonly refusal: { readonly status: number } | undefined;
  readonly transfer: TransferFacts | undefined;
  /** It was at the server once and is not there any more. */
  readonly isGone: boolean;
  /** When the user dismissed a failed payment, or acknowledged one that has timed out. */
  readonly dismissedAt: number | undefined;
}

/** What the server said of a transfer. */
export interface TransferFacts {
  readonly initiatedAt: string;
  readonly checkupAt: string | undefined;
  readonly result: { readonly finalizedAt: string; readonly error: object | undefined } | undefined;
}

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

/**
 * After this time a client may have deleted the transfer at the server, so that another POST could issue twice: five days
 * less two hours for clocks and requests under way.
 */
export const TIME_OUT_MILLIS = 5 * DAY - 2 * HOUR;
/** A POST that is not in a list read this much later never reached the server. */
export const LOST_POST_MILLIS = 3616 * SECOND;
/** A first try that is further in the future than this means that the clock was set back. */
const CLOCK_MILLIS_MAX = HOUR;
/** A transfer without a result is delayed after this time. */
export const DELAY_MILLIS = DAY;
/** The minimum age of a transfer that is deleted at the server: until then other clients may repeat their POST. */
export const DELETION_MILLIS_MIN = 5 * DAY;

/** The state at `now`; `isSending` while a POST is under way in some tab. */
export function paymentState(payment: PaymentFacts, now: number, isSending = false): PaymentState {
  const { transfer, refusal } = payment;
  if (transfer?.result !== undefined) return transfer.result.error === undefined ? "done" : "failed";
  if (transfer !== undefined) {
    if (payment.isGone) return "timed-out";
    return now - initiatedAt(transfer) > DELAY_MILLIS ? "delayed" : "waiting";
  }
  if (isSending) return "sending";
  if (payment.firstTryAt === undefined) return "draft";
  if (payment.isTryOpen) return hasTimedOut(payment.firstTryAt, now) ? "timed-out" : "not-confirmed";
  return refusal !== undefined && isFinalRefusal(refusal.status) ? "refused" : "not-sent";
}

/** A first try in the future means that the clock was set back: the time since then is unknown. */
const hasTimedOut = (firstTryAt: number, now: number): boolean =>
  now - firstTryAt >= TIME_OUT_MILLIS || firstTryAt - now > CLOCK_MILLIS_MAX;

/** Whether the same request would be refused again: 409, 422 and other complaints about the request itself. */
export const isFinalRefusal = (status: number): boolean =>
  status >= 400 && status < 500 && ![401, 403, 404, 408, 413, 429].includes(status);

/** What the user can do in a state, the most likely first. */
export function offeredActions(payment: PaymentFacts, state: PaymentState, now: number): readonly PaymentAction[] {
  switch (state) {
    case "draft":
      return ["send", "edit", "save-file", "discard"];
    case "sending":
      return [];
    case "not-sent":
      return ["send", "save-file", "discard"];
    case "not-confirmed":
      return ["send-again", "save-file"];
    case "refused":
      return ["discard", "save-file"];
    case "timed-out":
      return payment.dismissedAt === undefined ? ["look", "acknowledge", "save-file"] : ["save-file"];
    case "waiting":
    case "delayed":
      return now >= (checkupAt(payment) ?? 0) ? ["cancel", "look", "save-file"] : ["look", "save-file"];
    case "done":
      return ["save-file", "make-template"];
    case "failed":
      return payment.dismissedAt === undefined ? ["retry", "dismiss", "save-file"] : ["retry", "save-file"];
  }
}

const initiatedAt = (transfer: TransferFacts): number => parseMoment(transfer.initiatedAt) ?? 0;

const checkupAt = ({ transfer }: PaymentFacts): number | undefined =>
  transfer?.checkupAt === undefined ? undefined : parseMoment(transfer.checkupAt);

/** When the state or the offered actions change next without any event; `undefined` = never. */
export function nextChangeAt(payment: PaymentFacts, now: number): number | undefined {
  const { transfer, firstTryAt, isTryOpen } = payment;
  const moments: (number | undefined)[] = [];
  if (transfer !== undefined && transfer.result === undefined && !payment.isGone) {
    moments.push(initiatedAt(transfer) + DELAY_MILLIS + 1, checkupAt(payment));
  }
  if (transfer === undefined && isTryOpen && firstTryAt !== undefined) moments.push(firstTryAt + TIME_OUT_MILLIS);
  const later = moments.filter((moment) => moment !== undefined && moment > now) as number[];
  return later.length === 0 ? undefined : Math.min(...later);
}

/**
 * Whether a payment of which a POST is open never reached the server: it is not in a complete list that was read at
 * `listReadAt`, at the earliest. Once it has timed out (`now`, at the latest) a list proves nothing: another client may have
 * deleted the transfer.
 */
export const isLostPost = (payment: PaymentFacts, listReadAt: number, now: number): boolean =>
  payment.transfer === undefined &&
  payment.isTryOpen &&
  payment.firstTryAt !== undefined &&
  payment.lastTryAt !== undefined &&
  listReadAt - payment.lastTryAt >= LOST_POST_MILLIS &&
  !hasTimedOut(payment.firstTryAt, now);

/**
 * From when a transfer may be deleted at the server, `doneDelayMillis` after a done one has ended; `undefined` = not yet
 * known. Never one without result.
 */
export function deletableAt(payment: PaymentFacts, doneDelayMillis: number): number | undefined {
  const { transfer } = payment;
  if (transfer?.result === undefined || payment.isGone) return undefined;
  if (transfer.result.error !== undefined) {
    return payment.dismissedAt === undefined ? undefined : initiatedAt(transfer) + DELETION_MILLIS_MIN;
  }
  const finalizedAt = parseMoment(transfer.result.finalizedAt);
  return finalizedAt === undefined ? undefined : finalizedAt + Math.max(doneDelayMillis, DELETION_MILLIS_MIN);
}

/** Whether a refusal says that earlier tries of the same request have not reached the server either. */
export const isRefusedFromTheStart = (status: number): boolean => status === 409 || status === 422;

/** Pauses after an open POST before it is repeated by itself; then when the network or the page comes back. */
export const REPETITION_PAUSES: readonly number[] = [1, 2, 4, 8, 16].map((seconds) => seconds * SECOND);
/** When a transfer is read after its POST; then at `checkupAt`, then each minute while the page is visible. */
export const READING_PAUSES: readonly number[] = [0.5, 1, 2, 4, 8, 15].map((seconds) => seconds * SECOND);
