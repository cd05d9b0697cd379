/** The file of a backup: what a device has stored of one debtor, as JSON with exact integers. Spec: issuer-webapp, "Files". */
import { type Json, parseJson, stringifyJson } from "../../src/values/json.ts";

/** What is in a backup; never a token. Records are as the store has them. */
export interface Backup<Payment, Address, Template, Entry> {
  /** `swpt:<u64>` */
  readonly debtor: string;
  /** Milliseconds. */
  readonly createdAt: number;
  /** History and drafts. */
  readonly payments: readonly Payment[];
  readonly addressBook: readonly Address[];
  readonly templates: readonly Template[];
  readonly journal: readonly Entry[];
}

const TYPE = "SwptDebtorsWebappBackup";
const VERSION = 1n;

/** Writes a backup. Members that are `undefined` are left out. */
export const writeBackup = (backup: Backup<object, object, object, object>): string =>
  stringifyJson({ type: TYPE, version: VERSION, ...backup });

/** Why a file is not taken. */
export type BackupProblem = "not-json" | "not-a-backup" | "newer-version";

/** The JSON of a record; integers are `bigint`. */
export type JsonRecord = { readonly [member: string]: Json };

/** Reads a backup; the records are still to be checked. */
export function readBackup(
  text: string,
): Backup<JsonRecord, JsonRecord, JsonRecord, JsonRecord> | { readonly problem: BackupProblem } {
  let json: Json;
  try {
    json = parseJson(text.replace(/^\ufeff/, ""));
  } catch {
    return { problem: "not-json" };
  }
  if (!isRecord(json) || json.type !== TYPE || typeof json.version !== "bigint") return { problem: "not-a-backup" };
  if (json.version > VERSION) return { problem: "newer-version" };
  const { debtor, createdAt, payments, addressBook, templates, journal } = json;
  const lists = [payments, addressBook, templates, journal];
  if (typeof debtor !== "string" || typeof createdAt !== "bigint" || !lists.every(isList))
    return { problem: "not-a-backup" };
  const [paymentRecords, addresses, templateRecords, entries] = lists as JsonRecord[][];
  return {
    debtor,
    createdAt: Number(createdAt),
    payments: paymentRecords!,
    addressBook: addresses!,
    templates: templateRecords!,
    journal: entries!,
  };
}

const isRecord = (json: Json | undefined): json is { [member: string]: Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json);

const isList = (json: Json | undefined): boolean => Array.isArray(json) && json.every(isRecord);
