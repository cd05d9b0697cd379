/** Signed 64-bit integers: IDs and amounts. They are `bigint` from end to end. Spec: domain, "Numbers". */

/** The minimum and the maximum of each kind. */
export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;
export const UINT64_MAX = 2n ** 64n - 1n;
export const INT32_MIN = -(2 ** 31);
export const INT32_MAX = 2 ** 31 - 1;

/** Whether the value fits a signed 64-bit integer. */
export const isInt64 = (value: bigint): boolean => value >= INT64_MIN && value <= INT64_MAX;

/** Signed to unsigned (two's complement): -1n becomes 2^64-1. `value` must be in the signed 64-bit range. */
export const toUnsigned = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Unsigned to signed (two's complement): 2^64-1 becomes -1n. `value` must be in the unsigned 64-bit range. */
export const toSigned = (value: bigint): bigint => BigInt.asIntN(64, value);

/** The decimal of the unsigned form, as URLs and `swpt:` URIs have it. */
export const formatUnsigned = (value: bigint): string => toUnsigned(value).toString();

/**
 * Reads an unsigned 64-bit decimal (digits only, leading zeros allowed) as a signed value.
 * `undefined` when it is no such number or above 2^64-1.
 */
export function parseUnsigned(text: string): bigint | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined;
  const digits = text.replace(/^0+(?=[0-9])/, "");
  if (digits.length > 20) return undefined;
  const value = BigInt(digits);
  return value <= UINT64_MAX ? toSigned(value) : undefined;
}

/**
 * Reads a debtor ID of a URL path: `0|[1-9][0-9]{0,19}`, at most 2^64-1, as a signed value. Spec: http-api.
 * `undefined` for anything else.
 */
export const parsePathId = (text: string): bigint | undefined =>
  /^(?:0|[1-9][0-9]{0,19})$/.test(text) ? parseUnsigned(text) : undefined;

/**
 * Reads a debtor ID of the environment: decimal, or hexadecimal with `0x`, white space around it allowed; values of
 * 2^63..2^64-1 are taken as negative. Spec: operations, "Environment". `undefined` for anything else.
 */
export function parseEnvironmentId(text: string): bigint | undefined {
  const match = /^\s*(-?)(0[xX][0-9a-fA-F]{1,17}|0|[1-9][0-9]{0,19})\s*$/.exec(text);
  if (!match) return undefined;
  const magnitude = BigInt(match[2]!);
  const value = match[1] === "-" ? -magnitude : magnitude;
  return value >= INT64_MIN && value <= UINT64_MAX ? toSigned(value) : undefined;
}
