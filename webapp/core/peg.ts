/** Pegs: what one own unit is worth in units of another currency. Spec: issuer-webapp, "Peg". */
import type { Scale } from "./amounts.ts";
import { type Coin, canonicalIdentity, canonicalUrl } from "./coin.ts";
import type { CoinInfo, Peg } from "./coin-info.ts";
import { type Decimal, nearestDouble, parseDecimal, ratio } from "./decimal.ts";

/** `exchangeRate` = worth × the peg's divisor ÷ own divisor, as the nearest double. All are texts of decimal numbers ≥ 0. */
export function exchangeRateOf(worth: string, pegDivisor: string, ownDivisor: string): number {
  return rateOf([decimal(worth), decimal(pegDivisor)], decimal(ownDivisor));
}

/** The rate after a change of the own divisor: one own unit stays worth the same. */
export const rescaleExchangeRate = (rate: number, oldOwnDivisor: string, ownDivisor: string): number =>
  rateOf([decimal(String(rate)), decimal(oldOwnDivisor)], decimal(ownDivisor));

/** What one own unit is worth in units of the peg, as text to show and to edit. */
export const worthOf = (peg: Peg, ownDivisor: string): string =>
  String(rateOf([decimal(String(peg.exchangeRate)), decimal(ownDivisor)], decimal(peg.display.amountDivisor)));

function rateOf(factors: readonly Decimal[], divisor: Decimal): number {
  const [numerator, denominator] = ratio(factors, divisor);
  return nearestDouble(numerator, denominator);
}

function decimal(text: string): Decimal {
  // A divisor with more digits than are read exactly is a number all the same.
  const value = parseDecimal(text) ?? parseDecimal(String(Number(text)));
  if (value === undefined) throw new RangeError(`Not a decimal number: ${text}`);
  return value;
}

/** Why a document is not that of the coin, or may not be a peg. */
export type PegProblem = "mismatch" | "own-coin";

/**
 * Whether a document read at a coin's locator may be the peg of the currency `ownIdentity`: both its URIs, in canonical form,
 * equal the coin's halves, and it is another currency.
 */
export function checkPegDocument(coin: Coin, document: CoinInfo, ownIdentity: string): PegProblem | undefined {
  if (canonicalIdentity(document.debtorIdentityUri) !== coin.identity) return "mismatch";
  if (canonicalUrl(document.latestDebtorInfoUri) !== coin.locator) return "mismatch";
  return coin.identity === canonicalIdentity(ownIdentity) ? "own-coin" : undefined;
}

/** Whether a peg's document counts as the stored display values say; if not, wallets refuse the peg. */
export const isSameDisplay = (stored: Scale, current: Scale): boolean =>
  Number(stored.amountDivisor) === Number(current.amountDivisor) &&
  stored.decimalPlaces === current.decimalPlaces &&
  stored.unit === current.unit;
