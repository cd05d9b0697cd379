/** `swpt:` URIs, which name debtors and accounts. Spec: domain, "swpt: URIs". */
import { formatUnsigned, parseUnsigned } from "./int64.ts";

const PLAIN_ACCOUNT_ID = /^[A-Za-z0-9_=-]{1,100}$/;
const ACCOUNT_URI = /^swpt:([0-9]{1,20})\/(?:([A-Za-z0-9_=-]{1,100})|!([A-Za-z0-9_=-]+))$/;
const ASCII = /^[\x00-\x7f]{1,100}$/;

/** What an account URI names. */
export interface AccountIdentity {
  /** Signed 64-bit. */
  readonly debtorId: bigint;
  /** 1 to 100 ASCII characters. */
  readonly accountId: string;
}

/** `swpt:<u64>` of a signed debtor ID. */
export const formatDebtorUri = (debtorId: bigint): string => `swpt:${formatUnsigned(debtorId)}`;

/** Reads `swpt:<u64>`: 1 to 20 digits, at most 2^64-1. `undefined` for anything else. */
export function parseDebtorUri(uri: string): bigint | undefined {
  const match = /^swpt:([0-9]{1,20})$/.exec(uri);
  return match ? parseUnsigned(match[1]!) : undefined;
}

/**
 * `swpt:<u64>/<account>`: the plain form when the account ID fits it, else the base64 one.
 * Throws a RangeError when the account ID does not have 1 to 100 ASCII characters.
 */
export function formatAccountUri({ debtorId, accountId }: AccountIdentity): string {
  if (PLAIN_ACCOUNT_ID.test(accountId)) return `${formatDebtorUri(debtorId)}/${accountId}`;
  if (!ASCII.test(accountId)) throw new RangeError("An account ID has 1 to 100 ASCII characters");
  return `${formatDebtorUri(debtorId)}/!${encodeBase64Url(accountId)}`;
}

/**
 * Reads an account URI in either form. The base64 must be canonical: decoding and encoding again gives the same text.
 * `undefined` for anything else.
 */
export function parseAccountUri(uri: string): AccountIdentity | undefined {
  const match = ACCOUNT_URI.exec(uri);
  if (!match) return undefined;
  const [, digits, plain, encoded] = match;
  const debtorId = parseUnsigned(digits!);
  const accountId = plain ?? decodeBase64Url(encoded!);
  return debtorId === undefined || accountId === undefined ? undefined : { debtorId, accountId };
}

// `btoa` and `atob`, and not `Buffer`, because the web client reads these URIs too.
const encodeBase64Url = (ascii: string): string => btoa(ascii).replaceAll("+", "-").replaceAll("/", "_");

function decodeBase64Url(encoded: string): string | undefined {
  try {
    const ascii = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
    return ASCII.test(ascii) && encodeBase64Url(ascii) === encoded ? ascii : undefined;
  } catch {
    return undefined; // No base64 at all.
  }
}
