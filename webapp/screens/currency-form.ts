/** The currency form: what is typed, and what is passed to the model. */

import type { WebappConfig } from "../../src/values/webapp-config.ts";
import { decimalSeparator, type Scale } from "../core/amounts.ts";
import { checkCoinInfoForm, type FieldProblem } from "../core/coin-info-edit.ts";
import { parseDecimal } from "../core/decimal.ts";
import { worthOf } from "../core/peg.ts";
import { readRootConfig } from "../core/root-config-data.ts";
import { cleanName } from "../core/text.ts";
import { locale, t } from "../i18n/i18n.ts";
import type { Currency, CurrencyBase, CurrencyForm, PegChoice } from "../model/types.ts";
import { readAmount, typedText } from "../ui/amount.tsx";

/** A peg in the form: its own two halves and display values, and what is typed about its worth. */
export interface TypedPeg extends Omit<PegChoice, "worth"> {
  readonly worth: string;
  /** Its stored rate stays as long as this is what is typed. */
  readonly worthBefore: string | undefined;
  readonly name: string;
}

/** All as text. */
export interface TypedCurrency {
  readonly debtorName: string;
  readonly unit: string;
  readonly amountDivisor: string;
  readonly decimalPlaces: string;
  readonly summary: string;
  readonly homepage: string;
  readonly rate: string;
  readonly limit: string;
  /** The limit itself stays as long as this is what is typed, whatever the unit is worth. */
  readonly limitBefore: string;
  readonly peg: TypedPeg | undefined;
  /** What the form was opened with. */
  readonly base: CurrencyBase;
}

export type CurrencyErrors = Partial<Record<keyof TypedCurrency, string>>;

/** What the form shows at first: the currency as it is, or the operator's defaults. */
export function typedCurrency(currency: Currency, scale: Scale, config: WebappConfig): TypedCurrency {
  const document = currency.info.status === "read" ? currency.info.document : undefined;
  const peg = document?.peg;
  const worth = peg === undefined ? "" : localDecimal(worthOf(peg, document!.amountDivisor));
  const limitText = currency.limit === undefined ? "" : typedText(currency.limit, scale);
  return {
    debtorName: document?.debtorName ?? "",
    unit: document?.unit ?? "",
    amountDivisor: document?.amountDivisor ?? config.defaultAmountDivisor,
    decimalPlaces: String(document?.decimalPlaces ?? config.defaultDecimalPlaces),
    summary: document?.summary ?? "",
    homepage: document?.homepage ?? "",
    rate: localDecimal(String(currency.rate)),
    base: currency.base,
    limit: limitText,
    limitBefore: limitText,
    peg:
      peg === undefined
        ? undefined
        : {
            worth,
            worthBefore: worth,
            name: "",
            debtorIdentityUri: peg.debtorIdentityUri,
            latestDebtorInfoUri: peg.latestDebtorInfoUri,
            display: peg.display,
          },
  };
}

/** The form after something was typed. An untouched limit stays the same amount, and is shown in the units as they are now. */
export function changeForm(form: TypedCurrency, part: Partial<TypedCurrency>): TypedCurrency {
  const changed = { ...form, ...part };
  const limit = changed.limit === form.limitBefore ? readRootConfig(form.base.configData).limit : undefined;
  if (part.amountDivisor === undefined || limit === undefined) return changed;
  const text = typedText(limit, scaleOf(changed));
  return { ...changed, limit: text, limitBefore: text };
}

const localDecimal = (text: string): string => text.replace(".", decimalSeparator(locale()));

/** A typed decimal number as JSON text. */
export function readDecimal(typed: string): string | undefined {
  const separator = decimalSeparator(locale());
  const text = typed.trim().replace(/^[−–]/, "-").replace(separator, ".").replace(/^\+/, "");
  return parseDecimal(text) === undefined ? undefined : text;
}

/** Amounts in the units that the form describes, which may differ from those in effect. */
export const scaleOf = (form: TypedCurrency): Scale => ({
  amountDivisor: readDecimal(form.amountDivisor) ?? "1",
  decimalPlaces: readPlaces(form.decimalPlaces) ?? 0,
  unit: cleanName(form.unit).trim() || "¤",
});

function readPlaces(text: string): number | undefined {
  const typed = text.trim().replace(/^[−–]/, "-");
  const places = /^-?[0-9]{1,2}$/.test(typed) ? Number(typed) : Number.NaN;
  return places >= -20 && places <= 20 ? places : undefined;
}

/** Reads the form; reports all errors at once. */
export function readCurrencyForm(
  form: TypedCurrency,
  isPegNeeded: boolean,
): { readonly form: CurrencyForm } | { readonly errors: CurrencyErrors } {
  const words = t().currency.errors;
  const rate = Number(readDecimal(form.rate === "" ? "0" : form.rate) ?? "NaN");
  const places = readPlaces(form.decimalPlaces);
  const divisor = readDecimal(form.amountDivisor);
  const limit = readLimit(form);
  const worth = form.peg && readDecimal(form.peg.worth);
  const described = {
    debtorName: form.debtorName.trim(),
    unit: form.unit.trim(),
    amountDivisor: divisor ?? form.amountDivisor,
    decimalPlaces: places ?? Number.NaN,
    summary: form.summary.trim(),
    homepage: form.homepage.trim(),
    peg: undefined,
  };
  const problems = checkCoinInfoForm(described);
  const say = (problem: FieldProblem | undefined, max: number): string | undefined =>
    problem === undefined ? undefined : problem === "too-long" ? words.tooLong(max) : words.required;
  const found: CurrencyErrors = Object.fromEntries(
    Object.entries({
      debtorName: say(problems.debtorName, 40),
      unit: say(problems.unit, 40),
      summary: say(problems.summary, 500),
      homepage: isHomepage(described.homepage) ? say(problems.homepage, 200) : words.homepage,
      rate: rate >= -50 && rate <= 100 ? undefined : words.rate,
      limit: "error" in limit ? limit.error : undefined,
      amountDivisor: divisor === undefined || problems.amountDivisor !== undefined ? words.divisor : undefined,
      decimalPlaces:
        places === undefined ? words.places : problems.decimalPlaces === "conflict" ? words.conflict : undefined,
      peg:
        form.peg === undefined
          ? isPegNeeded
            ? t().currency.pegNeeded
            : undefined
          : form.peg.worth !== form.peg.worthBefore && !(Number(worth) > 0)
            ? words.worth
            : undefined,
    }).filter(([, error]) => error !== undefined),
  );
  if (Object.keys(found).length > 0 || "error" in limit || places === undefined) return { errors: found };
  return { form: { ...described, rate, limit: limit.tokens, peg: readPeg(form.peg, worth) } };
}

function readPeg(peg: TypedPeg | undefined, worth: string | undefined): PegChoice | undefined {
  if (peg === undefined) return undefined;
  const { debtorIdentityUri, latestDebtorInfoUri, display, worthBefore } = peg;
  return {
    debtorIdentityUri,
    latestDebtorInfoUri,
    display,
    worth: peg.worth === worthBefore ? undefined : worth,
  };
}

function readLimit(form: TypedCurrency): { readonly tokens: bigint | undefined } | { readonly error: string } {
  if (form.limit === form.limitBefore) return { tokens: readRootConfig(form.base.configData).limit };
  const typed = form.limit.trim();
  if (typed === "") return { tokens: undefined };
  if (/^0+([.,]0+)?$/.test(typed)) return { tokens: 0n };
  const read = readAmount(typed, scaleOf(form));
  return "error" in read ? { error: read.error } : read;
}

/** A present page at `http:` stays; whatever else is no address of the web is not taken. */
const isHomepage = (text: string): boolean =>
  text === "" || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol));
