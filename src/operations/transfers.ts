/** What a debtor does with its issuing transfers. Spec: http-api, "transfers"; domain, "The life of an issuing transfer". */
import { type Database, DatabaseUnavailableError, type Pool } from "../database/database.ts";
import { lockIssuingDebtors, lockOfDebtors } from "../database/debtors.ts";
import {
  deleteTransfer as deleteTransferRow,
  finalizeTransfer,
  findTransfers,
  insertTransfers,
  lockTransfer,
  type TransferKey,
} from "../database/running-transfers.ts";
import type { RunningTransfer } from "../domain/running-transfer.ts";
import { decideCancellation } from "../domain/transfer-cancellation.ts";
import {
  decideTransferCreation,
  type InitiatedTransfer,
  type IssuingDebtor,
  type NewTransfer,
} from "../domain/transfer-creation.ts";
import { createBatcher } from "../runtime/batcher.ts";
import { now } from "../values/timestamp.ts";
import type { Uuid } from "../values/uuid.ts";
import { OperationError } from "./operation-error.ts";

export type { NewTransfer } from "../domain/transfer-creation.ts";

/** A requested transfer; `isNew`: this request has created it. */
export interface CreatedTransfer {
  readonly transfer: RunningTransfer;
  readonly isNew: boolean;
}

const BATCH_SIZE_MAX = 100;

/**
 * Creates the function that creates transfers, or finds that the same transfer exists. Requests that come while others
 * are in progress are served together. Rejected with TRANSFER_CONFLICT, DEBTOR_NOT_ACTIVE, TOO_MANY_ACTIONS or
 * TOO_MANY_TRANSFERS, checked in this order.
 */
export function createTransferBatcher(
  pool: Pool,
  { actionsPerMonthMax }: { readonly actionsPerMonthMax: number },
): (transfer: NewTransfer) => Promise<CreatedTransfer> {
  const create = createBatcher<NewTransfer, CreatedTransfer | OperationError>({
    run: (transfers) => createTransfers(pool, actionsPerMonthMax, transfers),
    sizeMax: BATCH_SIZE_MAX,
    isOutage: (error) => error instanceof DatabaseUnavailableError,
  });
  return async (transfer) => {
    const outcome = await create(transfer);
    if (outcome instanceof OperationError) throw outcome;
    return outcome;
  };
}

/**
 * One transaction of two round trips for any number of transfers: lock and load; store and commit. They are decided in order
 * and see each other's effects.
 */
async function createTransfers(
  pool: Pool,
  actionsPerMonthMax: number,
  wanted: readonly NewTransfer[],
): Promise<(CreatedTransfer | OperationError)[]> {
  const { decisions, created, loaded, stored } = await pool.transaction(async (tx) => {
    const { debtors, transfers: loaded } = await load(tx, wanted);
    const known = new Map<string, NewTransfer>(loaded);
    const created: InitiatedTransfer[] = [];
    const changedDebtorIds = new Set<bigint>();
    const at = now();
    const decisions = wanted.map((transfer) => {
      const { debtorId } = transfer;
      const key = keyOf(transfer);
      const decision = decideTransferCreation(transfer, known.get(key), debtors.get(debtorId), actionsPerMonthMax, at);
      if (decision.action === "create") {
        created.push(decision.transfer);
        known.set(key, decision.transfer);
        debtors.set(debtorId, decision.debtor);
        changedDebtorIds.add(debtorId);
      }
      return decision;
    });
    const changedDebtors = [...changedDebtorIds].map((debtorId) => debtors.get(debtorId)!);
    const stored = created.length > 0 ? insertTransfers(tx, created, changedDebtors) : undefined;
    return { decisions, created, loaded, stored };
  });
  const ids = stored?.rows() ?? [];
  const transfers = new Map(loaded);
  for (const [index, transfer] of created.entries()) {
    transfers.set(keyOf(transfer), { ...transfer, ...ids[index]! });
  }
  return wanted.map((transfer, index) => {
    const decision = decisions[index]!;
    if (decision.action === "reject") return new OperationError(decision.code);
    return { transfer: transfers.get(keyOf(transfer))!, isNew: decision.action === "create" };
  });
}

/**
 * Locks the debtors and then reads what transfers there are: in this order, and in two statements, so that the second
 * one sees what those have committed who held the lock before.
 */
async function load(
  db: Database,
  wanted: readonly NewTransfer[],
): Promise<{ debtors: Map<bigint, IssuingDebtor>; transfers: ReadonlyMap<string, RunningTransfer> }> {
  const [debtors, transfers] = await Promise.all([
    lockIssuingDebtors(db, [...new Set(wanted.map((transfer) => transfer.debtorId))]),
    findTransfers(db, wanted),
  ]);
  return {
    debtors: new Map(debtors.map((debtor) => [debtor.debtorId, debtor])),
    transfers: new Map(transfers.map((transfer) => [keyOf(transfer), transfer])),
  };
}

const keyOf = ({ debtorId, transferUuid }: TransferKey): string => `${debtorId}/${transferUuid}`;

/**
 * Cancels a transfer; repeating it, or canceling one that has failed, changes nothing. Rejected with TRANSFER_NOT_FOUND
 * or TRANSFER_SETTLED.
 */
export function cancelTransfer(pool: Pool, debtorId: bigint, transferUuid: Uuid): Promise<RunningTransfer> {
  return pool.transaction(async (tx) => {
    const decision = decideCancellation(await lockTransfer(tx, debtorId, transferUuid), now());
    switch (decision.action) {
      case "finalize":
        finalizeTransfer(tx, decision.transfer);
        return decision.transfer;
      case "repeat":
        return decision.transfer;
      case "reject":
        throw new OperationError(decision.code);
    }
  });
}

/** Deletes a transfer. Does nothing when there is none. Later messages about it are dismissed. */
export function deleteTransfer(pool: Pool, debtorId: bigint, transferUuid: Uuid): Promise<void> {
  return pool.transaction(async (tx) => {
    // The debtor first, as everywhere: see database/running-transfers.ts. All in one round trip.
    tx.defer(lockOfDebtors([debtorId]));
    deleteTransferRow(tx, debtorId, transferUuid);
  });
}
