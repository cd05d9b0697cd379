/** What becomes of a request to cancel an issuing transfer. Spec: http-api, "transfers". */
import type { Timestamp } from "../values/timestamp.ts";
import { finalizationTime, type RunningTransfer } from "./running-transfer.ts";

/** The error code of a transfer that its debtor has cancelled. */
export const CANCELED_BY_THE_SENDER = "CANCELED_BY_THE_SENDER";

/** What becomes of a request to cancel. */
export type CancellationDecision =
  | { readonly action: "finalize"; readonly transfer: RunningTransfer }
  /** It has failed already, perhaps by an earlier cancellation. */
  | { readonly action: "repeat"; readonly transfer: RunningTransfer }
  | { readonly action: "refuse"; readonly code: "TRANSFER_NOT_FOUND" | "TRANSFER_SETTLED" };

/**
 * Judges a cancellation. Once settled, we have told the accounting authority to commit, and the transfer cannot be
 * taken back; this holds even if it has failed since.
 */
export function decideCancellation(transfer: RunningTransfer | undefined, now: Timestamp): CancellationDecision {
  if (transfer === undefined) return { action: "refuse", code: "TRANSFER_NOT_FOUND" };
  if (transfer.transferId !== null) return { action: "refuse", code: "TRANSFER_SETTLED" };
  if (transfer.finalizedAt !== null) return { action: "repeat", transfer };
  return {
    action: "finalize",
    transfer: { ...transfer, finalizedAt: finalizationTime(transfer, now), errorCode: CANCELED_BY_THE_SENDER },
  };
}
