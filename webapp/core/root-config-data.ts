/** Reads and edits `configData`, the root configuration data. Spec: issuer-webapp, "Root configuration data". */
import { INT64_MAX } from "../../src/values/int64.ts";
import { parseDecimal, wholeDecimal } from "./decimal.ts";
import { isSameJson, JsonObject } from "./exact-json.ts";
import { codePointLength, utf8Length } from "./text.ts";

/** Where the coin info document is and what it has to be. */
export interface DebtorInfo {
  readonly iri: string;
  readonly contentType: string | undefined;
  /** 64 upper-case hexadecimal digits, or what another client wrote there. */
  readonly sha256: string | undefined;
}

/** What a text of configuration data says. */
export interface RootConfig {
  /** `empty`: ""; `foreign`: any other text. */
  readonly kind: "empty" | "ours" | "foreign";
  readonly rate: number;
  readonly limit: bigint | undefined;
  readonly info: DebtorInfo | undefined;
  /** Names of members that accounting authorities may refuse. */
  readonly unknownMembers: readonly string[];
}

const KNOWN_MEMBERS = ["type", "rate", "limit", "info"] as const;

/** A member that a user may change. */
export type RootConfigField = "rate" | "limit" | "info";

/** Reads any text. */
export function readRootConfig(configData: string): RootConfig {
  if (configData === "") return { ...NOTHING, kind: "empty" };
  const object = JsonObject.parse(configData);
  if (object === undefined || !isRootConfig(object)) return { ...NOTHING, kind: "foreign" };
  const info = object.object("info");
  return {
    kind: "ours",
    rate: Number(object.number("rate") ?? 0),
    limit: object.has("limit") ? readLimit(object) : undefined,
    info: info && { iri: info.string("iri")!, contentType: info.string("contentType"), sha256: info.string("sha256") },
    unknownMembers: object.names.filter((name) => !(KNOWN_MEMBERS as readonly string[]).includes(name)),
  };
}

const NOTHING = { rate: 0, limit: undefined, info: undefined, unknownMembers: [] } as const;

function isRootConfig(object: JsonObject): boolean {
  const isTyped = !object.has("type") || /^RootConfigData(-v[1-9][0-9]{0,5})?$/.test(object.string("type") ?? "");
  const isRated = !object.has("rate") || object.number("rate") !== undefined;
  const isLimited = !object.has("limit") || readLimit(object) !== undefined;
  const isInformed = !object.has("info") || object.object("info")?.string("iri") !== undefined;
  return isTyped && isRated && isLimited && isInformed;
}

function readLimit(object: JsonObject): bigint | undefined {
  const decimal = parseDecimal(object.number("limit") ?? "");
  const limit = decimal && wholeDecimal(decimal);
  return limit !== undefined && limit >= 0n && limit <= INT64_MAX ? limit : undefined;
}

/** What the user changed; members that are not named stay as they are. A `limit` of `null` is removed. */
export interface RootConfigChange {
  readonly rate?: number | undefined;
  readonly limit?: bigint | null | undefined;
  readonly info?: DebtorInfo | undefined;
}

/** Which member of a change is not allowed; `size`: the whole has more than 2,000 bytes. */
export type RootConfigProblem = RootConfigField | "size";

const CONFIG_DATA_BYTES_MAX = 2000;

/** `configData` with a change made. Foreign text and "" are replaced by a new object. */
export function editRootConfig(
  configData: string,
  change: RootConfigChange,
): { readonly configData: string } | { readonly problem: RootConfigProblem } {
  const problem = checkChange(change);
  if (problem !== undefined) return { problem };
  const isOurs = readRootConfig(configData).kind === "ours";
  let object = isOurs
    ? JsonObject.parse(configData)!
    : new JsonObject([
        ["type", '"RootConfigData"'],
        ["rate", "0"],
      ]);
  if (change.rate !== undefined) object = object.with("rate", JSON.stringify(change.rate));
  if (change.limit === null) object = object.without("limit");
  else if (change.limit !== undefined) object = object.with("limit", change.limit.toString());
  if (change.info !== undefined) object = object.with("info", writeInfo(object.object("info"), change.info));
  const fits = (text: string): boolean => utf8Length(text) <= CONFIG_DATA_BYTES_MAX;
  const text = [object.toText(), object.toString()].find(fits);
  return text === undefined ? { problem: "size" } : { configData: text };
}

function writeInfo(before: JsonObject | undefined, { iri, contentType, sha256 }: DebtorInfo): string {
  let object = before ?? new JsonObject([["type", '"DebtorInfo"']]);
  for (const [name, value] of Object.entries({ iri, contentType, sha256 })) {
    object = value === undefined ? object.without(name) : object.with(name, JSON.stringify(value));
  }
  return object.toText();
}

function checkChange({ rate, limit, info }: RootConfigChange): RootConfigField | undefined {
  if (rate !== undefined && !(rate >= -50 && rate <= 100)) return "rate";
  if (typeof limit === "bigint" && (limit < 0n || limit > INT64_MAX)) return "limit";
  if (info === undefined) return undefined;
  const isValid =
    codePointLength(info.iri) <= 200 &&
    /^[\x20-\x7e]{1,100}$/.test(info.contentType ?? "") &&
    /^[0-9A-F]{64}$/.test(info.sha256 ?? "");
  return isValid ? undefined : "info";
}

/** A member that differs between two texts, with its JSON text in each. */
export interface MemberDifference {
  readonly field: string;
  readonly before: string | undefined;
  readonly now: string | undefined;
}

/** Which members differ, unknown ones included. Text that is not an object counts as having none. */
export function compareRootConfigs(before: string, now: string): MemberDifference[] {
  const [old, current] = [before, now].map((text) => JsonObject.parse(text) ?? new JsonObject());
  return [...new Set([...old!.names, ...current!.names])]
    .map((field) => ({ field, before: old!.get(field), now: current!.get(field) }))
    .filter((difference) => !isSameJson(difference.before, difference.now));
}

/** `configData` with members put back as they were: their JSON text, or `undefined` for one that was not there. */
export function putBackMembers(configData: string, members: readonly MemberDifference[]): string {
  let object = JsonObject.parse(configData) ?? new JsonObject([["type", '"RootConfigData"']]);
  for (const { field, before } of members) {
    object = before === undefined ? object.without(field) : object.with(field, before);
  }
  return object.toText();
}
