/** Changes of a principal, by commits, payments and interest. Spec: sandbox-accounting-authority, "Money coming back". */
import { isInt64 } from "../../src/values/int64.ts";
import { plusSeconds, type Timestamp } from "../../src/values/timestamp.ts";
import type { AccountKey } from "./ledger.ts";
import { type Account, createAccount, isRoot, nextChange } from "./records.ts";
import { accountUpdateOf, type SentMessage } from "./sent-messages.ts";

/** The time, and the delay until a new balance is reported. */
export interface StepContext {
  readonly now: Timestamp;
  /** Seconds between a change of the balance and its update; the first change counts. */
  readonly balanceUpdateDelaySeconds: number;
}

/** The account after the change, and the messages to send at once. */
export interface PrincipalChange {
  readonly account: Account;
  readonly messages: readonly SentMessage[];
}

/**
 * Adds an amount, which may be negative, to a principal. A deleted account is restored, with an update at once; one that is
 * purged is created again, first with an update as it was before the change. Everything else is reported later, by the scan.
 * Throws when the principal would leave 64 bits.
 */
export function changePrincipal(
  former: Account | undefined,
  key: AccountKey,
  amount: bigint,
  { now, balanceUpdateDelaySeconds }: StepContext,
): PrincipalChange {
  const account = former ?? createAccount(key.debtorId, key.creditorId, now);
  const principal = account.principal + amount;
  if (!isInt64(principal)) throw new RangeError(`A principal of ${principal} does not fit 64 bits`);
  const changed: Account = { ...account, ...nextChange(account, now), principal, isDeleted: false, purgeAt: null };
  if (!isRoot(account)) return { account: changed, messages: [] };
  if (account.isDeleted) {
    const undeleted: Account = { ...changed, lastHeartbeatTs: now, updateDueAt: null };
    return { account: undeleted, messages: [accountUpdateOf(undeleted, undeleted.lastChangeTs)] };
  }
  return {
    account: { ...changed, updateDueAt: account.updateDueAt ?? plusSeconds(now, balanceUpdateDelaySeconds) },
    messages: former ? [] : [accountUpdateOf(account, account.lastChangeTs)],
  };
}
