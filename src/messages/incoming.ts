/** The messages that this node receives. Spec: messages, "Received by this node". */
import type { CalendarDate, Timestamp } from "../values/timestamp.ts";

/** Activates a reserved debtor. Has no creditor ID. */
export interface ActivateDebtor {
  readonly type: "ActivateDebtor";
  readonly debtorId: bigint;
  /** At most 100 characters. */
  readonly reservationId: string;
  readonly ts: Timestamp;
}

/** A configuration was rejected. */
export interface RejectedConfig {
  readonly type: "RejectedConfig";
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly configTs: Timestamp;
  readonly configSeqnum: number;
  readonly configFlags: number;
  readonly configData: string;
  readonly negligibleAmount: number;
  readonly rejectionCode: string;
  readonly ts: Timestamp;
}

/** The state of an account. Fields that nothing here uses are checked and dropped. */
export interface AccountUpdate {
  readonly type: "AccountUpdate";
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly creationDate: CalendarDate;
  readonly lastChangeTs: Timestamp;
  readonly lastChangeSeqnum: number;
  readonly principal: bigint;
  readonly lastConfigTs: Timestamp;
  readonly lastConfigSeqnum: number;
  readonly negligibleAmount: number;
  readonly configFlags: number;
  readonly configData: string;
  readonly accountId: string;
  readonly transferNoteMaxBytes: number;
  readonly ts: Timestamp;
  /** Seconds, 0 to 2^31-1. */
  readonly ttl: number;
}

/** An account was purged. */
export interface AccountPurge {
  readonly type: "AccountPurge";
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly creationDate: CalendarDate;
  readonly ts: Timestamp;
}

/** The amount of a transfer is locked. */
export interface PreparedTransfer {
  readonly type: "PreparedTransfer";
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly coordinatorType: string;
  readonly coordinatorId: bigint;
  readonly coordinatorRequestId: bigint;
  readonly transferId: bigint;
  readonly lockedAmount: bigint;
  readonly recipient: string;
  readonly ts: Timestamp;
}

/** The amount of a transfer could not be locked. */
export interface RejectedTransfer {
  readonly type: "RejectedTransfer";
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly coordinatorType: string;
  readonly coordinatorId: bigint;
  readonly coordinatorRequestId: bigint;
  readonly statusCode: string;
  readonly totalLockedAmount: bigint;
  readonly ts: Timestamp;
}

/** A prepared transfer was finalized. */
export interface FinalizedTransfer {
  readonly type: "FinalizedTransfer";
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly coordinatorType: string;
  readonly coordinatorId: bigint;
  readonly coordinatorRequestId: bigint;
  readonly transferId: bigint;
  readonly committedAmount: bigint;
  readonly statusCode: string;
  readonly totalLockedAmount: bigint;
  readonly ts: Timestamp;
}

/** Any message that this node receives. */
export type IncomingMessage =
  | ActivateDebtor
  | RejectedConfig
  | AccountUpdate
  | AccountPurge
  | PreparedTransfer
  | RejectedTransfer
  | FinalizedTransfer;

/** The types of messages that this node receives. */
export const INCOMING_TYPES = [
  "ActivateDebtor",
  "RejectedConfig",
  "AccountUpdate",
  "AccountPurge",
  "PreparedTransfer",
  "RejectedTransfer",
  "FinalizedTransfer",
] as const satisfies readonly IncomingMessage["type"][];
