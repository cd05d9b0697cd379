/** What a debtor does with its issuing transfers. Spec: http-api, "transfers"; domain, "The life of an issuing transfer". */
import { type Database, DatabaseUnavailableError, type Pool } from "../database/database.ts";
import { lockDebtors, lockIssuingDebtors } from "../database/debtors.ts";
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

/** A transfer that has been asked for; `isNew` says whether it came to be by that. */
export interface CreatedTransfer {
  readonly transfer: RunningTransfer;
  readonly isNew: boolean;
}

const BATCH_SIZE_MAX = 100;

/**
 * Makes the function that creates transfers, or finds that the same transfer exists. Requests that come while others
 * are under way are served together. Refuses with TRANSFER_CONFLICT, DEBTOR_NOT_ACTIVE, TOO_MANY_ACTIONS or
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
 * One transaction of two round trips, however many transfers: lock and load; store and commit. They are judged in order
 * and see each other's effect.
 */
async function createTransfers(
  pool: Pool,
  actionsPerMonthMax: number,
  wanted: readonly NewTransfer[],
): Promise<(CreatedTransfer | OperationError)[]> {
  const { verdicts, created, loaded, storing } = await pool.transaction(async (db) => {
    const { debtors, transfers: loaded } = await load(db, wanted);
    const known = new Map<string, NewTransfer>(loaded);
    const created: InitiatedTransfer[] = [];
    const changedDebtorIds = new Set<bigint>();
    const at = now();
    const verdicts = wanted.map((transfer) => {
      const { debtorId } = transfer;
      const key = keyOf(transfer);
      const verdict = decideTransferCreation(transfer, known.get(key), debtors.get(debtorId), actionsPerMonthMax, at);
      if (verdict.action === "create") {
        created.push(verdict.transfer);
        known.set(key, verdict.transfer);
        debtors.set(debtorId, verdict.debtor);
        changedDebtorIds.add(debtorId);
      }
      return verdict;
    });
    const changedDebtors = [...changedDebtorIds].map((debtorId) => debtors.get(debtorId)!);
    // Not awaited here, so that the COMMIT goes out with it.
    const storing = created.length > 0 ? insertTransfers(db, created, changedDebtors) : Promise.resolve([]);
    return { verdicts, created, loaded, storing };
  });
  const stored = await storing;
  const transfers = new Map(loaded);
  for (const [index, transfer] of created.entries()) {
    transfers.set(keyOf(transfer), { ...transfer, ...stored[index]! });
  }
  return wanted.map((transfer, index) => {
    const verdict = verdicts[index]!;
    if (verdict.action === "refuse") return new OperationError(verdict.code);
    return { transfer: transfers.get(keyOf(transfer))!, isNew: verdict.action === "create" };
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
 * Cancels a transfer; repeating it, or cancelling one that has failed, changes nothing. Refuses with TRANSFER_NOT_FOUND
 * or TRANSFER_SETTLED.
 */
export function cancelTransfer(pool: Pool, debtorId: bigint, transferUuid: Uuid): Promise<RunningTransfer> {
  return pool.transaction(async (db) => {
    const verdict = decideCancellation(await lockTransfer(db, debtorId, transferUuid), now());
    switch (verdict.action) {
      case "finalize":
        void finalizeTransfer(db, verdict.transfer);
        return verdict.transfer;
      case "repeat":
        return verdict.transfer;
      case "refuse":
        throw new OperationError(verdict.code);
    }
  });
}

/** Deletes a transfer. Does nothing when there is none. What the accounting authority still says of it is dismissed. */
export function deleteTransfer(pool: Pool, debtorId: bigint, transferUuid: Uuid): Promise<void> {
  return pool.transaction(async (db) => {
    // The debtor first, like everybody: see database/running-transfers.ts. All in one round trip.
    void lockDebtors(db, [debtorId]);
    void deleteTransferRow(db, debtorId, transferUuid);
  });
}
