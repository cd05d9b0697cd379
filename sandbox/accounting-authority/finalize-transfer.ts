/** What a `FinalizeTransfer` does. Spec: sandbox-accounting-authority, "FinalizeTransfer". */
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { EPOCH, type Timestamp } from "../../src/values/timestamp.ts";
import { changePrincipal, type StepContext } from "./principal.ts";
import type { ReceivedFinalizeTransfer } from "./received-messages.ts";
import { type Account, availableAmount, type PreparedTransferRecord } from "./records.ts";
import type { SentMessage } from "./sent-messages.ts";

/** `undefined` for a message that matches no prepared transfer; otherwise that transfer is over. */
export interface FinalizeTransferDecision {
  /** The sender's account after the lock is released and the amount is gone. */
  readonly sender: Account;
  /** What the recipient gets; 0 when nothing was committed. */
  readonly committedAmount: bigint;
  readonly messages: readonly SentMessage[];
}

const INTEREST_RATE_CHANGED_AT = EPOCH;

/**
 * Decides about a commit or a dismissal. A foreign or repeated one gets no answer. With `forcedStatusCode` the transfer fails
 * with that code in any case.
 */
export function decideFinalizeTransfer(
  sender: Account | undefined,
  recipient: Account | undefined,
  transfer: PreparedTransferRecord | undefined,
  message: ReceivedFinalizeTransfer,
  stepContext: StepContext,
  forcedStatusCode?: string,
): FinalizeTransferDecision | undefined {
  if (!transfer || !matches(transfer, message)) return undefined;
  if (!sender) throw new Error(`Transfer ${transfer.transferId} is prepared on an account that is not there`);
  const { now } = stepContext;
  const statusCode = forcedStatusCode ?? statusCodeOf(sender, recipient, transfer, message, now);
  const committedAmount = statusCode === "OK" ? message.committedAmount : 0n;
  const released: Account = {
    ...sender,
    totalLockedAmount: sender.totalLockedAmount - transfer.lockedAmount,
    pendingTransfersCount: sender.pendingTransfersCount - 1,
  };
  const { account, messages } =
    committedAmount > 0n
      ? changePrincipal(released, released, -committedAmount, stepContext)
      : { account: released, messages: [] };
  const finalized: SentMessage = {
    type: "FinalizedTransfer",
    debtorId: transfer.debtorId,
    creditorId: transfer.creditorId,
    coordinatorType: transfer.coordinatorType,
    coordinatorId: transfer.coordinatorId,
    coordinatorRequestId: transfer.coordinatorRequestId,
    transferId: transfer.transferId,
    committedAmount,
    statusCode,
    totalLockedAmount: released.totalLockedAmount,
    preparedAt: transfer.preparedAt,
    ts: now,
  };
  return { sender: account, committedAmount, messages: [finalized, ...messages] };
}

function statusCodeOf(
  sender: Account,
  recipient: Account | undefined,
  transfer: PreparedTransferRecord,
  { committedAmount }: ReceivedFinalizeTransfer,
  now: Timestamp,
): string {
  if (committedAmount === 0n) return "OK";
  if (now > transfer.deadline) return "TIMEOUT";
  if (INTEREST_RATE_CHANGED_AT > transfer.finalInterestRateTs) return "NEWER_INTEREST_RATE";
  // The locked amount is reserved: it stays valid after the limit was lowered.
  const isEnough =
    committedAmount <= transfer.lockedAmount || committedAmount <= availableAmount(sender) + transfer.lockedAmount;
  // A principal holds 64 bits.
  if (!isEnough || sender.principal - committedAmount < INT64_MIN) return "INSUFFICIENT_AVAILABLE_AMOUNT";
  return (recipient?.principal ?? 0n) + committedAmount > INT64_MAX ? "RECIPIENT_IS_UNREACHABLE" : "OK";
}

const matches = (transfer: PreparedTransferRecord, message: ReceivedFinalizeTransfer): boolean =>
  transfer.creditorId === message.creditorId &&
  transfer.coordinatorType === message.coordinatorType &&
  transfer.coordinatorId === message.coordinatorId &&
  transfer.coordinatorRequestId === message.coordinatorRequestId;
