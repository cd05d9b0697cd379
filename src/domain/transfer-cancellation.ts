/** Canceling an issuing transfer. Spec: http-api, "transfers". */
import type { Timestamp } from "../values/timestamp.ts";
import { finalizationTime, type RunningTransfer } from "./running-transfer.ts";

/** The error code of a transfer that its debtor has canceled. */
export const CANCELED_BY_THE_SENDER = "CANCELED_BY_THE_SENDER";

/** The decision about a request to cancel. */
export type CancellationDecision =
  | { readonly action: "finalize"; readonly transfer: RunningTransfer }
  /** It has failed already, perhaps by an earlier cancellation. */
  | { readonly action: "repeat"; readonly transfer: RunningTransfer }
  | { readonly action: "reject"; readonly code: "TRANSFER_NOT_FOUND" | "TRANSFER_SETTLED" };

/**
 * Decides about a cancellation. For a settled transfer the accounting authority has been asked to commit, so it cannot be
 * canceled, even if it has failed since.
 */
export function decideCancellation(transfer: RunningTransfer | undefined, now: Timestamp): CancellationDecision {
  if (transfer === undefined) return { action: "reject", code: "TRANSFER_NOT_FOUND" };
  if (transfer.transferId !== null) return { action: "reject", code: "TRANSFER_SETTLED" };
  if (transfer.finalizedAt !== null) return { action: "repeat", transfer };
  return {
    action: "finalize",
    transfer: { ...transfer, finalizedAt: finalizationTime(transfer, now), errorCode: CANCELED_BY_THE_SENDER },
  };
}
