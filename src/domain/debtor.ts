/** The debtor record, and facts about it that several folders need. Spec: storage, "debtor"; domain, "The life of a debtor". */
import type { CalendarDate, Timestamp } from "../values/timestamp.ts";

/** `statusFlags` bit: the debtor has been activated. */
export const STATUS_ACTIVATED = 1;
/** `statusFlags` bit: the debtor has been deactivated; never set without `STATUS_ACTIVATED`. */
export const STATUS_DEACTIVATED = 2;
/** `configFlags` bit: the debtor's account is scheduled for deletion. */
export const CONFIG_SCHEDULED_FOR_DELETION = 1;
/** The creditor ID of the debtor's own account, the root account. */
export const ROOT_CREDITOR_ID = 0n;

/** A row of the table `debtor`. */
export interface Debtor {
  readonly debtorId: bigint;
  readonly statusFlags: number;
  readonly deactivationDate: CalendarDate | null;
  readonly reservationId: bigint | null;
  readonly createdAt: Timestamp;
  readonly balance: bigint;
  readonly transferNoteMaxBytes: number;
  readonly runningTransfersCount: number;
  readonly actionsCount: number;
  readonly actionsCountResetDate: CalendarDate;
  readonly hasServerAccount: boolean;
  readonly accountCreationDate: CalendarDate;
  readonly accountLastChangeTs: Timestamp;
  readonly accountLastChangeSeqnum: number;
  readonly accountLastHeartbeatTs: Timestamp;
  /** Empty until the accounting authority has given the account an ID. */
  readonly accountId: string;
  readonly lastConfigTs: Timestamp;
  readonly lastConfigSeqnum: number;
  readonly isConfigEffectual: boolean;
  readonly configFlags: number;
  readonly configData: string;
  readonly configError: string | null;
  /** At least 1. */
  readonly configLatestUpdateId: bigint;
  readonly debtorInfoIri: string | null;
  readonly documentsCount: number;
  readonly documentsCountResetDate: CalendarDate;
  /** Zero or negative: how far the balance of the debtor's account may go. */
  readonly minBalance: bigint;
}

/** Activated and not deactivated. */
export const isActive = (debtor: Pick<Debtor, "statusFlags">): boolean =>
  (debtor.statusFlags & (STATUS_ACTIVATED | STATUS_DEACTIVATED)) === STATUS_ACTIVATED;
