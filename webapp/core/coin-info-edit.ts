/** Writes coin info documents, keeping what the form does not know. Spec: issuer-webapp, "Coin info document". */

import type { Coin } from "./coin.ts";
import { type CoinInfo, type Peg, readCoinInfo } from "./coin-info.ts";
import { compareDecimals, parseDecimal } from "./decimal.ts";
import { isSameJson, JsonObject } from "./exact-json.ts";
import { parseMoment } from "./moments.ts";
import { codePointLength } from "./text.ts";

/** The values of the currency form that the coin info document has. */
export interface CoinInfoForm {
  readonly debtorName: string;
  readonly unit: string;
  /** The JSON text of a number. */
  readonly amountDivisor: string;
  readonly decimalPlaces: number;
  /** "" = none. */
  readonly summary: string;
  /** "" = none. */
  readonly homepage: string;
  readonly peg: Peg | undefined;
}

/** The members of a form. */
export type CoinInfoField = keyof CoinInfoForm;

/** A document as the form shows it. */
export const formOfCoinInfo = (document: CoinInfo): CoinInfoForm => ({
  debtorName: document.debtorName,
  unit: document.unit,
  amountDivisor: document.amountDivisor,
  decimalPlaces: document.decimalPlaces,
  summary: document.summary ?? "",
  homepage: document.homepage ?? "",
  peg: document.peg,
});

/** A member of the form as JSON text; `undefined` if it is absent. */
export function fieldText(form: CoinInfoForm, field: CoinInfoField): string | undefined {
  if (field === "amountDivisor") return form.amountDivisor;
  if (field === "peg") return form.peg && pegText(form.peg);
  const value = form[field];
  return value === "" ? undefined : JSON.stringify(value);
}

/** Which members differ. */
export function changedFields(before: CoinInfoForm, after: CoinInfoForm): CoinInfoField[] {
  const fields = Object.keys(FIELD_CHECKS) as CoinInfoField[];
  return fields.filter((field) => !isSameJson(fieldText(before, field), fieldText(after, field)));
}

/** What is wrong with a member of a form. */
export type FieldProblem = "required" | "too-long" | "not-a-number" | "out-of-range" | "conflict";

const lengthProblem = (text: string, lengthMin: number, lengthMax: number): FieldProblem | undefined => {
  const length = codePointLength(text);
  return length < lengthMin ? "required" : length > lengthMax ? "too-long" : undefined;
};

// In the order in which the members are written.
const FIELD_CHECKS: Readonly<Record<CoinInfoField, (form: CoinInfoForm) => FieldProblem | undefined>> = {
  debtorName: ({ debtorName }) => lengthProblem(debtorName, 1, 40),
  amountDivisor: ({ amountDivisor }) => {
    const value = parseDecimal(amountDivisor) === undefined ? Number.NaN : Number(amountDivisor);
    return Number.isNaN(value) ? "not-a-number" : value > 0 && Number.isFinite(value) ? undefined : "out-of-range";
  },
  decimalPlaces: (form) => {
    const { decimalPlaces } = form;
    if (!Number.isInteger(decimalPlaces) || decimalPlaces < -20 || decimalPlaces > 20) return "out-of-range";
    return areConflicting(form) ? "conflict" : undefined;
  },
  unit: ({ unit }) => lengthProblem(unit, 1, 40),
  summary: ({ summary }) => lengthProblem(summary, 0, 500),
  homepage: ({ homepage }) => lengthProblem(homepage, 0, 200),
  peg: ({ peg }) =>
    peg === undefined || (peg.exchangeRate >= 0 && Number.isFinite(peg.exchangeRate)) ? undefined : "out-of-range",
};

/** What is wrong with the form, by member. */
export function checkCoinInfoForm(form: CoinInfoForm): Partial<Record<CoinInfoField, FieldProblem>> {
  const problems: Partial<Record<CoinInfoField, FieldProblem>> = {};
  for (const [field, check] of Object.entries(FIELD_CHECKS)) {
    const problem = check(form);
    if (problem !== undefined) problems[field as CoinInfoField] = problem;
  }
  return problems;
}

/** Divisor and places conflict unless the divisor is 10^places with places ≤ 9, or at least 2 × 10^places. */
export function areConflicting({
  amountDivisor,
  decimalPlaces,
}: Pick<CoinInfoForm, "amountDivisor" | "decimalPlaces">): boolean {
  const divisor = parseDecimal(amountDivisor);
  if (divisor === undefined) return false;
  const step = { digits: 1n, exponent: decimalPlaces };
  if (decimalPlaces <= 9 && compareDecimals(divisor, step) === 0) return false;
  return compareDecimals(divisor, { digits: 2n, exponent: decimalPlaces }) < 0;
}

/** Whether the unit is so long that amounts become hard to read. */
export const isUnitLong = (unit: string): boolean => codePointLength(unit) > 4;

/**
 * The text of a new document: `base` (a valid document, or `undefined` for the first) with the form's members where they
 * differ. `willNotChangeUntil` stays while it is after `now` (milliseconds).
 */
export function writeCoinInfo(base: string | undefined, form: CoinInfoForm, coin: Coin, now: number): string {
  const before = base === undefined ? undefined : readCoinInfo(base)!;
  let object = base === undefined ? new JsonObject([["type", '"CoinInfo"']]) : JsonObject.parse(base)!;
  object = object.with("type", '"CoinInfo"').with("revision", String((before?.revision ?? 0) + 1));
  object = object.with("latestDebtorInfo", JSON.stringify({ uri: coin.locator }));
  if (before?.debtorIdentityUri !== coin.identity) {
    object = object.with("debtorIdentity", JSON.stringify({ type: "DebtorIdentity", uri: coin.identity }));
  }
  const until = before?.willNotChangeUntil;
  if (until === undefined || parseMoment(until)! <= now) object = object.without("willNotChangeUntil");
  const oldForm = before && formOfCoinInfo(before);
  for (const field of Object.keys(FIELD_CHECKS) as CoinInfoField[]) {
    const text = fieldText(form, field);
    if (oldForm !== undefined && isSameJson(fieldText(oldForm, field), text)) continue;
    const name = field === "homepage" ? "debtorHomepage" : field;
    const value = field === "homepage" && text !== undefined ? `{"uri":${text}}` : text;
    object = value === undefined ? object.without(name) : object.with(name, value);
  }
  return object.toString();
}

/**
 * Whether a new document is needed: more than its revision would differ from `base`.
 */
export function needsNewCoinInfo(base: string | undefined, form: CoinInfoForm, coin: Coin): boolean {
  const before = base === undefined ? undefined : readCoinInfo(base);
  if (before === undefined) return true;
  if (before.latestDebtorInfoUri !== coin.locator || before.debtorIdentityUri !== coin.identity) return true;
  return changedFields(formOfCoinInfo(before), form).length > 0;
}

const pegText = ({ exchangeRate, debtorIdentityUri, latestDebtorInfoUri, display }: Peg): string =>
  new JsonObject([
    ["type", '"Peg"'],
    ["exchangeRate", String(exchangeRate)],
    ["debtorIdentity", JSON.stringify({ type: "DebtorIdentity", uri: debtorIdentityUri })],
    ["latestDebtorInfo", JSON.stringify({ uri: latestDebtorInfoUri })],
    [
      "display",
      new JsonObject([
        ["type", '"PegDisplay"'],
        ["amountDivisor", display.amountDivisor],
        ["decimalPlaces", String(display.decimalPlaces)],
        ["unit", JSON.stringify(display.unit)],
      ]).toString(),
    ],
  ]).toString();
