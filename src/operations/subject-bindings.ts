/** Binding subjects of authorization servers to debtors. Spec: authorization, "Bindings", "Provisioning". */
import type { Pool, Transaction } from "../database/database.ts";
import { findDebtor } from "../database/debtors.ts";
import {
  countProvisioned,
  deleteSubjectBinding,
  findBindingsOfDebtor,
  findDebtorIdOfSubject,
  findSubjectBinding,
  insertSubjectBinding,
  listBindingEvents,
  lockSubjectBindings,
  recordBindingEvent,
} from "../database/subject-bindings.ts";
import { isActive } from "../domain/debtor.ts";
import {
  decideProvisioning,
  type ProvisioningLimits,
  type Subject,
  type SubjectBinding,
} from "../domain/subject-binding.ts";
import { isFirstShard, isInInterval, isResponsible, type ShardingRealm } from "../values/shard.ts";
import { now, plusSeconds, type Timestamp } from "../values/timestamp.ts";
import { activateRandomDebtor } from "./debtors.ts";
import { OperationError } from "./operation-error.ts";

/** What an operator wants to bind, and why. */
export interface BindRequest extends Subject {
  readonly debtorId: bigint;
  readonly reason: string | null;
  /** The maximum number of subjects of one debtor. */
  readonly subjectsPerDebtorMax: number;
  /** Checks everything and changes nothing. */
  readonly dryRun: boolean;
}

/**
 * Binds a subject to an active debtor of this node; in the first shard, to a debtor of any shard, because it answers all subjects
 * who their debtor is. Repeating it changes nothing. Rejected with DEBTOR_NOT_RESPONSIBLE,
 * DEBTOR_NOT_ACTIVE, SUBJECT_BOUND (to another debtor) or TOO_MANY_SUBJECTS.
 */
export function bindSubject(pool: Pool, realm: ShardingRealm, request: BindRequest): Promise<SubjectBinding> {
  const { issuer, subject, debtorId, reason, subjectsPerDebtorMax, dryRun } = request;
  return pool.transaction(async (tx) => {
    await lockSubjectBindings(tx);
    const earliest = await findBindableSince(tx, realm, debtorId);
    const known = await findSubjectBinding(tx, request);
    if (known?.debtorId === debtorId) return known;
    if (known !== undefined) throw new OperationError("SUBJECT_BOUND");
    const others = await findBindingsOfDebtor(tx, debtorId);
    if (others.length >= subjectsPerDebtorMax) throw new OperationError("TOO_MANY_SUBJECTS");
    const binding = { issuer, subject, debtorId, boundAt: notBefore(earliest), isProvisioned: false };
    if (!dryRun) await storeBinding(tx, binding, "bind", reason);
    return binding;
  });
}

/** Since when the debtor may be bound: its creation, as far as this shard knows it. */
async function findBindableSince(tx: Transaction, realm: ShardingRealm, debtorId: bigint): Promise<Timestamp> {
  if (!isResponsible(realm, debtorId)) {
    // Only its own shard knows whether it is active; the subject must be bound there as well.
    if (isFirstShard(realm.shard) && isInInterval(realm, debtorId)) return now();
    throw new OperationError("DEBTOR_NOT_RESPONSIBLE");
  }
  const debtor = await findDebtor(tx, debtorId);
  if (debtor === undefined || !isActive(debtor)) throw new OperationError("DEBTOR_NOT_ACTIVE");
  return debtor.createdAt;
}

/** Removes the binding of a subject and returns it. The debtor stays as it is. Rejected with SUBJECT_NOT_BOUND. */
export function unbindSubject(
  pool: Pool,
  request: Subject & { readonly reason: string | null; readonly dryRun: boolean },
): Promise<SubjectBinding> {
  const { issuer, subject, reason, dryRun } = request;
  return pool.transaction(async (tx) => {
    await lockSubjectBindings(tx);
    const binding = await findSubjectBinding(tx, request);
    if (binding === undefined) throw new OperationError("SUBJECT_NOT_BOUND");
    if (dryRun) return binding;
    await deleteSubjectBinding(tx, request);
    const { debtorId } = binding;
    await recordBindingEvent(tx, { action: "unbind", issuer, subject, debtorId, occurredAt: now(), reason });
    return binding;
  });
}

/**
 * Creates an active debtor for a subject and binds the subject to it, all in one transaction: a kill at any point leaves
 * everything or nothing. A subject that is bound already, by a concurrent request for example, keeps its debtor. Rejected with
 * SUBJECT_UNBOUND (an operator has unbound it, or its debtor was deleted and the ID given to another), PROVISIONING_HOURLY_LIMIT, PROVISIONING_TOTAL_LIMIT or
 * NO_FREE_DEBTOR_ID.
 */
export function provisionDebtor(
  pool: Pool,
  realm: ShardingRealm,
  limits: ProvisioningLimits,
  subject: Subject,
): Promise<SubjectBinding & { readonly isNew: boolean }> {
  return pool.transaction(async (tx) => {
    await lockSubjectBindings(tx);
    const known = await findSubjectBinding(tx, subject);
    if (known !== undefined) {
      if ((await findDebtorIdOfSubject(tx, subject)) === undefined) throw new OperationError("SUBJECT_UNBOUND");
      return { ...known, isNew: false };
    }
    const lastEvent = (await listBindingEvents(tx, subject)).at(-1);
    if (lastEvent?.action === "unbind") throw new OperationError("SUBJECT_UNBOUND");
    const decision = decideProvisioning(await countProvisioned(tx, plusSeconds(now(), -3600)), limits);
    if (decision !== "allowed") throw new OperationError(decision);
    const { debtorId, createdAt } = await activateRandomDebtor(tx, realm);
    const boundAt = notBefore(createdAt);
    const binding = { issuer: subject.issuer, subject: subject.subject, debtorId, boundAt, isProvisioned: true };
    await storeBinding(tx, binding, "provision", null);
    return { ...binding, isNew: true };
  });
}

/** Now, also when the clock of the machine that created the debtor is ahead. */
function notBefore(createdAt: Timestamp): Timestamp {
  const at = now();
  return at > createdAt ? at : createdAt;
}

async function storeBinding(
  tx: Transaction,
  binding: SubjectBinding,
  action: "bind" | "provision",
  reason: string | null,
): Promise<void> {
  const { issuer, subject, debtorId, boundAt } = binding;
  await insertSubjectBinding(tx, binding);
  await recordBindingEvent(tx, { action, issuer, subject, debtorId, occurredAt: boundAt, reason });
}
