/** From reserved to activated to deactivated. Spec: domain, "The life of a debtor"; http-api, "admin". */
import { INT64_MIN } from "../values/int64.ts";
import { dateOf, EPOCH, EPOCH_DATE, type Timestamp } from "../values/timestamp.ts";
import { type Configured, configure } from "./account-configuration.ts";
import {
  CONFIG_SCHEDULED_FOR_DELETION,
  type Debtor,
  isActive,
  STATUS_ACTIVATED,
  STATUS_DEACTIVATED,
} from "./debtor.ts";

/** A debtor that has no reservation ID yet: the database assigns it. */
export type NewDebtor = Omit<Debtor, "reservationId">;

/** A new reservation. Spec: storage, "debtor", the defaults. */
export const reserve = (debtorId: bigint, now: Timestamp): NewDebtor => ({
  debtorId,
  statusFlags: 0,
  deactivationDate: null,
  createdAt: now,
  balance: 0n,
  transferNoteMaxBytes: 0,
  runningTransfersCount: 0,
  actionsCount: 0,
  actionsCountResetDate: dateOf(now),
  hasServerAccount: false,
  accountCreationDate: EPOCH_DATE,
  accountLastChangeTs: EPOCH,
  accountLastChangeSeqnum: 0,
  accountLastHeartbeatTs: now,
  accountId: "",
  lastConfigTs: EPOCH,
  lastConfigSeqnum: 0,
  isConfigEffectual: false,
  configFlags: 0,
  configData: "",
  configError: null,
  configLatestUpdateId: 1n,
  debtorInfoIri: null,
  documentsCount: 0,
  documentsCountResetDate: dateOf(now),
  minBalance: INT64_MIN,
});

/** Activates a reserved debtor. */
export const activate = (debtor: Debtor, now: Timestamp): Configured =>
  configure(debtor, { statusFlags: debtor.statusFlags | STATUS_ACTIVATED }, now);

/** The decision about a request to activate a reservation. */
export type ActivationDecision =
  | ({ readonly action: "activate" } & Configured)
  /** It has been activated with this reservation before, and may have been deactivated since. Nothing changes. */
  | { readonly action: "repeat"; readonly debtor: Debtor }
  | { readonly action: "reject"; readonly code: "INVALID_RESERVATION" | "DEBTOR_EXISTS" };

/**
 * Decides about the activation of a reservation, by a request or an `ActivateDebtor` message. The reservation ID is
 * opaque text: it must be exactly the text that was assigned.
 */
export function decideActivation(
  debtor: Debtor | undefined,
  reservationId: string,
  now: Timestamp,
): ActivationDecision {
  if (debtor === undefined) return { action: "reject", code: "INVALID_RESERVATION" };
  const isRight = debtor.reservationId !== null && reservationId === debtor.reservationId.toString();
  const isReserved = (debtor.statusFlags & STATUS_ACTIVATED) === 0;
  if (!isRight) return { action: "reject", code: isReserved ? "INVALID_RESERVATION" : "DEBTOR_EXISTS" };
  return isReserved ? { action: "activate", ...activate(debtor, now) } : { action: "repeat", debtor };
}

/** The decision about a request to deactivate a debtor. */
export type DeactivationDecision =
  /** All transfers of the debtor must be deleted as well. */
  | ({ readonly action: "deactivate" } & Configured)
  /** It is not active: nothing to do. */
  | { readonly action: "ignore" };

/** Decides about a deactivation: final, and only for an active debtor. Keeps the update ID and the minimum balance. */
export function decideDeactivation(debtor: Debtor | undefined, now: Timestamp): DeactivationDecision {
  if (debtor === undefined || !isActive(debtor)) return { action: "ignore" };
  const configured = configure(
    debtor,
    {
      statusFlags: debtor.statusFlags | STATUS_DEACTIVATED,
      deactivationDate: dateOf(now),
      runningTransfersCount: 0,
      configFlags: CONFIG_SCHEDULED_FOR_DELETION,
      configData: "",
      configError: null,
      debtorInfoIri: null,
      isConfigEffectual: true,
    },
    now,
  );
  return { action: "deactivate", ...configured };
}
