/**
 * What the accounting authority's messages about an issuing transfer mean for the transfer. A finalized transfer is
 * never finalized again and its outcome never changes. Spec: messages, "What each does".
 */
import type { FinalizedTransfer, PreparedTransfer, RejectedTransfer } from "../messages/incoming.ts";
import type { FinalizeTransfer } from "../messages/outgoing.ts";
import type { Timestamp } from "../values/timestamp.ts";
import { ROOT_CREDITOR_ID } from "./debtor.ts";
import { finalizationTime, type RunningTransfer } from "./running-transfer.ts";

/** The decision about a locked amount. */
export type PreparedTransferDecision =
  /** The transfer is (or has been) settled by this message: its whole amount is committed. */
  | { readonly action: "commit"; readonly transfer: RunningTransfer; readonly message: FinalizeTransfer }
  /** The lock is released. */
  | { readonly action: "dismiss"; readonly message: FinalizeTransfer };

/** The decision about the transfer. */
export type TransferDecision =
  | { readonly action: "ignore" }
  | { readonly action: "finalize"; readonly transfer: RunningTransfer };

/** The accounting authority's status code of a success. */
const STATUS_OK = "OK";
/** The error code of an outcome that breaks the protocol. */
const UNEXPECTED_ERROR = "UNEXPECTED_ERROR";

/**
 * Decides about a locked amount. There is always an answer, because each lock must be either committed or released; repeating
 * the message repeats the answer. `transfer` is the one with the message's coordinator and request IDs.
 */
export function decidePreparedTransfer(
  transfer: RunningTransfer | undefined,
  prepared: PreparedTransfer,
  now: Timestamp,
): PreparedTransferDecision {
  const settled = transfer && isAskedFor(transfer, prepared) ? settle(transfer, prepared.transferId) : undefined;
  return settled?.transferId === prepared.transferId
    ? { action: "commit", transfer: settled, message: commitOf(settled, prepared.transferId, now) }
    : { action: "dismiss", message: dismissalOf(prepared, now) };
}

/** Decides about a rejected lock, whether or not the amount had been locked before. */
export function decideRejectedTransfer(
  transfer: RunningTransfer | undefined,
  rejected: RejectedTransfer,
  now: Timestamp,
): TransferDecision {
  if (transfer === undefined || transfer.finalizedAt !== null) return { action: "ignore" };
  return isFromRootAccount(transfer, rejected)
    ? fail(transfer, now, rejected.statusCode, rejected.totalLockedAmount)
    : fail(transfer, now, UNEXPECTED_ERROR, null);
}

/** Decides about the end of a prepared transfer. Only the one that settled the transfer counts. */
export function decideFinalizedTransfer(
  transfer: RunningTransfer | undefined,
  finalized: FinalizedTransfer,
  now: Timestamp,
): TransferDecision {
  if (transfer === undefined || transfer.finalizedAt !== null) return { action: "ignore" };
  if (!isFromRootAccount(transfer, finalized) || transfer.transferId !== finalized.transferId) {
    return { action: "ignore" };
  }
  const { statusCode, committedAmount, totalLockedAmount } = finalized;
  if (statusCode === STATUS_OK && committedAmount === transfer.amount) {
    return { action: "finalize", transfer: { ...transfer, finalizedAt: finalizationTime(transfer, now) } };
  }
  return statusCode !== STATUS_OK && committedAmount === 0n
    ? fail(transfer, now, statusCode, totalLockedAmount)
    : fail(transfer, now, UNEXPECTED_ERROR, null);
}

interface AccountKey {
  readonly debtorId: bigint;
  readonly creditorId: bigint;
}

const isFromRootAccount = (transfer: RunningTransfer, { debtorId, creditorId }: AccountKey): boolean =>
  debtorId === transfer.debtorId && creditorId === ROOT_CREDITOR_ID;

const isAskedFor = (transfer: RunningTransfer, prepared: PreparedTransfer): boolean =>
  isFromRootAccount(transfer, prepared) &&
  prepared.recipient === transfer.recipient &&
  prepared.lockedAmount >= transfer.amount;

/** The first prepared transfer settles, unless the transfer is finalized (canceled, for example). */
const settle = (transfer: RunningTransfer, transferId: bigint): RunningTransfer =>
  transfer.transferId === null && transfer.finalizedAt === null ? { ...transfer, transferId } : transfer;

const fail = (
  transfer: RunningTransfer,
  now: Timestamp,
  errorCode: string,
  totalLockedAmount: bigint | null,
): TransferDecision => ({
  action: "finalize",
  transfer: { ...transfer, finalizedAt: finalizationTime(transfer, now), errorCode, totalLockedAmount },
});

const commitOf = (transfer: RunningTransfer, transferId: bigint, now: Timestamp): FinalizeTransfer => ({
  debtorId: transfer.debtorId,
  creditorId: ROOT_CREDITOR_ID,
  transferId,
  coordinatorId: transfer.debtorId,
  coordinatorRequestId: transfer.coordinatorRequestId,
  committedAmount: transfer.amount,
  transferNoteFormat: transfer.transferNoteFormat,
  transferNote: transfer.transferNote,
  ts: now,
});

/** With the message's own IDs: they identify the lock, even of an unknown transfer. */
const dismissalOf = (prepared: PreparedTransfer, now: Timestamp): FinalizeTransfer => ({
  debtorId: prepared.debtorId,
  creditorId: prepared.creditorId,
  transferId: prepared.transferId,
  coordinatorId: prepared.coordinatorId,
  coordinatorRequestId: prepared.coordinatorRequestId,
  committedAmount: 0n,
  transferNoteFormat: "",
  transferNote: "",
  ts: now,
});
