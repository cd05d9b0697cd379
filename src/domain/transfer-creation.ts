/** Creating an issuing transfer. Spec: http-api, "transfers"; domain, "The life of an issuing transfer". */
import type { Timestamp } from "../values/timestamp.ts";
import { type Debtor, isActive } from "./debtor.ts";
import type { RunningTransfer } from "./running-transfer.ts";
import { countAction } from "./throttling.ts";

/** A requested transfer; `recipient` is the account ID in `recipientUri`. */
export type NewTransfer = Pick<
  RunningTransfer,
  "debtorId" | "transferUuid" | "amount" | "recipientUri" | "recipient" | "transferNoteFormat" | "transferNote"
>;

/** The fields of a debtor that the creation of a transfer checks or changes. */
export type IssuingDebtor = Pick<
  Debtor,
  "debtorId" | "statusFlags" | "runningTransfersCount" | "actionsCount" | "actionsCountResetDate"
>;

/** A new transfer, to which the database has not assigned a `coordinatorRequestId` yet. */
export type InitiatedTransfer = Omit<RunningTransfer, "coordinatorRequestId">;

/** The decision about a request to create a transfer. */
export type TransferCreationDecision =
  | { readonly action: "create"; readonly debtor: IssuingDebtor; readonly transfer: InitiatedTransfer }
  /** The same transfer exists already. */
  | { readonly action: "repeat" }
  | {
      readonly action: "reject";
      readonly code: "TRANSFER_CONFLICT" | "DEBTOR_NOT_ACTIVE" | "TOO_MANY_ACTIONS" | "TOO_MANY_TRANSFERS";
    };

/**
 * Decides about the creation of a transfer. `existing` is the transfer that has this UUID, `debtor` the caller. A
 * repetition is recognized before anything else is checked, so that a client that got no answer can always retry.
 * The number of undeleted transfers is limited to the number of actions in a month.
 */
export function decideTransferCreation(
  wanted: NewTransfer,
  existing: NewTransfer | undefined,
  debtor: IssuingDebtor | undefined,
  actionsPerMonthMax: number,
  now: Timestamp,
): TransferCreationDecision {
  if (existing !== undefined) {
    return isSameTransfer(wanted, existing) ? { action: "repeat" } : { action: "reject", code: "TRANSFER_CONFLICT" };
  }
  if (debtor === undefined || !isActive(debtor)) return { action: "reject", code: "DEBTOR_NOT_ACTIVE" };
  const counted = countAction(debtor, actionsPerMonthMax, now);
  if (counted === undefined) return { action: "reject", code: "TOO_MANY_ACTIONS" };
  if (debtor.runningTransfersCount >= actionsPerMonthMax) return { action: "reject", code: "TOO_MANY_TRANSFERS" };
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

/** The URI is compared as text: another spelling of the same account is another transfer. */
const isSameTransfer = (a: NewTransfer, b: NewTransfer): boolean =>
  a.amount === b.amount &&
  a.recipientUri === b.recipientUri &&
  a.transferNoteFormat === b.transferNoteFormat &&
  a.transferNote === b.transferNote;
