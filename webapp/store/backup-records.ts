/** Reads the records of a backup, which may have been edited: invalid records are left out. */
import { INT64_MAX } from "../../src/values/int64.ts";
import { parseAccountUri } from "../../src/values/swpt-uri.ts";
import { parseDate } from "../../src/values/timestamp.ts";
import { parsePathUuid } from "../../src/values/uuid.ts";
import type { JsonRecord } from "../core/backup.ts";
import type {
  AddressBookEntry,
  JournalEntry,
  PaymentOrder,
  PaymentOrigin,
  PaymentRecord,
  Refusal,
  TemplateRecord,
  TransferRecord,
  TransferRequest,
  TransferResult,
} from "../core/records.ts";

class InvalidRecordError extends Error {}

/** The records that `read` can read. */
export function readRecords<T>(records: readonly JsonRecord[], read: (record: JsonRecord) => T): T[] {
  return records.flatMap((record) => {
    try {
      return [read(record)];
    } catch (error) {
      if (error instanceof InvalidRecordError) return [];
      throw error;
    }
  });
}

const ORIGINS: readonly PaymentOrigin[] = ["here", "batch", "template", "old-client", "elsewhere"];

/** A payment of the debtor `debtor`. */
export const readPayment =
  (debtor: string) =>
  (json: JsonRecord): PaymentRecord => {
    const payment = readPaymentMembers(debtor, json);
    // A draft is sent as its order says, and nothing else may be shown.
    if (payment.firstTryAt === undefined && payment.transfer === undefined && payment.request !== undefined) invalid();
    return payment.isTryOpen ? { ...payment, isRestored: true } : payment;
  };

const readPaymentMembers = (debtor: string, json: JsonRecord): PaymentRecord => ({
  debtor,
  uuid: parsePathUuid(text(json, "uuid")) ?? invalid(),
  origin: ORIGINS.find((origin) => origin === json.origin) ?? invalid(),
  createdAt: moment(json, "createdAt"),
  revision: count(json, "revision"),
  order: readOrder(object(json, "order")),
  chosenAmount: amount(json, "chosenAmount"),
  batchId: optional(json, "batchId", text),
  templateId: optional(json, "templateId", text),
  retryOf: optional(json, "retryOf", text),
  request: optional(json, "request", (record, name) => readRequest(object(record, name))),
  firstTryAt: optional(json, "firstTryAt", moment),
  lastTryAt: optional(json, "lastTryAt", moment),
  isTryOpen: flag(json, "isTryOpen"),
  refusal: optional(json, "refusal", (record, name) => readRefusal(object(record, name))),
  transfer: optional(json, "transfer", (record, name) => readTransfer(object(record, name))),
  isGone: flag(json, "isGone"),
  dismissedAt: optional(json, "dismissedAt", moment),
});

/** An entry of the address book of the debtor `debtor`. */
export const readAddress =
  (debtor: string) =>
  (json: JsonRecord): AddressBookEntry => ({
    debtor,
    id: text(json, "id"),
    accountUri: parseAccountUri(text(json, "accountUri")) === undefined ? invalid() : text(json, "accountUri"),
    name: text(json, "name"),
    updatedAt: moment(json, "updatedAt"),
  });

const REPEATS: readonly TemplateRecord["repeat"][] = ["", "weekly", "monthly", "yearly"];

/** A template of the debtor `debtor`. */
export const readTemplate =
  (debtor: string) =>
  (json: JsonRecord): TemplateRecord => ({
    debtor,
    id: text(json, "id"),
    title: text(json, "title"),
    order: readOrder(object(json, "order")),
    dueOn: json.dueOn === "" || parseDate(text(json, "dueOn")) !== undefined ? text(json, "dueOn") : invalid(),
    repeat: REPEATS.find((repeat) => repeat === json.repeat) ?? invalid(),
    updatedAt: moment(json, "updatedAt"),
  });

/** An entry of the journal of the debtor `debtor`. */
export const readJournalEntry =
  (debtor: string) =>
  (json: JsonRecord): JournalEntry => ({
    debtor,
    id: text(json, "id"),
    at: moment(json, "at"),
    action: text(json, "action"),
    outcome: text(json, "outcome"),
    subject: text(json, "subject"),
  });

const readOrder = (json: JsonRecord): PaymentOrder => ({
  accountUri: text(json, "accountUri"),
  name: text(json, "name"),
  amount: amount(json, "amount"),
  deadline: text(json, "deadline"),
  reference: text(json, "reference"),
  format: text(json, "format"),
  reason: text(json, "reason"),
});

const readRequest = (json: JsonRecord): TransferRequest => ({
  recipientUri: text(json, "recipientUri"),
  amount: amount(json, "amount"),
  noteFormat: text(json, "noteFormat"),
  note: text(json, "note"),
});

const readTransfer = (json: JsonRecord): TransferRecord => ({
  ...readRequest(json),
  initiatedAt: text(json, "initiatedAt"),
  checkupAt: optional(json, "checkupAt", text),
  result: optional(json, "result", (record, name) => readResult(object(record, name))),
});

const readResult = (json: JsonRecord): TransferResult => ({
  finalizedAt: text(json, "finalizedAt"),
  committedAmount: amount(json, "committedAmount"),
  error: optional(json, "error", (record, name) => {
    const error = object(record, name);
    return { errorCode: text(error, "errorCode"), totalLockedAmount: optional(error, "totalLockedAmount", amount) };
  }),
});

function readRefusal(json: JsonRecord): Refusal {
  const fields = Object.entries(object(json, "fields")).map(([name, messages]) => [
    name,
    Array.isArray(messages) ? messages.filter((message) => typeof message === "string") : invalid(),
  ]);
  return { status: count(json, "status"), fields: Object.fromEntries(fields) as Refusal["fields"] };
}

const text = (json: JsonRecord, name: string): string => {
  const value = json[name];
  return typeof value === "string" ? value : invalid();
};

const flag = (json: JsonRecord, name: string): boolean => {
  const value = json[name];
  return typeof value === "boolean" ? value : invalid();
};

const amount = (json: JsonRecord, name: string): bigint => {
  const value = json[name];
  return typeof value === "bigint" && value >= 0n && value <= INT64_MAX ? value : invalid();
};

const wholeNumber = (json: JsonRecord, name: string, max: number): number => {
  const value = json[name];
  return typeof value === "bigint" && value >= 0n && value <= BigInt(max) ? Number(value) : invalid();
};

const count = (json: JsonRecord, name: string): number => wholeNumber(json, name, Number.MAX_SAFE_INTEGER);

/** Milliseconds of a time that can be shown, in a year of four digits. */
const moment = (json: JsonRecord, name: string): number => wholeNumber(json, name, MOMENT_MAX);
const MOMENT_MAX = Date.parse("9999-12-31T23:59:59.999Z");

const object = (json: JsonRecord, name: string): JsonRecord => {
  const value = json[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : invalid();
};

const optional = <T>(json: JsonRecord, name: string, read: (json: JsonRecord, name: string) => T): T | undefined =>
  json[name] === undefined ? undefined : read(json, name);

function invalid(): never {
  throw new InvalidRecordError();
}
