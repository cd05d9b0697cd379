/** What becomes of a request for an issuing transfer. Spec: http-api, "transfers"; domain, "The life of an issuing transfer". */
import type { Timestamp } from "../values/timestamp.ts";
import { type Debtor, isActive } from "./debtor.ts";
import type { RunningTransfer } from "./running-transfer.ts";
import { countAction } from "./throttling.ts";

/** A transfer as the debtor asks for it; `recipient` is the account ID in `recipientUri`. */
export type NewTransfer = Pick<
  RunningTransfer,
  "debtorId" | "transferUuid" | "amount" | "recipientUri" | "recipient" | "transferNoteFormat" | "transferNote"
>;

/** What the creation of a transfer asks of a debtor, and changes in it. */
export type IssuingDebtor = Pick<
  Debtor,
  "debtorId" | "statusFlags" | "runningTransfersCount" | "actionsCount" | "actionsCountResetDate"
>;

/** A transfer that has begun, before the database has given it a `coordinatorRequestId`. */
export type InitiatedTransfer = Omit<RunningTransfer, "coordinatorRequestId">;

/** What becomes of a request to create a transfer. */
export type TransferCreationDecision =
  | { readonly action: "create"; readonly debtor: IssuingDebtor; readonly transfer: InitiatedTransfer }
  /** The same transfer exists already. */
  | { readonly action: "repeat" }
  | {
      readonly action: "refuse";
      readonly code: "TRANSFER_CONFLICT" | "DEBTOR_NOT_ACTIVE" | "TOO_MANY_ACTIONS" | "TOO_MANY_TRANSFERS";
    };

/**
 * Judges the creation of a transfer. `existing` is the transfer that has this UUID, `debtor` the one that asks. A
 * repetition is recognized before anything else is looked at, so that a client that got no answer can always ask again.
 * As many transfers may exist undeleted as there may be actions in a month.
 */
export function decideTransferCreation(
  wanted: NewTransfer,
  existing: NewTransfer | undefined,
  debtor: IssuingDebtor | undefined,
  actionsPerMonthMax: number,
  now: Timestamp,
): TransferCreationDecision {
  if (existing !== undefined) {
    return isSameTransfer(wanted, existing) ? { action: "repeat" } : { action: "refuse", code: "TRANSFER_CONFLICT" };
  }
  if (debtor === undefined || !isActive(debtor)) return { action: "refuse", code: "DEBTOR_NOT_ACTIVE" };
  const counted = countAction(debtor, actionsPerMonthMax, now);
  if (counted === undefined) return { action: "refuse", code: "TOO_MANY_ACTIONS" };
  if (debtor.runningTransfersCount >= actionsPerMonthMax) return { action: "refuse", code: "TOO_MANY_TRANSFERS" };
  return {
    action: "create",
    debtor: { ...counted, runningTransfersCount: counted.runningTransfersCount + 1 },
    transfer: {
      ...wanted,
      initiatedAt: now,
      finalizedAt: null,
      errorCode: null,
      totalLockedAmount: null,
      transferId: null,
    },
  };
}

/** The URI is compared as text: another spelling of the same account makes another transfer. */
const isSameTransfer = (a: NewTransfer, b: NewTransfer): boolean =>
  a.amount === b.amount &&
  a.recipientUri === b.recipientUri &&
  a.transferNoteFormat === b.transferNoteFormat &&
  a.transferNote === b.transferNote;
