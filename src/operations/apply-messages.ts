/** Applying incoming messages, a batch at a time. Spec: messages, "Received by this node". */
import { type Database, type Pool, sqlStateOf } from "../database/database.ts";
import { lockAbsentDebtors, lockDebtors } from "../database/debtors.ts";
import { lockTransfersByRequests, storeDebtorStates, storeTransferStates } from "../database/message-batches.ts";
import { recordConfigureAccounts, recordFinalizeTransfers } from "../database/outbox.ts";
import { type BatchKeys, type BatchOutcome, canHaveEffect, decideBatch, keysOf } from "../domain/message-batch.ts";
import type { IncomingMessage } from "../messages/incoming.ts";
import type { Timestamp } from "../values/timestamp.ts";

/**
 * Applies the messages in order, in one transaction: all of them or none. Repeating them is harmless. `now` must not
 * be later than the call. `wroteOutbox` says whether there is something to flush. Throws DatabaseUnavailableError (the
 * transaction may have been committed or not), and what PostgreSQL says when it cannot store the outcome of a
 * message.
 */
export async function applyMessages(
  pool: Pool,
  messages: readonly IncomingMessage[],
  now: Timestamp,
): Promise<{ wroteOutbox: boolean }> {
  const relevant = messages.filter(canHaveEffect);
  if (relevant.length === 0) return { wroteOutbox: false };
  const keys = keysOf(relevant);
  return pool.transaction(async (db) => {
    const outcome = decideBatch(relevant, await lockRecords(db, keys), now);
    store(db, outcome);
    return { wroteOutbox: outcome.configureAccounts.length + outcome.finalizeTransfers.length > 0 };
  });
}

/** What became of messages of which some may be impossible to store. */
export interface BisectedOutcome {
  readonly wroteOutbox: boolean;
  /** The messages that could not be applied, by their index, with PostgreSQL's reasons. All others have been. */
  readonly refused: ReadonlyMap<number, Error>;
}

/**
 * Applies the messages in order, and keeps those whose outcome PostgreSQL cannot store from spoiling it for the others:
 * a batch that fails so is applied in two halves, and so on down to the guilty message. Only then do the messages make
 * up several transactions. Throws DatabaseUnavailableError, and errors that are no message's fault; the messages may have been
 * applied or not, and it is harmless to apply them again.
 */
export async function applyMessagesBisecting(
  pool: Pool,
  messages: readonly IncomingMessage[],
  now: Timestamp,
): Promise<BisectedOutcome> {
  try {
    return { ...(await applyMessages(pool, messages, now)), refused: new Map() };
  } catch (error) {
    if (!isDataError(error)) throw error;
    if (messages.length === 1) return { wroteOutbox: false, refused: new Map([[0, error]]) };
  }
  const middle = Math.ceil(messages.length / 2);
  const first = await applyMessagesBisecting(pool, messages.slice(0, middle), now);
  const second = await applyMessagesBisecting(pool, messages.slice(middle), now);
  const secondRefused = [...second.refused].map(([index, error]): [number, Error] => [middle + index, error]);
  return {
    wroteOutbox: first.wroteOutbox || second.wroteOutbox,
    refused: new Map([...first.refused, ...secondRefused]),
  };
}

/**
 * An account without a debtor will be discarded, and its debtor may be being activated at this very moment: then the
 * discarding, recorded after that and with a later time, would have the last word. So whoever finds no debtor waits for
 * such an activation, and looks again.
 */
async function lockRecords(db: Database, keys: BatchKeys) {
  const records = await lockPresentRecords(db, keys);
  const present = new Set(records.debtors.map(({ debtorId }) => debtorId));
  const absent = keys.debtorIds.filter((debtorId) => !present.has(debtorId));
  if (absent.length === 0) return records;
  void lockAbsentDebtors(db, absent, "shared");
  return lockPresentRecords(db, keys);
}

/** Both locks and the BEGIN before them go out together: one round trip. Debtors first, as everywhere. */
async function lockPresentRecords(db: Database, { debtorIds, transferRequests }: BatchKeys) {
  const [debtors, transfers] = await Promise.all([
    debtorIds.length > 0 ? lockDebtors(db, debtorIds) : [],
    transferRequests.length > 0 ? lockTransfersByRequests(db, transferRequests) : [],
  ]);
  return { debtors, transfers };
}

/** Nothing is awaited: the statements go out together with the COMMIT, in another round trip. */
function store(db: Database, outcome: BatchOutcome): void {
  if (outcome.debtors.length > 0) void storeDebtorStates(db, outcome.debtors);
  if (outcome.transfers.length > 0) void storeTransferStates(db, outcome.transfers);
  if (outcome.configureAccounts.length > 0) void recordConfigureAccounts(db, outcome.configureAccounts);
  if (outcome.finalizeTransfers.length > 0) void recordFinalizeTransfers(db, outcome.finalizeTransfers);
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation): trying again would end the same way. */
const isDataError = (error: unknown): error is Error => /^2[23]/.test(sqlStateOf(error) ?? "");
