/** Applying incoming messages, a batch at a time. Spec: messages, "Received by this node". */
import type { Database, Pool, Transaction } from "../database/database.ts";
import { lockDebtors, lockOfAbsentDebtors } from "../database/debtors.ts";
import { isFaultOfValues } from "../database/errors.ts";
import { lockTransfersByRequests, storeDebtorStates, storeTransferStates } from "../database/message-batches.ts";
import { recordMessages } from "../database/outbox.ts";
import { type BatchKeys, type BatchOutcome, canHaveEffect, decideBatch, keysOf } from "../domain/message-batch.ts";
import type { IncomingMessage } from "../messages/incoming.ts";
import { runBisecting } from "../runtime/bisect.ts";
import type { Timestamp } from "../values/timestamp.ts";

/**
 * Applies the messages in order, in one transaction: all of them or none. Repeating them is harmless. `now` must not
 * be later than the call. Throws DatabaseUnavailableError (the transaction may have been committed or not), and what
 * PostgreSQL says when it cannot store the outcome of a message.
 */
export async function applyMessages(pool: Pool, messages: readonly IncomingMessage[], now: Timestamp): Promise<void> {
  const relevant = messages.filter(canHaveEffect);
  if (relevant.length === 0) return;
  const keys = keysOf(relevant);
  await pool.transaction(async (tx) => store(tx, decideBatch(relevant, await lockRecords(tx, keys), now)));
}

/**
 * Applies the messages in order, and separates those whose outcome PostgreSQL can never store:
 * only then do the messages make up several transactions. Resolves to PostgreSQL's reasons by the index of the message;
 * all other messages have been applied. Throws DatabaseUnavailableError, and any error that does not depend on the message's own
 * values; the messages may have been applied or not, and it is harmless to apply them again.
 */
export async function applyMessagesBisecting(
  pool: Pool,
  messages: readonly IncomingMessage[],
  now: Timestamp,
): Promise<ReadonlyMap<number, Error>> {
  const apply = async (some: readonly IncomingMessage[]): Promise<readonly undefined[]> => {
    await applyMessages(pool, some, now);
    return some.map(() => undefined);
  };
  const refused = new Map<number, Error>();
  for (const [index, outcome] of (await runBisecting(messages, apply, isFaultOfValues)).entries()) {
    if (outcome.status === "fulfilled") continue;
    if (!isFaultOfValues(outcome.reason)) throw outcome.reason;
    refused.set(index, outcome.reason);
  }
  return refused;
}

/**
 * An account without a debtor is discarded, but its debtor may be activated at this moment. Then the
 * discard, recorded after that and with a later time, would win. So a message without a debtor waits for
 * such an activation, and looks again.
 */
async function lockRecords(tx: Transaction, keys: BatchKeys) {
  const records = await lockPresentRecords(tx, keys);
  const present = new Set(records.debtors.map(({ debtorId }) => debtorId));
  const absent = keys.debtorIds.filter((debtorId) => !present.has(debtorId));
  if (absent.length === 0) return records;
  tx.defer(lockOfAbsentDebtors(absent, "shared"));
  return lockPresentRecords(tx, keys);
}

/** Both locks and the BEGIN before them go out together: one round trip. Debtors first, as everywhere. */
async function lockPresentRecords(db: Database, { debtorIds, transferRequests }: BatchKeys) {
  const [debtors, transfers] = await Promise.all([
    debtorIds.length > 0 ? lockDebtors(db, debtorIds) : [],
    transferRequests.length > 0 ? lockTransfersByRequests(db, transferRequests) : [],
  ]);
  return { debtors, transfers };
}

/** The statements go out together with the COMMIT, in another round trip. */
function store(tx: Transaction, outcome: BatchOutcome): void {
  storeDebtorStates(tx, outcome.debtors);
  storeTransferStates(tx, outcome.transfers);
  recordMessages(tx, "configure_account", outcome.configureAccounts);
  recordMessages(tx, "finalize_transfer", outcome.finalizeTransfers);
}
