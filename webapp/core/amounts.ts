/** Amounts shown and typed. No amount ever passes through a floating-point number. Spec: issuer-webapp, "Amounts". */
import { INT64_MAX } from "../../src/values/int64.ts";
import { compareDecimals, type Decimal, formatDecimal, parseDecimal, powerOfTen, ratio } from "./decimal.ts";

/** How a currency counts. */
export interface Scale {
  /** The JSON text of a number above 0: what the tokens are divided by. */
  readonly amountDivisor: string;
  /** −20 to 20. */
  readonly decimalPlaces: number;
  readonly unit: string;
}

/** What amounts are shown with before there is a coin info document. */
export const PLAIN_SCALE: Scale = { amountDivisor: "1", decimalPlaces: 0, unit: "¤" };

const ONE: Decimal = { digits: 1n, exponent: 0 };
const DIVISOR_MIN: Decimal = { digits: 1n, exponent: -99 };
const DIVISOR_MAX: Decimal = { digits: 1n, exponent: 99 };

/** The divisor, or `undefined` when it is outside 1e-99..1e99: then tokens are shown and typed. */
function usableDivisor({ amountDivisor }: Pick<Scale, "amountDivisor">): Decimal | undefined {
  // Thousands of amounts are shown with one divisor.
  if (lastDivisor?.text !== amountDivisor) lastDivisor = { text: amountDivisor, value: readDivisor(amountDivisor) };
  return lastDivisor.value;
}
let lastDivisor: { readonly text: string; readonly value: Decimal | undefined } | undefined;

function readDivisor(text: string): Decimal | undefined {
  const divisor = parseDecimal(text);
  if (divisor === undefined || compareDecimals(divisor, DIVISOR_MIN) < 0) return undefined;
  return compareDecimals(divisor, DIVISOR_MAX) > 0 ? undefined : divisor;
}

/** Whether amounts of this scale are in units; otherwise its divisor is of no use and they are tokens. */
export const isInUnits = (scale: Pick<Scale, "amountDivisor">): boolean => usableDivisor(scale) !== undefined;

/** An amount as text without grouping and without unit. */
export interface ShownAmount {
  readonly text: string;
  /** Whether rounding hid nothing. If it did, the tokens are said too. */
  readonly isExact: boolean;
}

/** `tokens` ÷ divisor, rounded half away from zero: `123.45`. */
export function showAmount(tokens: bigint, scale: Scale): ShownAmount {
  const divisor = usableDivisor(scale);
  if (divisor === undefined) return { text: tokens.toString(), isExact: true };
  const places = scale.decimalPlaces;
  const magnitude = tokens < 0n ? -tokens : tokens;
  const [numerator, denominator] = ratio([{ digits: magnitude, exponent: places }], divisor);
  const rounded = (2n * numerator + denominator) / (2n * denominator);
  const digits = tokens < 0n ? -rounded : rounded;
  return { text: formatDecimal({ digits, exponent: -places }), isExact: rounded * denominator === numerator };
}

/** The amount as the language groups it, a no-break space, the unit. */
export function formatAmount(tokens: bigint, scale: Scale, language: string): string {
  const places = isInUnits(scale) ? Math.max(0, scale.decimalPlaces) : 0;
  const text = showAmount(tokens, scale).text as Intl.StringNumericLiteral;
  return `${numberFormat(language, places).format(text)}\u00a0${scale.unit}`;
}

const numberFormats = new Map<string, Intl.NumberFormat>();

function numberFormat(language: string, places: number): Intl.NumberFormat {
  const key = `${language} ${places}`;
  let format = numberFormats.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(language, { minimumFractionDigits: places, maximumFractionDigits: places });
    numberFormats.set(key, format);
  }
  return format;
}

/** The character between units and fraction in a language. */
export const decimalSeparator = (language: string): string =>
  new Intl.NumberFormat(language).formatToParts(1.5).find(({ type }) => type === "decimal")?.value ?? ".";

/** The amount in units as one would type it, with a point; `undefined` when no finite decimal says it. */
export function exactUnits(tokens: bigint, scale: Pick<Scale, "amountDivisor">): string | undefined {
  const [numerator, denominator] = ratio([{ digits: tokens, exponent: 0 }], usableDivisor(scale) ?? ONE);
  let rest = denominator / greatestCommonDivisor(numerator < 0n ? -numerator : numerator, denominator);
  let twos = 0;
  let fives = 0;
  for (; rest % 2n === 0n; rest /= 2n) twos++;
  for (; rest % 5n === 0n; rest /= 5n) fives++;
  if (rest !== 1n) return undefined;
  const places = Math.max(twos, fives);
  return formatDecimal({ digits: (numerator * powerOfTen(places)) / denominator, exponent: -places });
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [divisor, rest] = [a, b];
  while (rest !== 0n) [divisor, rest] = [rest, divisor % rest];
  return divisor;
}

/** Why a typed amount is not taken. */
export type AmountProblem =
  | { readonly problem: "empty" | "format" | "zero" | "too-large" }
  /** No whole number of tokens; the nearest amounts that there are, in tokens. */
  | { readonly problem: "not-whole"; readonly below: bigint | undefined; readonly above: bigint | undefined };

/** Nobody types more, and what a file has there instead would take long to read. */
const TYPED_LENGTH_MAX = 500;

/**
 * Reads a typed amount: `digits [separator digits]`, where the separator is `.` or the language's. Spaces between digits are
 * dropped. The value × divisor must be a whole number of tokens, 1..2^63-1.
 */
export function parseAmount(
  text: string,
  scale: Pick<Scale, "amountDivisor">,
  separator: string,
): { readonly tokens: bigint } | AmountProblem {
  if (text.length > TYPED_LENGTH_MAX) return { problem: "format" };
  const typed = text.trim().replace(/(?<=[0-9])[ \u00a0\u202f]+(?=[0-9])/g, "");
  if (typed === "") return { problem: "empty" };
  const match = /^([0-9]+)(?:(.)([0-9]+))?$/.exec(typed);
  if (!match || (match[2] !== undefined && match[2] !== "." && match[2] !== separator)) return { problem: "format" };
  const fraction = match[3] ?? "";
  const value: Decimal = { digits: BigInt(match[1]! + fraction), exponent: -fraction.length };
  if (value.digits === 0n) return { problem: "zero" };
  const [numerator, denominator] = ratio([value, usableDivisor(scale) ?? ONE], ONE);
  const below = numerator / denominator;
  if (below > INT64_MAX) return { problem: "too-large" };
  if (below * denominator === numerator) return { tokens: below };
  return {
    problem: "not-whole",
    below: below > 0n ? below : undefined,
    above: below < INT64_MAX ? below + 1n : undefined,
  };
}
