/** Reads the objects of the node's API. An object of another form throws a FormatError. Spec: http-api. */
import { isInt64 } from "../../src/values/int64.ts";
import type { Json } from "../../src/values/json.ts";
import { parsePathUuid } from "../../src/values/uuid.ts";
import type { ConfigRecord, DebtorRecord, TransferRecord, TransferResult } from "../core/records.ts";

/** An answer of another form than the API promises. */
export class FormatError extends Error {
  override readonly name = "FormatError";
}

/** A transfer with its UUID. */
export interface ApiTransfer extends TransferRecord {
  readonly uuid: string;
}

/** Reads a `Debtor`; its URLs become absolute. `readAt` in milliseconds. */
export function readDebtor(json: Json, url: string, readAt: number): DebtorRecord {
  const debtor = object(json);
  const uri = absolute(text(debtor, "uri"), url);
  const reference = (name: string): string => absolute(text(object(debtor[name]), "uri"), uri);
  const account = debtor.account === undefined ? undefined : text(object(debtor.account), "uri");
  return {
    identityUri: text(object(debtor.identity), "uri"),
    uri,
    configUri: reference("config"),
    transfersUri: reference("transfersList"),
    documentsUri: reference("saveDocument"),
    publicInfoUri: reference("publicInfoDocument"),
    createdAt: text(debtor, "createdAt"),
    balance: integer(debtor, "balance"),
    minBalance: integer(debtor, "minBalance"),
    noteMaxBytes: Number(integer(debtor, "noteMaxBytes")),
    configError: debtor.configError === undefined ? undefined : text(debtor, "configError"),
    accountUri: account,
    config: readConfig(debtor.config),
    readAt,
  };
}

/** Reads a `DebtorConfig`. */
export function readConfig(json: Json | undefined): ConfigRecord {
  const config = object(json);
  return {
    configData: text(config, "configData"),
    latestUpdateId: integer(config, "latestUpdateId"),
    latestUpdateAt: text(config, "latestUpdateAt"),
  };
}

/** Reads the absolute URLs of a `TransfersList`. */
export function readTransfersList(json: Json, url: string): string[] {
  const { items } = object(json);
  if (!Array.isArray(items)) throw new FormatError("No list of items");
  return items.map((item) => absolute(text(object(item), "uri"), url));
}

/** The UUID at the end of a transfer's address. */
export const uuidOfUrl = (url: string): string => new URL(url).pathname.split("/").at(-1)!.toLowerCase();

/** Reads a `Transfer`. */
export function readTransfer(json: Json): ApiTransfer {
  const transfer = object(json);
  const uuid = parsePathUuid(text(transfer, "transferUuid"));
  if (uuid === undefined) throw new FormatError("No UUID");
  return {
    uuid,
    recipientUri: text(object(transfer.recipient), "uri"),
    amount: integer(transfer, "amount"),
    noteFormat: text(transfer, "noteFormat"),
    note: text(transfer, "note"),
    initiatedAt: text(transfer, "initiatedAt"),
    checkupAt: transfer.checkupAt === undefined ? undefined : text(transfer, "checkupAt"),
    result: transfer.result === undefined ? undefined : readResult(object(transfer.result)),
  };
}

function readResult(result: JsonObject): TransferResult {
  const error = result.error === undefined ? undefined : object(result.error);
  return {
    finalizedAt: text(result, "finalizedAt"),
    committedAmount: integer(result, "committedAmount"),
    error: error && {
      errorCode: text(error, "errorCode"),
      totalLockedAmount: error.totalLockedAmount === undefined ? undefined : integer(error, "totalLockedAmount"),
    },
  };
}

type JsonObject = { readonly [name: string]: Json };

function object(json: Json | undefined): JsonObject {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new FormatError("No object");
  return json;
}

function text(json: JsonObject, name: string): string {
  const value = json[name];
  if (typeof value !== "string") throw new FormatError(`No text: ${name}`);
  return value;
}

function integer(json: JsonObject, name: string): bigint {
  const value = json[name];
  if (typeof value !== "bigint" || !isInt64(value)) throw new FormatError(`No 64-bit integer: ${name}`);
  return value;
}

function absolute(uri: string, base: string): string {
  if (!URL.canParse(uri, base)) throw new FormatError(`No address: ${uri}`);
  return new URL(uri, base).href;
}
