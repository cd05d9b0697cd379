/** What a `PrepareTransfer` does. Spec: sandbox-accounting-authority, "PrepareTransfer". */
import { ROOT_CREDITOR_ID } from "../../src/domain/debtor.ts";
import type { RejectedTransfer } from "../../src/messages/incoming.ts";
import { formatUnsigned, INT32_MAX, parsePathId } from "../../src/values/int64.ts";
import { EPOCH, plusSeconds, type Timestamp } from "../../src/values/timestamp.ts";
import type { ReceivedPrepareTransfer } from "./received-messages.ts";
import {
  type Account,
  availableAmount,
  isScheduledForDeletion,
  max,
  min,
  type PreparedTransferRecord,
} from "./records.ts";
import type { SentMessage, SentPreparedTransfer } from "./sent-messages.ts";

/** The sender's account afterwards, the lock if one was made, and the answer: there is always one. */
export interface PrepareTransferDecision {
  readonly sender: Account | undefined;
  readonly transfer: PreparedTransferRecord | undefined;
  readonly messages: readonly SentMessage[];
}

const DEADLINE_SECONDS_MAX = 90 * 86_400;
const INTEREST_RATE_CHANGED_AT = EPOCH;

/** The creditor ID that a recipient names: canonical unsigned decimal. `undefined` when it names none. */
export const creditorIdOf = (recipient: string): bigint | undefined => parsePathId(recipient);

/**
 * Decides about a request to lock an amount. A repeated request makes a second lock: the coordinator dismisses the surplus one.
 * `recipient` is the account that `message.recipient` names.
 */
export function decidePrepareTransfer(
  sender: Account | undefined,
  recipient: Account | undefined,
  message: ReceivedPrepareTransfer,
  now: Timestamp,
): PrepareTransferDecision {
  const recipientCreditorId = creditorIdOf(message.recipient);
  const reject = (statusCode: string) => rejectTransfer(sender, message, statusCode, now);
  if (recipientCreditorId === undefined || !isReachable(recipientCreditorId, recipient)) {
    return rejectTransfer(undefined, message, "RECIPIENT_IS_UNREACHABLE", now);
  }
  if (!sender || sender.isDeleted) return rejectTransfer(undefined, message, "SENDER_IS_UNREACHABLE", now);
  if (sender.pendingTransfersCount >= INT32_MAX) return reject("TOO_MANY_TRANSFERS");
  if (recipientCreditorId === sender.creditorId) return reject("RECIPIENT_SAME_AS_SENDER");
  if (INTEREST_RATE_CHANGED_AT > message.finalInterestRateTs) return reject("NEWER_INTEREST_RATE");
  const lockedAmount = max(0n, min(availableAmount(sender), message.maxLockedAmount));
  if (lockedAmount < message.minLockedAmount) return reject("INSUFFICIENT_AVAILABLE_AMOUNT");

  const transfer: PreparedTransferRecord = {
    debtorId: sender.debtorId,
    creditorId: sender.creditorId,
    transferId: sender.lastTransferId + 1n,
    coordinatorType: message.coordinatorType,
    coordinatorId: message.coordinatorId,
    coordinatorRequestId: message.coordinatorRequestId,
    lockedAmount,
    recipientCreditorId,
    preparedAt: now,
    deadline: deadlineOf(message, now),
    finalInterestRateTs: message.finalInterestRateTs,
    lastReminderTs: now,
  };
  return {
    sender: {
      ...sender,
      lastTransferId: transfer.transferId,
      totalLockedAmount: sender.totalLockedAmount + lockedAmount,
      pendingTransfersCount: sender.pendingTransfersCount + 1,
    },
    transfer,
    messages: [preparedTransferOf(transfer, now)],
  };
}

/** Rejects a request; nothing changes. `sender` is the account whose locked amount is reported, if any. */
export function rejectTransfer(
  sender: Account | undefined,
  message: ReceivedPrepareTransfer,
  statusCode: string,
  now: Timestamp,
): PrepareTransferDecision {
  const rejection: RejectedTransfer = {
    type: "RejectedTransfer",
    debtorId: message.debtorId,
    creditorId: message.creditorId,
    coordinatorType: message.coordinatorType,
    coordinatorId: message.coordinatorId,
    coordinatorRequestId: message.coordinatorRequestId,
    statusCode,
    totalLockedAmount: sender?.totalLockedAmount ?? 0n,
    ts: now,
  };
  return { sender: undefined, transfer: undefined, messages: [rejection] };
}

/** Announces a lock, for the first time or again. */
export const preparedTransferOf = (transfer: PreparedTransferRecord, ts: Timestamp): SentPreparedTransfer => ({
  type: "PreparedTransfer",
  debtorId: transfer.debtorId,
  creditorId: transfer.creditorId,
  coordinatorType: transfer.coordinatorType,
  coordinatorId: transfer.coordinatorId,
  coordinatorRequestId: transfer.coordinatorRequestId,
  transferId: transfer.transferId,
  lockedAmount: transfer.lockedAmount,
  recipient: formatUnsigned(transfer.recipientCreditorId),
  preparedAt: transfer.preparedAt,
  deadline: transfer.deadline,
  finalInterestRateTs: transfer.finalInterestRateTs,
  ts,
});

/** The root account accepts money even when it is deleted or purged. */
const isReachable = (creditorId: bigint, account: Account | undefined): boolean =>
  creditorId === ROOT_CREDITOR_ID || (account !== undefined && !account.isDeleted && !isScheduledForDeletion(account));

/** The earlier of the latest deadline that is granted and the one that the coordinator asks for. */
function deadlineOf(message: ReceivedPrepareTransfer, now: Timestamp): Timestamp {
  const granted = plusSeconds(now, DEADLINE_SECONDS_MAX);
  const asked = plusSeconds(message.ts, message.maxCommitDelay);
  if (asked < granted) return asked;
  return granted;
}
