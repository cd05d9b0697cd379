/** The currency as the screens see it: its configuration, its coin, and how changes are saved. */
import type { Scale } from "../core/amounts.ts";
import type { CoinWarning } from "../core/coin.ts";
import type { CoinInfo } from "../core/coin-info.ts";
import type { CoinInfoForm } from "../core/coin-info-edit.ts";
import type { Outcome } from "./outcome.ts";

/** The configured currency: the root configuration data, and the coin info document that they name. */
export interface Currency {
  /** `empty`: not configured; `foreign`: any other text, replaced only with `replaceForeign`. */
  readonly kind: "empty" | "ours" | "foreign";
  readonly rate: number;
  /** Tokens; `undefined` = no limit. */
  readonly limit: bigint | undefined;
  readonly unknownMembers: readonly string[];
  readonly info: CurrencyInfo;
  /** What a form was opened with. Passed back with the form, it shows what the user has changed. */
  readonly base: CurrencyBase;
}

/** The texts that a form of the currency was opened with. */
export interface CurrencyBase {
  readonly configData: string;
  /** Of the coin info document; absent when there is none, or none that can be read. */
  readonly documentText: string | undefined;
}

/** The coin info document in use, or why there is none. */
export type CurrencyInfo =
  | { readonly status: "none" }
  | { readonly status: "loading" }
  | { readonly status: "unreadable"; readonly reason: DocumentProblem }
  | { readonly status: "read"; readonly document: CoinInfo; readonly text: string };

/**
 * `fetch`: cannot be read (network, CORS, status); `hash`: bytes or form of `sha256`; `format`: not a coin info document;
 * `identity`: of another debtor; `too-large`; `content-type`.
 */
export type DocumentProblem = "fetch" | "hash" | "format" | "identity" | "too-large" | "content-type";

/** The values of the currency form. Only what differs from the present is sent. */
export interface CurrencyForm extends Omit<CoinInfoForm, "peg"> {
  readonly rate: number;
  readonly limit: bigint | undefined;
  /** Units of the peg that one own unit is worth, as decimal text, with the coin it was read from. */
  readonly peg: PegChoice | undefined;
}

/** A peg: read from a coin just now, or kept as it is. */
export interface PegChoice {
  /** Decimal text: what one own unit is worth in units of the peg; `undefined` keeps the stored rate. */
  readonly worth: string | undefined;
  readonly debtorIdentityUri: string;
  readonly latestDebtorInfoUri: string;
  readonly display: Scale;
}

/** Answers to the questions of `saveCurrency`: `true` once the user has agreed. */
export interface CurrencyAgreements {
  /** `configData` is foreign text. */
  readonly replaceForeign?: boolean | undefined;
  /** `willNotChangeUntil` is in the future. */
  readonly breakPromise?: boolean | undefined;
  /** The document in use has another version or cannot be read. */
  readonly replaceDocument?: boolean | undefined;
  /** Name, unit, divisor or places of a currency in use change. */
  readonly changeInUse?: boolean | undefined;
  readonly noPeg?: boolean | undefined;
  /** Fields to overwrite although another client has changed them in the meantime. */
  readonly overwrite?: readonly string[] | undefined;
}

export type CurrencyQuestion =
  | { readonly kind: "replace-foreign" }
  | { readonly kind: "break-promise"; readonly until: string }
  | { readonly kind: "replace-document" }
  | { readonly kind: "change-in-use"; readonly fields: readonly string[] }
  | { readonly kind: "no-peg" };

/** A field that two clients changed. Values as JSON text; `undefined` = absent. */
export interface FieldConflict {
  readonly field: string;
  readonly before: string | undefined;
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

export type SaveCurrencyResult =
  | { readonly outcome: "saved"; readonly change: "none" | "accepted" | "sent" }
  | { readonly outcome: "ask"; readonly questions: readonly CurrencyQuestion[] }
  | { readonly outcome: "conflict"; readonly conflicts: readonly FieldConflict[] }
  | { readonly outcome: "invalid"; readonly fields: Readonly<Record<string, string>> }
  /** 403: this month's actions or this year's documents are used up. */
  | { readonly outcome: "used-up"; readonly what: "actions" | "documents" }
  | { readonly outcome: Exclude<Outcome, "done"> };

/** The state of the saved configuration: first `sent`, then `in-effect`; `accepted` if the document did not change. */
export type ConfigStatus = "none" | "sent" | "unseen" | "accepted" | "in-effect" | "refused";

/** A member that another client has changed. */
export interface ConfigDifference {
  readonly field: string;
  readonly before: string | undefined;
  readonly now: string | undefined;
}

/** The own coin. Spec: issuer-webapp, "Coin". */
export interface OwnCoin {
  readonly text: string;
  readonly warnings: readonly CoinWarning[];
}
