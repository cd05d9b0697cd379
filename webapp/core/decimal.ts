/** Exact decimal numbers, as JSON and people write them. */

/** `digits` × 10^`exponent`. */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

// What is beyond cannot be an amount, a divisor or a rate, and would make numbers of any size.
const TEXT_LENGTH_MAX = 400;
const EXPONENT_MAX = 1000;

/** Reads a JSON number. `undefined` for anything else, and for numbers of more than 400 characters or beyond 1e±1000. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text);
  if (!match || text.length > TEXT_LENGTH_MAX) return undefined;
  const [, sign, whole, fraction = "", power = "0"] = match;
  const exponent = Number(power) - fraction.length;
  if (Math.abs(exponent) > EXPONENT_MAX) return undefined;
  return { digits: BigInt(`${sign}${whole}${fraction}`), exponent };
}

/** 10^`exponent`; `exponent` ≥ 0. */
export const powerOfTen = (exponent: number): bigint => 10n ** BigInt(exponent);

/** Less than, equal to or greater than zero, as `a` is to `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const common = Math.min(a.exponent, b.exponent);
  const difference = a.digits * powerOfTen(a.exponent - common) - b.digits * powerOfTen(b.exponent - common);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The value when it is a whole number. */
export function wholeDecimal({ digits, exponent }: Decimal): bigint | undefined {
  if (exponent >= 0) return digits * powerOfTen(exponent);
  const divisor = powerOfTen(-exponent);
  return digits % divisor === 0n ? digits / divisor : undefined;
}

/** The product of `factors` divided by `divisor`, not 0: numerator and denominator, the latter positive. */
export function ratio(factors: readonly Decimal[], divisor: Decimal): readonly [bigint, bigint] {
  let numerator = factors.reduce((product, { digits }) => product * digits, 1n);
  let denominator = divisor.digits;
  const exponent = factors.reduce((sum, factor) => sum + factor.exponent, 0) - divisor.exponent;
  if (exponent >= 0) numerator *= powerOfTen(exponent);
  else denominator *= powerOfTen(-exponent);
  return denominator < 0n ? [-numerator, -denominator] : [numerator, denominator];
}

// The middle between two neighbouring doubles has at most 768 digits.
const DOUBLE_DIGITS_MAX = 800;

/** The double nearest to `numerator` / `denominator`; both not negative, the latter not 0. */
export function nearestDouble(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const scale = DOUBLE_DIGITS_MAX + denominator.toString().length - numerator.toString().length;
  const scaled = scale >= 0 ? numerator * powerOfTen(scale) : numerator / powerOfTen(-scale);
  const quotient = scaled / denominator;
  const isInexact = quotient * denominator !== scaled;
  // One more digit tells what was cut off, so that reading the text rounds as the number itself would.
  return Number(`${quotient}${isInexact ? "1" : "0"}e${-scale - 1}`);
}

/** Plain decimal text of an exact value, without exponent: `-0.05`, `1200`. Never `-0`. */
export function formatDecimal({ digits, exponent }: Decimal): string {
  if (exponent >= 0) return (digits * powerOfTen(exponent)).toString();
  const magnitude = (digits < 0n ? -digits : digits).toString().padStart(1 - exponent, "0");
  const point = magnitude.length + exponent;
  return `${digits < 0n ? "-" : ""}${magnitude.slice(0, point)}.${magnitude.slice(point)}`;
}
