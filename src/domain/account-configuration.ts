/** How the configuration of a debtor's account changes. Spec: messages, "Sent by this node"; http-api, "debtors". */
import type { ConfigureAccount } from "../messages/outgoing.ts";
import { nextSeqnum } from "../values/seqnum.ts";
import type { Timestamp } from "../values/timestamp.ts";
import { type Debtor, isActive } from "./debtor.ts";
import { countAction } from "./throttling.ts";

/** What may change together with the configuration. */
export type ConfigurationChanges = Partial<Omit<Debtor, "debtorId" | "lastConfigTs" | "lastConfigSeqnum">>;

/** A debtor with a new configuration, and the message to the accounting authority. Both must be stored. */
export interface Configured {
  readonly debtor: Debtor;
  readonly message: ConfigureAccount;
}

/**
 * Creates the next configuration of the debtor: `ts` never goes back, even when a clock does, and `seqnum` grows and wraps.
 * Whether the configuration is effectual does not change, unless `changes` says so: only the accounting
 * authority's next update of the account decides that.
 */
export function configure(debtor: Debtor, changes: ConfigurationChanges, now: Timestamp): Configured {
  const configured: Debtor = {
    ...debtor,
    ...changes,
    lastConfigTs: now > debtor.lastConfigTs ? now : debtor.lastConfigTs,
    lastConfigSeqnum: nextSeqnum(debtor.lastConfigSeqnum),
  };
  return {
    debtor: configured,
    message: {
      debtorId: configured.debtorId,
      ts: configured.lastConfigTs,
      seqnum: configured.lastConfigSeqnum,
      negligibleAmount: Number(-configured.minBalance),
      configData: configured.configData,
      configFlags: configured.configFlags,
    },
  };
}

/** A requested configuration. */
export interface ConfigurationUpdate {
  readonly configData: string;
  /** The ID of the current update plus one, or the current one for a repetition. */
  readonly latestUpdateId: bigint;
}

/** The decision about a request to change the configuration. */
export type ConfigurationUpdateDecision =
  | ({ readonly action: "configure" } & Configured)
  /** A repetition: it is only counted. */
  | { readonly action: "count"; readonly debtor: Debtor }
  | { readonly action: "reject"; readonly code: "DEBTOR_NOT_ACTIVE" | "TOO_MANY_ACTIONS" | "UPDATE_CONFLICT" };

/** Decides about an update of the configuration. Repetitions are counted like other actions. Spec: http-api, "debtors". */
export function decideConfigurationUpdate(
  debtor: Debtor | undefined,
  { configData, latestUpdateId }: ConfigurationUpdate,
  actionsPerMonthMax: number,
  now: Timestamp,
): ConfigurationUpdateDecision {
  if (debtor === undefined || !isActive(debtor)) return { action: "reject", code: "DEBTOR_NOT_ACTIVE" };
  const counted = countAction(debtor, actionsPerMonthMax, now);
  if (counted === undefined) return { action: "reject", code: "TOO_MANY_ACTIONS" };
  if (latestUpdateId === debtor.configLatestUpdateId && configData === debtor.configData) {
    return { action: "count", debtor: counted };
  }
  if (latestUpdateId !== debtor.configLatestUpdateId + 1n) return { action: "reject", code: "UPDATE_CONFLICT" };
  return { action: "configure", ...configure(counted, { configData, configLatestUpdateId: latestUpdateId }, now) };
}
