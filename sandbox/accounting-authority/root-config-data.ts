/** The configuration data of a root account. Spec: sandbox-accounting-authority, "ConfigureAccount". */
import { INT64_MAX } from "../../src/values/int64.ts";
import { type Json, parseJson } from "../../src/values/json.ts";

type JsonObject = { [key: string]: Json };

const CONFIG_DATA_BYTES_MAX = 2000;
const IRI_CHARACTERS_MAX = 200;

/** Whether the authority accepts the data: empty, or an object with no keys but the known ones. */
export function isValidRootConfigData(configData: string): boolean {
  if (configData === "") return true;
  if (Buffer.byteLength(configData) > CONFIG_DATA_BYTES_MAX) return false;
  const data = parseObject(configData);
  if (data === undefined) return false;
  const { type = "RootConfigData", rate = 0n, limit = 0n, info, ...unknown } = data;
  return (
    Object.keys(unknown).length === 0 &&
    type === "RootConfigData" &&
    isNumber(rate) &&
    Number(rate) >= -50 &&
    Number(rate) <= 100 &&
    typeof limit === "bigint" &&
    limit >= 0n &&
    limit <= INT64_MAX &&
    (info === undefined || isValidInfo(info))
  );
}

/** The `limit` of valid data: how much money may be in circulation. `undefined` when the data has none. */
export function limitOf(configData: string): bigint | undefined {
  const limit = configData === "" ? undefined : parseObject(configData)?.limit;
  return typeof limit === "bigint" ? limit : undefined;
}

function isValidInfo(info: Json): boolean {
  if (!isObject(info)) return false;
  const { type = "DebtorInfo", iri, contentType = "", sha256, ...unknown } = info;
  return (
    Object.keys(unknown).length === 0 &&
    type === "DebtorInfo" &&
    typeof iri === "string" &&
    [...iri].length <= IRI_CHARACTERS_MAX &&
    typeof contentType === "string" &&
    /^[\x00-\x7f]{0,100}$/.test(contentType) &&
    (sha256 === undefined || (typeof sha256 === "string" && /^[0-9A-F]{64}$/.test(sha256)))
  );
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isNumber = (value: Json): value is bigint | number => typeof value === "bigint" || typeof value === "number";
