/**
 * What the user changed in the form of the currency, and what another client changed meanwhile. Only members that the user
 * changed are written; a member that both changed is for the user to decide.
 */
import { type Peg, readCoinInfo } from "../core/coin-info.ts";
import { type CoinInfoField, type CoinInfoForm, fieldText, formOfCoinInfo } from "../core/coin-info-edit.ts";
import { isSameJson } from "../core/exact-json.ts";
import { exchangeRateOf, rescaleExchangeRate } from "../core/peg.ts";
import { readRootConfig } from "../core/root-config-data.ts";
import type { CurrencyBase, CurrencyForm, FieldConflict } from "./types.ts";

/** A configuration with all that the user may change, each member as JSON text. */
export interface CurrencyValues {
  readonly rate: number;
  readonly limit: bigint | undefined;
  /** Absent without a readable document. */
  readonly document: CoinInfoForm | undefined;
}

const DOCUMENT_FIELDS: readonly CoinInfoField[] = [
  "debtorName",
  "amountDivisor",
  "decimalPlaces",
  "unit",
  "summary",
  "homepage",
  "peg",
];
/** All members of the form. */
export const CURRENCY_FIELDS = ["rate", "limit", ...DOCUMENT_FIELDS] as const;
/** A member of the form. */
export type CurrencyField = (typeof CURRENCY_FIELDS)[number];

/** What a configuration and its document say. */
export function valuesOf({ configData, documentText }: CurrencyBase): CurrencyValues {
  const { rate, limit } = readRootConfig(configData);
  const document = documentText === undefined ? undefined : readCoinInfo(documentText);
  return { rate, limit, document: document && formOfCoinInfo(document) };
}

/**
 * What the form says. `before` is what it was opened with. Without a readable document, a form that names neither debtor nor
 * unit leaves the document alone. `undefined`: the peg has no rate yet.
 */
export function valuesOfForm(form: CurrencyForm, before: CurrencyValues): CurrencyValues | undefined {
  if (before.document === undefined && form.debtorName === "" && form.unit === "") {
    return { rate: form.rate, limit: form.limit, document: undefined };
  }
  const peg = pegOf(form, before.document);
  if (form.peg !== undefined && peg === undefined) return undefined;
  const { debtorName, unit, amountDivisor, decimalPlaces, summary, homepage } = form;
  return {
    rate: form.rate,
    limit: form.limit,
    document: { debtorName, unit, amountDivisor, decimalPlaces, summary, homepage, peg },
  };
}

function pegOf({ peg, amountDivisor }: CurrencyForm, before: CoinInfoForm | undefined): Peg | undefined {
  if (peg === undefined) return undefined;
  const { worth, debtorIdentityUri, latestDebtorInfoUri, display } = peg;
  const parts = { debtorIdentityUri, latestDebtorInfoUri, display };
  if (worth !== undefined)
    return { exchangeRate: exchangeRateOf(worth, display.amountDivisor, amountDivisor), ...parts };
  const stored = before?.peg;
  if (stored === undefined || stored.debtorIdentityUri !== debtorIdentityUri) return undefined;
  return { exchangeRate: rescaleExchangeRate(stored.exchangeRate, before!.amountDivisor, amountDivisor), ...parts };
}

/** A member as JSON text; `undefined` = absent. */
export function textOf(values: CurrencyValues, field: CurrencyField): string | undefined {
  if (field === "rate") return JSON.stringify(values.rate);
  if (field === "limit") return values.limit?.toString();
  return values.document && fieldText(values.document, field);
}

/** Which members differ. */
export const changedFields = (before: CurrencyValues, after: CurrencyValues): CurrencyField[] =>
  CURRENCY_FIELDS.filter((field) => !isSameJson(textOf(before, field), textOf(after, field)));

/** The members that both have changed, and not to the same. */
export function findConflicts(before: CurrencyValues, ours: CurrencyValues, theirs: CurrencyValues): FieldConflict[] {
  const changedThere = changedFields(before, theirs);
  return changedFields(before, ours)
    .filter((field) => changedThere.includes(field) && !isSameJson(textOf(ours, field), textOf(theirs, field)))
    .map((field) => ({
      field,
      before: textOf(before, field),
      ours: textOf(ours, field),
      theirs: textOf(theirs, field),
    }));
}

/** Their configuration with the members that we changed. */
export function mergeValues(before: CurrencyValues, ours: CurrencyValues, theirs: CurrencyValues): CurrencyValues {
  const changed = new Set<string>(changedFields(before, ours));
  const pick = <K extends "rate" | "limit">(field: K): CurrencyValues[K] => (changed.has(field) ? ours : theirs)[field];
  return {
    rate: pick("rate"),
    limit: pick("limit"),
    document: mergeDocuments(changed, ours.document, theirs.document),
  };
}

function mergeDocuments(
  changed: ReadonlySet<string>,
  ours: CoinInfoForm | undefined,
  theirs: CoinInfoForm | undefined,
): CoinInfoForm | undefined {
  if (ours === undefined || theirs === undefined) return ours ?? theirs;
  const merged: Record<string, unknown> = { ...theirs };
  for (const field of DOCUMENT_FIELDS) if (changed.has(field)) merged[field] = ours[field];
  return merged as unknown as CoinInfoForm;
}
