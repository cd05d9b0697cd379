/**
 * Takes over what the old client stored at this origin: the database `debtors`, version 10, with the object stores
 * `debtors`, `configs`, `transfers` and `actions`. It holds the only copy of payments that are gone from the server, and
 * drafts whose POST was lost. Spec: issuer-webapp, "Stored data, tabs, offline".
 */
import { type IDBPDatabase, openDB } from "idb";
import { parseDebtorUri } from "../../src/values/swpt-uri.ts";
import { parseUuid } from "../../src/values/uuid.ts";
import { parseMoment } from "../core/moments.ts";
import { readNote } from "../core/notes.ts";
import type { ConfigVersion, PaymentOrder, PaymentRecord, TransferRecord, TransferRequest } from "../core/records.ts";
import { reporting } from "./database.ts";

const NAME = "debtors";
const STORES = ["debtors", "configs", "transfers", "actions"] as const;

/** What the old client had, by debtor; `skipped` counts the records that make no sense. */
export interface OldClientData {
  readonly payments: readonly PaymentRecord[];
  readonly configs: readonly ConfigVersion[];
  readonly skipped: number;
}

/** Reads the old client's database and leaves it as it is. `undefined` when there is none. Throws a StorageError. */
export function readOldClient(): Promise<OldClientData | undefined> {
  return reporting(async () => {
    const db = await openExisting(NAME);
    if (db === undefined) return undefined;
    try {
      if (!STORES.every((name) => db.objectStoreNames.contains(name))) return undefined;
      const transaction = db.transaction([...STORES], "readonly");
      const records = await Promise.all(STORES.map((name) => transaction.objectStore(name).getAll()));
      const [debtors, configs, transfers, actions] = records as [Old[], Old[], Old[], Old[]];
      return takeOver(debtors, configs, transfers, actions);
    } finally {
      db.close();
    }
  });
}

/** Removes the old client's database, when the user says so. */
export const removeOldClient = (): Promise<void> =>
  reporting(
    () =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.deleteDatabase(NAME);
        request.onsuccess = () => resolve();
        request.onerror = () => reject(request.error);
        // A tab with the old client still has it open: it goes as soon as that tab is closed.
        request.onblocked = () => resolve();
      }),
  );

/** Opens a database of any version, and makes none. */
async function openExisting(name: string): Promise<IDBPDatabase | undefined> {
  let isNew = false;
  try {
    return await openDB(name, undefined, {
      upgrade(_database, _oldVersion, _newVersion, transaction) {
        isNew = true;
        transaction.done.catch(() => {});
        transaction.abort();
      },
    });
  } catch (error) {
    if (isNew) return undefined;
    throw error;
  }
}

/** A record of the old client: nothing is known for sure of its members. */
type Old = Readonly<Record<string, unknown>>;

function takeOver(debtors: Old[], configs: Old[], transfers: Old[], actions: Old[]): OldClientData {
  const debtorOf = new Map<unknown, string>();
  for (const { userId, identity } of debtors) {
    const uri = text(object(identity).uri);
    if (parseDebtorUri(uri) !== undefined) debtorOf.set(userId, uri);
  }
  const payments = new Map<string, PaymentRecord>();
  let skipped = 0;
  const take = (payment: PaymentRecord | undefined): void => {
    if (payment === undefined) skipped++;
    else
      payments.set(
        `${payment.debtor} ${payment.uuid}`,
        merge(payments.get(`${payment.debtor} ${payment.uuid}`), payment),
      );
  };
  for (const action of actions.filter(({ actionType }) => actionType === "CreateTransfer")) {
    take(readDraft(action, debtorOf.get(action.userId)));
  }
  for (const transfer of transfers) take(readTransfer(transfer, debtorOf.get(transfer.userId)));
  const versions = configs.map((config) => readConfig(config, debtorOf.get(config.userId)));
  const read = versions.filter((version) => version !== undefined);
  return { payments: [...payments.values()], configs: read, skipped: skipped + versions.length - read.length };
}

/** A draft that became a transfer is one payment; of two drafts with one UUID the one that may have been sent counts. */
function merge(known: PaymentRecord | undefined, payment: PaymentRecord): PaymentRecord {
  if (known === undefined) return payment;
  const { transfer, dismissedAt } = payment;
  if (transfer !== undefined) return { ...known, transfer, isTryOpen: false, dismissedAt };
  return known.isTryOpen || payment.firstTryAt === undefined ? known : payment;
}

const EMPTY = {
  revision: 0,
  batchId: undefined,
  templateId: undefined,
  retryOf: undefined,
  refusal: undefined,
  isGone: false,
  dismissedAt: undefined,
} as const;

function readDraft(action: Old, debtor: string | undefined): PaymentRecord | undefined {
  const creation = object(action.creationRequest);
  const uuid = parseUuid(text(creation.transferUuid));
  const request = readRequest(creation);
  if (debtor === undefined || uuid === undefined || request === undefined) return undefined;
  const createdAt = millis(action.createdAt) ?? 0;
  const asked = integer(action.requestedAmount) ?? request.amount;
  const draft: PaymentRecord = {
    ...EMPTY,
    debtor,
    uuid,
    origin: "old-client",
    createdAt,
    order: {
      ...readPaymentInfo(action.paymentInfo, request),
      amount: asked,
      deadline: deadline(action.requestedDeadline),
    },
    chosenAmount: asked === 0n ? request.amount : 0n,
    request: undefined,
    firstTryAt: undefined,
    lastTryAt: undefined,
    isTryOpen: false,
    transfer: undefined,
  };
  if (typeof action.execution !== "object" || action.execution === null) return draft;
  const { startedAt, unresolvedRequestAt, result } = object(action.execution);
  const firstTryAt = millis(startedAt) ?? createdAt;
  const unresolvedAt = millis(unresolvedRequestAt);
  const { ok } = object(result);
  return {
    ...draft,
    request,
    firstTryAt,
    lastTryAt: unresolvedAt ?? firstTryAt,
    // Without a result the POST may have reached the server if it is unresolved, and so it may if it is said to have.
    isTryOpen: ok === true || (ok === undefined && unresolvedAt !== undefined),
  };
}

function readTransfer(old: Old, debtor: string | undefined): PaymentRecord | undefined {
  const uuid = parseUuid(text(old.transferUuid));
  const request = readRequest(old);
  const initiatedAt = text(old.initiatedAt);
  const createdAt = parseMoment(initiatedAt);
  if (debtor === undefined || uuid === undefined || request === undefined || createdAt === undefined) return undefined;
  const transfer: TransferRecord = {
    ...request,
    initiatedAt,
    checkupAt: text(old.checkupAt) || undefined,
    result: readResult(old.result),
  };
  return {
    ...EMPTY,
    debtor,
    uuid,
    origin: old.originatesHere === true ? "old-client" : "elsewhere",
    createdAt,
    order: { ...readPaymentInfo(old.paymentInfo, request), amount: request.amount, deadline: "" },
    chosenAmount: 0n,
    request,
    firstTryAt: createdAt,
    lastTryAt: createdAt,
    isTryOpen: false,
    transfer,
    dismissedAt: old.aborted === true ? createdAt : undefined,
  };
}

function readConfig(old: Old, debtor: string | undefined): ConfigVersion | undefined {
  const latestUpdateId = integer(old.latestUpdateId);
  if (debtor === undefined || latestUpdateId === undefined || typeof old.configData !== "string") return undefined;
  const latestUpdateAt = text(old.latestUpdateAt);
  const seenAt = parseMoment(latestUpdateAt) ?? 0;
  return { debtor, latestUpdateId, latestUpdateAt, configData: old.configData, seenAt, isOurs: false };
}

function readRequest(old: Old): TransferRequest | undefined {
  const recipientUri = text(object(old.recipient).uri);
  const amount = integer(old.amount);
  if (recipientUri === "" || amount === undefined || amount < 0n) return undefined;
  return { recipientUri, amount, noteFormat: text(old.noteFormat), note: text(old.note) };
}

function readResult(old: unknown): TransferRecord["result"] {
  const { finalizedAt, committedAmount, error } = object(old);
  const committed = integer(committedAmount);
  if (committed === undefined) return undefined;
  const isFailed = typeof error === "object" && error !== null;
  const failure = {
    errorCode: text(object(error).errorCode),
    totalLockedAmount: integer(object(error).totalLockedAmount),
  };
  return { finalizedAt: text(finalizedAt), committedAmount: committed, error: isFailed ? failure : undefined };
}

/** What the payment is for: as the old client understood it, or else as its note says. */
function readPaymentInfo(old: unknown, request: TransferRequest): Omit<PaymentOrder, "amount" | "deadline"> {
  const { payeeName, payeeReference, description } = object(old);
  const accountUri = request.recipientUri;
  if (typeof payeeName !== "string") return { accountUri, ...readNote(request.noteFormat, request.note) };
  const { contentFormat, content } = object(description);
  return {
    accountUri,
    name: payeeName,
    reference: text(payeeReference),
    format: text(contentFormat),
    reason: text(content),
  };
}

const object = (value: unknown): Old => (typeof value === "object" && value !== null ? (value as Old) : {});
const text = (value: unknown): string => (typeof value === "string" ? value : "");

function integer(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

const millis = (value: unknown): number | undefined =>
  value instanceof Date && !Number.isNaN(value.getTime()) ? value.getTime() : undefined;

const deadline = (value: unknown): string => (millis(value) === undefined ? "" : (value as Date).toISOString());
