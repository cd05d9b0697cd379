/**
 * JSON with exact integers. A JSON integer is a `bigint`, a JSON number with a point or an exponent is a `number`:
 * so `1` and `1.0` stay different, and no integer passes through a `number`.
 */

/** What `parseJson` returns. */
export type Json = null | boolean | bigint | number | string | Json[] | { [key: string]: Json };

// TypeScript's library does not yet know the third argument of a reviver nor `rawJSON`.
type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;
const parse = JSON.parse as (text: string, reviver?: Reviver) => Json;
const rawJson = (JSON as unknown as { rawJSON(text: string): object }).rawJSON;

// Longer ones are out of every range that we know, and `BigInt` takes quadratic time for them.
const INTEGER_DIGITS_MAX = 400;

function revive(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== "number") return value;
  const source = context.source!;
  return source.length <= INTEGER_DIGITS_MAX && /^-?[0-9]+$/.test(source) ? BigInt(source) : value;
}

/**
 * Parses JSON text (RFC 8259). Integers of up to 400 digits become `bigint`, all other numbers `number`.
 * Throws a SyntaxError for malformed text, and for nesting that is too deep to walk.
 */
export function parseJson(text: string): Json {
  try {
    // The reviver costs as much as the parsing, and without a digit there is no number.
    return /[0-9]/.test(text) ? parse(text, revive) : parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw new SyntaxError("JSON nested too deeply");
    throw error;
  }
}

/** Compact JSON text, `bigint` written as an exact integer; non-ASCII characters are not escaped. */
export const stringifyJson = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) => (typeof member === "bigint" ? rawJson(member.toString()) : member));

/** An SMP float: always with a point or an exponent. Throws a RangeError when not finite. Spec: messages, "Field types". */
export function formatFloat(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`Not a finite number: ${value}`);
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/**
 * A 32-bit float written with as few digits as identify it: 2^63 is `9223372000000000000.0`.
 * Throws a RangeError when not finite.
 */
export function formatFloat32(value: number): string {
  const single = Math.fround(value);
  for (let digits = 6; digits < 9; digits++) {
    const shorter = Number(single.toPrecision(digits));
    if (Math.fround(shorter) === single) return formatFloat(shorter);
  }
  return formatFloat(single);
}
