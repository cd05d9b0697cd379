/**
 * What the periodic scan does with one record: pending updates, heartbeats, deletion, purge, reminders.
 * Spec: sandbox-accounting-authority, "AccountUpdate, as sent", "PrepareTransfer", "Deletion".
 */
import type { AccountPurge } from "../../src/messages/incoming.ts";
import { plusSeconds, type Timestamp } from "../../src/values/timestamp.ts";
import { preparedTransferOf } from "./prepare-transfer.ts";
import { type Account, isScheduledForDeletion, nextChange, type PreparedTransferRecord } from "./records.ts";
import { accountUpdateOf, type SentMessage } from "./sent-messages.ts";

/** The account afterwards (`"purged"`: deleted; `undefined`: unchanged), and the messages to send. */
export interface AccountScanDecision {
  readonly account: Account | "purged" | undefined;
  readonly messages: readonly SentMessage[];
}

/** An account that has not been reported for this long is reported again. */
export const HEARTBEAT_DAYS = 7;

/** The PreparedTransfer of an open transfer is repeated after this time. */
export const REMINDER_DAYS = 7;

/** The minimum time between two attempts to close an account. */
export const DELETION_ATTEMPT_DAYS = 14;
const PURGE_DELAY_DAYS = 14 + 90 + 2;

/** Decides what is due for a root account. */
export function scanAccount(account: Account, now: Timestamp): AccountScanDecision {
  if (account.isDeleted) {
    return account.purgeAt !== null && account.purgeAt <= now
      ? { account: "purged", messages: [purgeOf(account, now)] }
      : { account: undefined, messages: [] };
  }
  const isAttemptDue = isDeletionDue(account, now);
  if (isAttemptDue && isEmpty(account)) return deleteAccount(account, now);
  const attempted = isAttemptDue ? { ...account, lastDeletionAttemptTs: now } : account;
  const isUpdateDue = account.updateDueAt !== null && account.updateDueAt <= now;
  const isHeartbeatDue = plusDays(account.lastHeartbeatTs, HEARTBEAT_DAYS) <= now;
  if (!isUpdateDue && !isHeartbeatDue) return { account: isAttemptDue ? attempted : undefined, messages: [] };
  return {
    account: { ...attempted, updateDueAt: null, lastHeartbeatTs: now },
    messages: [accountUpdateOf(account, isUpdateDue ? account.lastChangeTs : now)],
  };
}

/** Decides whether the PreparedTransfer of an open transfer is due again; `undefined` if not. */
export function scanTransfer(
  transfer: PreparedTransferRecord,
  now: Timestamp,
): { readonly transfer: PreparedTransferRecord; readonly messages: readonly SentMessage[] } | undefined {
  if (now < plusDays(transfer.lastReminderTs, REMINDER_DAYS)) return undefined;
  return { transfer: { ...transfer, lastReminderTs: now }, messages: [preparedTransferOf(transfer, now)] };
}

const isDeletionDue = (account: Account, now: Timestamp): boolean =>
  isScheduledForDeletion(account) && plusDays(account.lastDeletionAttemptTs, DELETION_ATTEMPT_DAYS) <= now;

const isEmpty = (account: Account): boolean => account.principal === 0n && account.pendingTransfersCount === 0;

function deleteAccount(account: Account, now: Timestamp): AccountScanDecision {
  const deleted: Account = {
    ...account,
    ...nextChange(account, now),
    isDeleted: true,
    // Long enough that the account is also 3 days old then, which a purge requires as well.
    purgeAt: plusDays(now, PURGE_DELAY_DAYS),
    lastDeletionAttemptTs: now,
    lastHeartbeatTs: now,
    updateDueAt: null,
  };
  return { account: deleted, messages: [accountUpdateOf(deleted, deleted.lastChangeTs)] };
}

const purgeOf = (account: Account, now: Timestamp): AccountPurge => ({
  type: "AccountPurge",
  debtorId: account.debtorId,
  creditorId: account.creditorId,
  creationDate: account.creationDate,
  ts: now,
});

const plusDays = (timestamp: Timestamp, days: number): Timestamp => plusSeconds(timestamp, days * 86_400);
