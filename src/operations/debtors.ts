/** What supervisors and superusers do with debtors. Spec: http-api, "admin"; domain, "The life of a debtor". */
import type { Pool, Transaction } from "../database/database.ts";
import { findFreeDebtorId, insertDebtor, lockDebtors, lockOfAbsentDebtors, updateDebtor } from "../database/debtors.ts";
import { recordMessages } from "../database/outbox.ts";
import { deleteAllTransfers } from "../database/running-transfers.ts";
import { type Configured, configure } from "../domain/account-configuration.ts";
import { activate, decideActivation, decideDeactivation, reserve } from "../domain/activation.ts";
import { type Debtor, isActive } from "../domain/debtor.ts";
import type { ShardingRealm } from "../values/shard.ts";
import { now } from "../values/timestamp.ts";
import { OperationError } from "./operation-error.ts";
import { randomDebtorIds } from "./random-debtor-ids.ts";

/** Reserves a chosen ID. Rejected with DEBTOR_EXISTS. */
export async function reserveDebtor(pool: Pool, debtorId: bigint): Promise<Debtor> {
  const debtor = await insertDebtor(pool, reserve(debtorId, now()));
  if (debtor === undefined) throw new OperationError("DEBTOR_EXISTS");
  return debtor;
}

/** Reserves a random free ID of the realm. Rejected with NO_FREE_DEBTOR_ID when many attempts have found none. */
export async function reserveRandomDebtor(pool: Pool, realm: ShardingRealm): Promise<Debtor> {
  for await (const candidates of randomDebtorIds(realm)) {
    const debtorId = await findFreeDebtorId(pool, candidates);
    // Another request may have reserved the ID in the meantime; the next one is as good.
    const debtor = debtorId === undefined ? undefined : await insertDebtor(pool, reserve(debtorId, now()));
    if (debtor !== undefined) return debtor;
  }
  throw new OperationError("NO_FREE_DEBTOR_ID");
}

/** Reserves a chosen ID and activates it at once. Rejected with DEBTOR_EXISTS, also when it is only reserved. */
export function activateNewDebtor(pool: Pool, debtorId: bigint): Promise<Debtor> {
  return pool.transaction(async (tx) => {
    const debtor = await insertActiveDebtor(tx, debtorId);
    if (debtor === undefined) throw new OperationError("DEBTOR_EXISTS");
    return debtor;
  });
}

/**
 * Reserves a random free ID of the realm and activates it, as a part of the transaction of the caller. Rejected with
 * NO_FREE_DEBTOR_ID when many attempts have found none.
 */
export async function activateRandomDebtor(tx: Transaction, realm: ShardingRealm): Promise<Debtor> {
  for await (const candidates of randomDebtorIds(realm)) {
    const debtorId = await findFreeDebtorId(tx, candidates);
    const debtor = debtorId === undefined ? undefined : await insertActiveDebtor(tx, debtorId);
    if (debtor !== undefined) return debtor;
  }
  throw new OperationError("NO_FREE_DEBTOR_ID");
}

async function insertActiveDebtor(tx: Transaction, debtorId: bigint): Promise<Debtor | undefined> {
  await tx.run(lockOfAbsentDebtors([debtorId], "exclusive"));
  // Later than the discard of an account that had no debtor until now; see apply-messages.ts.
  const at = now();
  const reserved = await insertDebtor(tx, reserve(debtorId, at));
  return reserved && storeConfigured(tx, activate(reserved, at));
}

/**
 * Activates a reservation; repeating it changes nothing. Rejected with INVALID_RESERVATION when the reservation ID is
 * wrong or nothing is reserved, with DEBTOR_EXISTS when it is wrong and the debtor has been activated.
 */
export function activateReservedDebtor(pool: Pool, debtorId: bigint, reservationId: string): Promise<Debtor> {
  return pool.transaction(async (tx) => {
    const [debtor] = await lockDebtors(tx, [debtorId]);
    const decision = decideActivation(debtor, reservationId, now());
    switch (decision.action) {
      case "activate":
        return storeConfigured(tx, decision);
      case "repeat":
        return decision.debtor;
      case "reject":
        throw new OperationError(decision.code);
    }
  });
}

/** Deactivates a debtor permanently, and deletes its transfers. Does nothing when the debtor is not active or unknown. */
export function deactivateDebtor(pool: Pool, debtorId: bigint): Promise<void> {
  return pool.transaction(async (tx) => {
    const [debtor] = await lockDebtors(tx, [debtorId]);
    const decision = decideDeactivation(debtor, now());
    if (decision.action === "ignore") return;
    deleteAllTransfers(tx, debtorId);
    storeConfigured(tx, decision);
  });
}

/** Sets how far the balance may go, zero or negative. Rejected with DEBTOR_NOT_ACTIVE. */
export function restrictDebtor(pool: Pool, debtorId: bigint, minBalance: bigint): Promise<Debtor> {
  return pool.transaction(async (tx) => {
    const [debtor] = await lockDebtors(tx, [debtorId]);
    if (debtor === undefined || !isActive(debtor)) throw new OperationError("DEBTOR_NOT_ACTIVE");
    return storeConfigured(tx, configure(debtor, { minBalance }, now()));
  });
}

/** Both go out together with the COMMIT. */
function storeConfigured(tx: Transaction, { debtor, message }: Configured): Debtor {
  updateDebtor(tx, debtor);
  recordMessages(tx, "configure_account", [message]);
  return debtor;
}
