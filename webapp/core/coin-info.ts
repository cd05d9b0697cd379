/** Reads coin info documents. Spec: issuer-webapp, "Coin info document". */
import type { Scale } from "./amounts.ts";
import { parseDecimal, wholeDecimal } from "./decimal.ts";
import { JsonObject } from "./exact-json.ts";
import { parseMoment } from "./moments.ts";
import { codePointLength, decodeUtf8 } from "./text.ts";

/** The content type, written without parameters. */
export const COIN_INFO_TYPE = "application/vnd.swaptacular.coin-info+json";

/** The most bytes of a document that are read. */
export const DOCUMENT_BYTES_MAX = 5 * 1024 * 1024;

/** The currency to which another one is pegged. */
export interface Peg {
  /** Tokens of the peg for one own token. */
  readonly exchangeRate: number;
  readonly debtorIdentityUri: string;
  readonly latestDebtorInfoUri: string;
  readonly display: Scale;
}

/** The members of a coin info document that are known. */
export interface CoinInfo extends Scale {
  /** `CoinInfo`, or with a version: `CoinInfo-v1`. */
  readonly type: string;
  readonly revision: number;
  readonly latestDebtorInfoUri: string;
  readonly debtorIdentityUri: string;
  readonly debtorName: string;
  readonly summary: string | undefined;
  readonly homepage: string | undefined;
  /** An ISO 8601 time; an unreadable one counts as absent. */
  readonly willNotChangeUntil: string | undefined;
  readonly peg: Peg | undefined;
}

/** Why a document is not used; `content-type` and `too-large` are seen before its text. */
export type CoinInfoProblem = "content-type" | "too-large" | "format";

/** Reads the bytes of a document with its content type. */
export function readCoinInfoBytes(
  bytes: Uint8Array,
  contentType: string,
): { readonly document: CoinInfo; readonly text: string } | { readonly problem: CoinInfoProblem } {
  if (contentType.split(";")[0]!.trim().toLowerCase() !== COIN_INFO_TYPE) return { problem: "content-type" };
  if (bytes.byteLength > DOCUMENT_BYTES_MAX) return { problem: "too-large" };
  const text = decodeUtf8(bytes);
  const document = text === undefined ? undefined : readCoinInfo(text);
  return document === undefined ? { problem: "format" } : { document, text: text! };
}

/** Reads the text of a document. `undefined` when a member breaks its rule; unknown members do not. */
export function readCoinInfo(text: string): CoinInfo | undefined {
  const object = JsonObject.parse(text);
  if (object === undefined) return undefined;
  try {
    return readMembers(object);
  } catch (error) {
    if (error instanceof InvalidMemberError) return undefined;
    throw error;
  }
}

class InvalidMemberError extends Error {}

function readMembers(object: JsonObject): CoinInfo {
  readLocalization(object);
  return {
    type: readType(object, "CoinInfo"),
    revision: readInteger(object, "revision", 0, 2_147_483_647),
    latestDebtorInfoUri: readLatestDebtorInfo(object),
    debtorIdentityUri: readDebtorIdentity(object),
    debtorName: readString(object, "debtorName", 1, 40),
    ...readDisplay(object),
    summary: readOptional(object, "summary", () => readString(object, "summary", 0, 500)),
    homepage: readOptional(object, "debtorHomepage", () =>
      readString(readObject(object, "debtorHomepage"), "uri", 0, 200),
    ),
    willNotChangeUntil: readWillNotChangeUntil(object),
    peg: readOptional(object, "peg", () => readPeg(readObject(object, "peg"))),
  };
}

function readWillNotChangeUntil(object: JsonObject): string | undefined {
  const text = readOptional(object, "willNotChangeUntil", () => readString(object, "willNotChangeUntil", 0, 100));
  return text !== undefined && parseMoment(text) !== undefined ? text : undefined;
}

function readPeg(object: JsonObject): Peg {
  readType(object, "Peg");
  const display = readObject(object, "display");
  readType(display, "PegDisplay");
  return {
    exchangeRate: readNumber(object, "exchangeRate", (rate) => rate >= 0).value,
    debtorIdentityUri: readDebtorIdentity(object),
    latestDebtorInfoUri: readLatestDebtorInfo(object),
    display: readDisplay(display),
  };
}

const readDisplay = (object: JsonObject): Scale => ({
  amountDivisor: readNumber(object, "amountDivisor", (divisor) => divisor > 0).text,
  decimalPlaces: readInteger(object, "decimalPlaces", -20, 20),
  unit: readString(object, "unit", 1, 40),
});

function readDebtorIdentity(object: JsonObject): string {
  const identity = readObject(object, "debtorIdentity");
  readType(identity, "DebtorIdentity");
  return readString(identity, "uri", 0, 100);
}

function readLatestDebtorInfo(object: JsonObject): string {
  const uri = readString(readObject(object, "latestDebtorInfo"), "uri", 1, 200);
  return /^[a-z][a-z0-9+.-]*:/i.test(uri) ? uri : invalid();
}

function readLocalization(object: JsonObject): void {
  readOptional(object, "localization", () => {
    const languages = readObject(object, "localization");
    for (const language of languages.names.filter((name) => LANGUAGE.test(name))) {
      readLocalizationDict(readObject(languages, language));
    }
  });
}

const LANGUAGE = /^[a-z]{2,3}$/;

function readLocalizationDict(object: JsonObject): Localized {
  readType(object, "LocalizationDict");
  return {
    debtorName: readOptional(object, "debtorName", () => readString(object, "debtorName", 1, 40)),
    summary: readOptional(object, "summary", () => readString(object, "summary", 0, 500)),
    unit: readOptional(object, "unit", () => readString(object, "unit", 1, 40)),
  };
}

/** What a document says in one language. */
export interface Localized {
  readonly debtorName: string | undefined;
  readonly summary: string | undefined;
  readonly unit: string | undefined;
}

/** Name, summary and unit of a valid document in the user's language, where it has them. */
export function localizeCoinInfo(text: string, language: string): Localized {
  const object = JsonObject.parse(text)!;
  const inGeneral = readMembers(object);
  const dict = object.object("localization")?.object(language.split("-")[0]!.toLowerCase());
  const localized = dict === undefined ? undefined : readLocalizationDict(dict);
  return {
    debtorName: localized?.debtorName ?? inGeneral.debtorName,
    summary: localized?.summary ?? inGeneral.summary,
    unit: localized?.unit ?? inGeneral.unit,
  };
}

function readType(object: JsonObject, name: string): string {
  const type = object.string("type") ?? invalid();
  return new RegExp(`^${name}(-v[1-9][0-9]{0,5})?$`).test(type) ? type : invalid();
}

function readString(object: JsonObject, name: string, lengthMin: number, lengthMax: number): string {
  const text = object.string(name) ?? invalid();
  const length = codePointLength(text);
  return length >= lengthMin && length <= lengthMax ? text : invalid();
}

function readNumber(object: JsonObject, name: string, isValid: (value: number) => boolean) {
  const text = object.number(name) ?? invalid();
  const value = Number(text);
  return Number.isFinite(value) && isValid(value) ? { text, value } : invalid();
}

function readInteger(object: JsonObject, name: string, min: number, max: number): number {
  const decimal = parseDecimal(object.number(name) ?? invalid()) ?? invalid();
  const value = wholeDecimal(decimal) ?? invalid();
  return value >= min && value <= max ? Number(value) : invalid();
}

const readObject = (object: JsonObject, name: string): JsonObject => object.object(name) ?? invalid();

const readOptional = <T>(object: JsonObject, name: string, read: () => T): T | undefined =>
  object.has(name) ? read() : undefined;

function invalid(): never {
  throw new InvalidMemberError();
}
