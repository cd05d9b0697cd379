/** Coins, `<locator>#swpt:<u64>`, by which wallets find a currency. Spec: issuer-webapp, "Coin". */
import { formatDebtorUri, parseDebtorUri } from "../../src/values/swpt-uri.ts";
import { codePointLength } from "./text.ts";

/** The two halves of a coin, both in canonical form. */
export interface Coin {
  /** URL of the coin info document. */
  readonly locator: string;
  /** `swpt:<u64>` */
  readonly identity: string;
}

/** A reason why wallets may reject a coin. */
export type CoinWarning = "not-canonical" | "not-https" | "too-long";

const LOCATOR_LENGTH_MAX = 200;

/** The text of a coin. */
export const formatCoin = ({ locator, identity }: Coin): string => `${locator}#${identity}`;

/** A URL in the canonical form of the WHATWG URL standard; `undefined` if it is not a URL. */
export const canonicalUrl = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).href : undefined);

/** `swpt:<u64>` without leading zeros; `undefined` if it is not a debtor URI. */
export function canonicalIdentity(uri: string): string | undefined {
  const debtorId = parseDebtorUri(uri);
  return debtorId === undefined ? undefined : formatDebtorUri(debtorId);
}

/** The own coin, in canonical form. `publicInfoDocument` may be relative to `apiUrl`. */
export function ownCoin(publicInfoDocument: string, apiUrl: string, identity: string): Coin {
  const locator = new URL(publicInfoDocument, apiUrl);
  locator.hash = "";
  return { locator: locator.href, identity };
}

/** Warnings to show before a coin is published. */
export function coinWarnings(text: string): readonly CoinWarning[] {
  const warnings: CoinWarning[] = [];
  const canonical = canonicalUrl(text);
  if (canonical !== text) warnings.push("not-canonical");
  const { protocol, hostname } = new URL(canonical ?? "about:blank");
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
  if (protocol !== "https:" && !isLoopback) warnings.push("not-https");
  if (codePointLength(text.split("#")[0]!) > LOCATOR_LENGTH_MAX) warnings.push("too-long");
  return warnings;
}

/** Reads a scanned, pasted or typed coin; it may have white space around it. */
export function readCoin(text: string): Coin | { readonly problem: "not-a-coin" | "payment-request" } {
  const typed = text.trim();
  if (/^PR0\r?\n/.test(typed)) return { problem: "payment-request" };
  const [start, fragment] = splitOnce(typed, "#");
  const identity = canonicalIdentity(fragment);
  const locator = canonicalUrl(start);
  if (identity === undefined || locator === undefined) return { problem: "not-a-coin" };
  const { protocol, username, password } = new URL(locator);
  const isHttp = protocol === "https:" || protocol === "http:";
  return isHttp && username === "" && password === "" ? { locator, identity } : { problem: "not-a-coin" };
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + separator.length)];
}
