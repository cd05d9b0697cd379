/** What a `ConfigureAccount` does. Spec: sandbox-accounting-authority, "ConfigureAccount". */
import type { RejectedConfig } from "../../src/messages/incoming.ts";
import { isLaterSeqnum } from "../../src/values/seqnum.ts";
import { MICROS_PER_DAY, type Timestamp } from "../../src/values/timestamp.ts";
import type { ReceivedConfigureAccount } from "./received-messages.ts";
import { type Account, createAccount, isRoot, nextChange, toSinglePrecision } from "./records.ts";
import { isValidRootConfigData } from "./root-config-data.ts";
import { accountUpdateOf, type SentMessage } from "./sent-messages.ts";

/** The account afterwards (`undefined`: unchanged), and the one answer, if any. */
export interface ConfigureAccountDecision {
  readonly account: Account | undefined;
  readonly messages: readonly SentMessage[];
}

const NO_ANSWER: ConfigureAccountDecision = { account: undefined, messages: [] };
const AGE_DAYS_MAX = 7n;

/** Decides about a configuration of an account that may not exist yet. A repeated or outdated one gets no answer. */
export function decideConfigureAccount(
  account: Account | undefined,
  message: ReceivedConfigureAccount,
  now: Timestamp,
): ConfigureAccountDecision {
  const isTimely = account ? isLater(message, account) : message.ts >= now - AGE_DAYS_MAX * MICROS_PER_DAY;
  if (!isTimely) return NO_ANSWER;
  if (!isValid(message)) return rejectConfiguration(message, "INVALID_CONFIGURATION", now);
  const former = account ?? createAccount(message.debtorId, message.creditorId, now);
  const configured: Account = {
    ...former,
    ...nextChange(former, now),
    negligibleAmount: toSinglePrecision(message.negligibleAmount),
    configFlags: message.configFlags,
    configData: message.configData,
    lastConfigTs: message.ts,
    lastConfigSeqnum: message.seqnum,
    lastHeartbeatTs: now,
    updateDueAt: null,
    isDeleted: false,
    purgeAt: null,
  };
  return { account: configured, messages: [accountUpdateOf(configured, configured.lastChangeTs)] };
}

/** Rejects a configuration; nothing changes. */
export function rejectConfiguration(
  message: ReceivedConfigureAccount,
  rejectionCode: string,
  now: Timestamp,
): ConfigureAccountDecision {
  const rejection: RejectedConfig = {
    type: "RejectedConfig",
    debtorId: message.debtorId,
    creditorId: message.creditorId,
    configTs: message.ts,
    configSeqnum: message.seqnum,
    configFlags: message.configFlags,
    configData: message.configData,
    negligibleAmount: message.negligibleAmount,
    rejectionCode,
    ts: now,
  };
  return { account: undefined, messages: [rejection] };
}

const isLater = (message: ReceivedConfigureAccount, account: Account): boolean =>
  message.ts === account.lastConfigTs
    ? isLaterSeqnum(message.seqnum, account.lastConfigSeqnum)
    : message.ts > account.lastConfigTs;

const isValid = (message: ReceivedConfigureAccount): boolean =>
  message.negligibleAmount >= 0 &&
  (isRoot(message) ? isValidRootConfigData(message.configData) : message.configData === "");
