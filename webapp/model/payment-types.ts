/** Payments and batches as the screens see them. */
import type { PaymentAction, PaymentState } from "../core/payment-state.ts";
import type { BatchRecord, PaymentOrder, PaymentOrigin, PaymentRecord, TransferRequest } from "../core/records.ts";

/** A payment with its present state, which also changes with time. */
export interface Payment extends PaymentRecord {
  readonly state: PaymentState;
  /** What the user can do, the most important first. */
  readonly offered: readonly PaymentAction[];
  /** Tokens that are or would be paid: the transfer's, the request's, the order's, or the chosen amount. */
  readonly amount: bigint;
}

/** What the user sees before they confirm a payment. */
export interface PaymentPreview {
  readonly payment: Payment;
  /** As it would be sent; absent when `problems` is not empty. */
  readonly request: TransferRequest | undefined;
  /** Why it cannot be sent yet. */
  readonly problems: readonly PaymentProblem[];
  /** What the user should read before confirming. */
  readonly remarks: readonly PaymentRemark[];
}

export type PaymentProblem =
  | { readonly kind: "account-not-ready" }
  | { readonly kind: "no-amount" }
  | { readonly kind: "reference-too-long"; readonly bytesMax: number }
  | { readonly kind: "foreign-account" };

export type PaymentRemark =
  | { readonly kind: "reason-cut"; readonly kept: string }
  | { readonly kind: "reason-dropped" }
  | { readonly kind: "name-dropped" }
  | { readonly kind: "deadline-passed"; readonly deadline: string }
  /** The account is in the address book under another name. */
  | { readonly kind: "known-as"; readonly name: string }
  /** The name is in the address book with another account. */
  | { readonly kind: "name-has-other-account"; readonly accountUri: string }
  | { readonly kind: "first-payment-to-account" }
  /** Same recipient, amount and reference in the last 90 days. */
  | { readonly kind: "paid-before"; readonly uuid: string; readonly at: number }
  /** More than can still be issued. */
  | { readonly kind: "over-limit"; readonly issuable: bigint }
  | { readonly kind: "few-actions-left"; readonly left: number };

/** A row of a batch file. */
export interface BatchRow {
  /** 1 = the first after the header. */
  readonly row: number;
  readonly order: PaymentOrder | undefined;
  readonly problems: readonly { readonly field: string; readonly reason: string }[];
  /** The row that this one repeats, or a payment of the last 90 days. */
  readonly repeats: { readonly row?: number | undefined; readonly paymentUuid?: string | undefined } | undefined;
}

/** A batch file, checked before anything is stored. */
export interface BatchCheck {
  readonly rows: readonly BatchRow[];
  readonly total: bigint;
  /** A problem of the whole file, which then has no rows. */
  readonly problem: { readonly reason: string; readonly where: string } | undefined;
  /** Actions that are left this month, as far as this client knows. */
  readonly actionsLeft: number;
}

/** A batch with its progress. */
export interface Batch extends BatchRecord {
  readonly total: number;
  readonly sent: number;
  readonly done: number;
  readonly failed: number;
  /** Whether this tab is sending it now. */
  readonly isRunningHere: boolean;
}

/** Filters the history: a payment must match all members. */
export interface PaymentFilter {
  /** Searched in name, reference, text, UUID, account and amount. */
  readonly text?: string | undefined;
  readonly states?: readonly PaymentState[] | undefined;
  readonly origins?: readonly PaymentOrigin[] | undefined;
  /** Milliseconds, inclusive and exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}
