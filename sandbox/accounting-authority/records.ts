/** Accounts and prepared transfers, and what follows from one record alone. Spec: sandbox-accounting-authority, "State". */
import { CONFIG_SCHEDULED_FOR_DELETION, ROOT_CREDITOR_ID } from "../../src/domain/debtor.ts";
import { INT64_MAX } from "../../src/values/int64.ts";
import { formatFloat32 } from "../../src/values/json.ts";
import { nextSeqnum } from "../../src/values/seqnum.ts";
import {
  type CalendarDate,
  dateOf,
  daysBetween,
  EPOCH,
  EPOCH_DATE,
  type Timestamp,
} from "../../src/values/timestamp.ts";
import { limitOf } from "./root-config-data.ts";

/** An account; creditor 0 is the debtor's own, the root account. */
export interface Account {
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly creationDate: CalendarDate;
  readonly lastChangeTs: Timestamp;
  readonly lastChangeSeqnum: number;
  /** Negative for a root account whose money is in circulation. */
  readonly principal: bigint;
  /** In single precision, see `toSinglePrecision`. */
  readonly negligibleAmount: number;
  readonly configFlags: number;
  readonly configData: string;
  readonly lastConfigTs: Timestamp;
  readonly lastConfigSeqnum: number;
  readonly totalLockedAmount: bigint;
  readonly pendingTransfersCount: number;
  readonly lastTransferId: bigint;
  /** When the last update was sent, changed or not. */
  readonly lastHeartbeatTs: Timestamp;
  /** When the scan must send the agent an update; null when everything has been reported. */
  readonly updateDueAt: Timestamp | null;
  readonly isDeleted: boolean;
  readonly lastDeletionAttemptTs: Timestamp;
  /** Set exactly while the account is deleted. */
  readonly purgeAt: Timestamp | null;
}

/** An amount that is locked on a sender's account until its coordinator commits or dismisses it. */
export interface PreparedTransferRecord {
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly transferId: bigint;
  readonly coordinatorType: string;
  readonly coordinatorId: bigint;
  readonly coordinatorRequestId: bigint;
  readonly lockedAmount: bigint;
  readonly recipientCreditorId: bigint;
  readonly preparedAt: Timestamp;
  readonly deadline: Timestamp;
  readonly finalInterestRateTs: Timestamp;
  readonly lastReminderTs: Timestamp;
}

const TRANSFER_ID_DAY_SHIFT = 40n;

/** An account before its first configuration. Transfer IDs begin with the day, so they do not repeat after a purge. */
export function createAccount(debtorId: bigint, creditorId: bigint, now: Timestamp): Account {
  const creationDate = dateOf(now);
  return {
    debtorId,
    creditorId,
    creationDate,
    lastChangeTs: now,
    lastChangeSeqnum: 0,
    principal: 0n,
    negligibleAmount: 0,
    configFlags: 0,
    configData: "",
    lastConfigTs: EPOCH,
    lastConfigSeqnum: 0,
    totalLockedAmount: 0n,
    pendingTransfersCount: 0,
    lastTransferId: BigInt(daysBetween(EPOCH_DATE, creationDate)) << TRANSFER_ID_DAY_SHIFT,
    lastHeartbeatTs: now,
    updateDueAt: null,
    isDeleted: false,
    lastDeletionAttemptTs: EPOCH,
    purgeAt: null,
  };
}

/** The change triple of an account that changes now. */
export const nextChange = (account: Account, now: Timestamp): Pick<Account, "lastChangeTs" | "lastChangeSeqnum"> => ({
  lastChangeTs: now > account.lastChangeTs ? now : account.lastChangeTs,
  lastChangeSeqnum: nextSeqnum(account.lastChangeSeqnum),
});

/** Whether it is the issuer's own account. */
export const isRoot = (account: Pick<Account, "creditorId">): boolean => account.creditorId === ROOT_CREDITOR_ID;

/** Whether its owner wants it to be closed. */
export const isScheduledForDeletion = (account: Pick<Account, "configFlags">): boolean =>
  (account.configFlags & CONFIG_SCHEDULED_FOR_DELETION) !== 0;

/** What the account can still lock or spend. Negative when the limit was lowered; may need more than 64 bits. */
export const availableAmount = (account: Account): bigint =>
  account.principal - account.totalLockedAmount + overdraftLimit(account);

/** How far below zero the account may go: the minimum of what its two configuration values allow. */
function overdraftLimit(account: Account): bigint {
  const limits = [appliedLimit(account.negligibleAmount), INT64_MAX, limitOf(account.configData) ?? INT64_MAX];
  return limits.reduce((lowest, limit) => min(lowest, limit));
}

/**
 * A limit as the authority applies it to transfers: six significant digits, because it casts a `real` to `numeric`. So
 * 123456790 allows 123457000, and 2^63 allows no more than 9223370000000000000. As PostgreSQL prints it, half to even.
 */
export function appliedLimit(value: number): bigint {
  // A hundred digits of a 32-bit float are all that it has.
  const [digits, exponent] = Math.fround(value).toExponential(100).split("e") as [string, string];
  const rounded = divideHalfToEven(BigInt(digits.replace(".", "")), 10n ** 95n);
  const shift = Number(exponent) - 5;
  return shift < 0 ? rounded / 10n ** BigInt(-shift) : rounded * 10n ** BigInt(shift);
}

function divideHalfToEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = 2n * (dividend % divisor);
  return twice > divisor || (twice === divisor && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

/** As `Math.min`, which takes no `bigint`. */
export const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** As `Math.max`, which takes no `bigint`. */
export const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** A number as the authority keeps it: the shortest decimal that a 32-bit float holds; 123456789 becomes 123456790. */
export const toSinglePrecision = (value: number): number => Number(formatFloat32(value));
