/**
 * What the accounting authority's messages about a debtor's account mean for the debtor. A rule that has nothing to
 * change says "ignore". Spec: messages, "What each does".
 */
import type { AccountPurge, AccountUpdate, RejectedConfig } from "../messages/incoming.ts";
import type { ConfigureAccount } from "../messages/outgoing.ts";
import { isLaterSeqnum } from "../values/seqnum.ts";
import { MICROS_PER_SECOND, type Timestamp } from "../values/timestamp.ts";
import { CONFIG_SCHEDULED_FOR_DELETION, type Debtor, isActive, STATUS_ACTIVATED } from "./debtor.ts";
import { infoIriOf } from "./info-iri.ts";
import { isNegligibleAmountOf } from "./negligible-amount.ts";

/** The decision about the debtor. */
export type AccountDecision = { readonly action: "ignore" } | { readonly action: "update"; readonly debtor: Debtor };

/** The decision about the debtor, or about an account without an active debtor. */
export type AccountUpdateDecision =
  | AccountDecision
  /** The account has no active debtor and is configured for deletion. `debtor` is set when it is reserved. */
  | { readonly action: "discard"; readonly message: ConfigureAccount; readonly debtor?: Debtor };

/**
 * Decides about the state of an account, in this order: a message that is too old is ignored; an account without an active
 * debtor is discarded, each time again; the heartbeat counts even when the event is not newer.
 */
export function decideAccountUpdate(
  debtor: Debtor | undefined,
  update: AccountUpdate,
  now: Timestamp,
): AccountUpdateDecision {
  if (isExpired(update, now)) return { action: "ignore" };
  if (debtor === undefined || !isActive(debtor)) {
    return isBeingDiscarded(update) ? { action: "ignore" } : discard(debtor, update, now);
  }
  return decisionOf(debtor, withEvent(withHeartbeat(debtor, update, now), update));
}

/** Decides about the purge of an account. The purge of an older account does not affect a newer one. */
export function decideAccountPurge(debtor: Debtor | undefined, purge: AccountPurge): AccountDecision {
  if (debtor === undefined || !debtor.hasServerAccount || debtor.accountCreationDate > purge.creationDate) {
    return { action: "ignore" };
  }
  // Creation date and last event stay, so that late updates of the purged account do not restore it.
  return {
    action: "update",
    debtor: {
      ...debtor,
      hasServerAccount: false,
      balance: 0n,
      transferNoteMaxBytes: 0,
      accountId: "",
      isConfigEffectual: false,
    },
  };
}

/** Decides about the rejection of a configuration. Only that of the last one sent counts, and only the first. */
export function decideRejectedConfig(debtor: Debtor | undefined, rejection: RejectedConfig): AccountDecision {
  if (debtor === undefined || debtor.configError !== null) return { action: "ignore" };
  const { configTs: ts, configSeqnum: seqnum, configFlags: flags, configData: data, negligibleAmount } = rejection;
  return isLastConfiguration(debtor, { ts, seqnum, flags, data, negligibleAmount })
    ? { action: "update", debtor: { ...debtor, configError: rejection.rejectionCode } }
    : { action: "ignore" };
}

const decisionOf = (before: Debtor, after: Debtor): AccountDecision =>
  after === before ? { action: "ignore" } : { action: "update", debtor: after };

const isExpired = ({ ts, ttl }: AccountUpdate, now: Timestamp): boolean => now - ts > BigInt(ttl) * MICROS_PER_SECOND;

// More than any account can hold. It comes back in single precision, hence the slightly lower bound.
const DISCARDING_NEGLIGIBLE_AMOUNT = 1e30;
const DISCARDING_NEGLIGIBLE_AMOUNT_MIN = 0.99999e30;

const isBeingDiscarded = ({ configFlags, negligibleAmount }: AccountUpdate): boolean =>
  (configFlags & CONFIG_SCHEDULED_FOR_DELETION) !== 0 && negligibleAmount >= DISCARDING_NEGLIGIBLE_AMOUNT_MIN;

/** A reserved debtor keeps the time, so that its activation is later than the discard, even if the clock is behind. */
function discard(debtor: Debtor | undefined, { debtorId }: AccountUpdate, now: Timestamp): AccountUpdateDecision {
  const message = discardingConfiguration(debtorId, now);
  const isReserved = debtor !== undefined && (debtor.statusFlags & STATUS_ACTIVATED) === 0;
  return isReserved && now > debtor.lastConfigTs
    ? { action: "discard", message, debtor: { ...debtor, lastConfigTs: now } }
    : { action: "discard", message };
}

const discardingConfiguration = (debtorId: bigint, now: Timestamp): ConfigureAccount => ({
  debtorId,
  ts: now,
  seqnum: 0,
  negligibleAmount: DISCARDING_NEGLIGIBLE_AMOUNT,
  configData: "",
  configFlags: CONFIG_SCHEDULED_FOR_DELETION,
});

/** The authority's clock may be ahead of this node's: a heartbeat is never later than now. */
function withHeartbeat(debtor: Debtor, { ts }: AccountUpdate, now: Timestamp): Debtor {
  const heartbeat = ts < now ? ts : now;
  return heartbeat > debtor.accountLastHeartbeatTs ? { ...debtor, accountLastHeartbeatTs: heartbeat } : debtor;
}

function withEvent(debtor: Debtor, update: AccountUpdate): Debtor {
  if (!isLaterEvent(debtor, update)) return debtor;
  const { lastConfigTs: ts, lastConfigSeqnum: seqnum, configFlags: flags, configData: data, negligibleAmount } = update;
  const isConfigEffectual = isLastConfiguration(debtor, { ts, seqnum, flags, data, negligibleAmount });
  return {
    ...debtor,
    hasServerAccount: true,
    accountCreationDate: update.creationDate,
    accountLastChangeTs: update.lastChangeTs,
    accountLastChangeSeqnum: update.lastChangeSeqnum,
    accountId: update.accountId,
    balance: update.principal,
    transferNoteMaxBytes: update.transferNoteMaxBytes,
    isConfigEffectual,
    ...(isConfigEffectual && { configError: null, debtorInfoIri: storableInfoIriOf(update.configData) }),
  };
}

/** Whether the event is later than the last one known: of a newer account, or a later change of the same one. */
function isLaterEvent(debtor: Debtor, update: AccountUpdate): boolean {
  if (update.creationDate !== debtor.accountCreationDate) return update.creationDate > debtor.accountCreationDate;
  if (update.lastChangeTs !== debtor.accountLastChangeTs) return update.lastChangeTs > debtor.accountLastChangeTs;
  return isLaterSeqnum(update.lastChangeSeqnum, debtor.accountLastChangeSeqnum);
}

interface Configuration {
  readonly ts: Timestamp;
  readonly seqnum: number;
  readonly flags: number;
  readonly data: string;
  readonly negligibleAmount: number;
}

/** Whether this is the configuration that was sent last. */
const isLastConfiguration = (debtor: Debtor, { ts, seqnum, flags, data, negligibleAmount }: Configuration): boolean =>
  ts === debtor.lastConfigTs &&
  seqnum === debtor.lastConfigSeqnum &&
  flags === debtor.configFlags &&
  data === debtor.configData &&
  isNegligibleAmountOf(debtor.minBalance, negligibleAmount);

/** JSON escapes can contain characters that no text column and no address can have: such an IRI is ignored. */
function storableInfoIriOf(configData: string): string | null {
  const iri = infoIriOf(configData);
  return iri === null || iri.includes("\0") || !iri.isWellFormed() ? null : iri;
}
