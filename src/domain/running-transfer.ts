/** The record of an issuing transfer. Spec: storage, "running_transfer"; domain, "The life of an issuing transfer". */
import type { Timestamp } from "../values/timestamp.ts";
import type { Uuid } from "../values/uuid.ts";

/** A row of the table `running_transfer`. */
export interface RunningTransfer {
  readonly debtorId: bigint;
  readonly transferUuid: Uuid;
  /** Zero or positive. */
  readonly amount: bigint;
  readonly recipientUri: string;
  /** The account ID in `recipientUri`. */
  readonly recipient: string;
  readonly transferNoteFormat: string;
  readonly transferNote: string;
  readonly initiatedAt: Timestamp;
  readonly finalizedAt: Timestamp | null;
  /** Null for a success; the empty string is an error like any other. */
  readonly errorCode: string | null;
  readonly totalLockedAmount: bigint | null;
  readonly coordinatorRequestId: bigint;
  /** Not null once settled. */
  readonly transferId: bigint | null;
}

/** The end of a transfer that ends now: never before its beginning, even when a clock has been set back. */
export const finalizationTime = ({ initiatedAt }: RunningTransfer, now: Timestamp): Timestamp =>
  now > initiatedAt ? now : initiatedAt;
