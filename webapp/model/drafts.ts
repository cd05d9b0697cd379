/** Drafts: creating, editing, previewing and discarding them. */

import { formatDebtorUri, parseAccountUri } from "../../src/values/swpt-uri.ts";
import { paymentKey } from "../core/batch-file.ts";
import { canonicalIdentity } from "../core/coin.ts";
import { parseMoment } from "../core/moments.ts";
import { writeNote } from "../core/notes.ts";
import { offeredActions, type PaymentAction, paymentState } from "../core/payment-state.ts";
import { nameKey } from "../core/text.ts";
import type { Context } from "./context.ts";
import { withLock } from "./parts.ts";
import type { PaymentViews } from "./payment-views.ts";
import type {
  Outcome,
  PaymentOrder,
  PaymentOrigin,
  PaymentPreview,
  PaymentProblem,
  PaymentRecord,
  PaymentRemark,
  TransferRequest,
} from "./types.ts";

/** What a new draft is made with, besides its order. */
export interface DraftOptions {
  readonly origin?: PaymentOrigin;
  readonly templateId?: string | undefined;
  readonly batchId?: string | undefined;
  readonly retryOf?: string | undefined;
  readonly chosenAmount?: bigint | undefined;
}

/** How long an earlier payment with the same account, amount and reference is pointed out. */
export const PAID_BEFORE_MILLIS = 90 * 86_400_000;

/** What is known of the debtor's limits, for remarks. */
export interface Limits {
  readonly issuable: () => bigint | undefined;
  readonly actionsLeft: () => number;
}

export class Drafts {
  readonly #context: Context;
  readonly #views: PaymentViews;
  readonly #limits: Limits;

  constructor(context: Context, views: PaymentViews, limits: Limits) {
    this.#context = context;
    this.#views = views;
    this.#limits = limits;
  }

  /** Stores a draft. Resolves with its UUID, or `undefined` when it could not be stored. */
  async create(order: PaymentOrder, options: DraftOptions = {}): Promise<string | undefined> {
    if (this.#context.records.debtor.value === undefined) return undefined;
    const record = this.newDraft(order, options);
    return (await this.#context.records.put({ table: "payments", record })) ? record.uuid : undefined;
  }

  /** A draft that is not stored yet. Its UUID never changes. */
  newDraft(order: PaymentOrder, options: DraftOptions = {}): PaymentRecord {
    return {
      debtor: this.#context.records.debtor.value!,
      uuid: crypto.randomUUID(),
      origin: options.origin ?? "here",
      createdAt: this.#context.now(),
      revision: 0,
      order,
      chosenAmount: options.chosenAmount ?? 0n,
      batchId: options.batchId,
      templateId: options.templateId,
      retryOf: options.retryOf,
      request: undefined,
      firstTryAt: undefined,
      lastTryAt: undefined,
      isTryOpen: false,
      refusal: undefined,
      transfer: undefined,
      isGone: false,
      dismissedAt: undefined,
    };
  }

  /** Changes a draft, unless it has changed since the user saw it. */
  async edit(
    uuid: string,
    change: { readonly order?: PaymentOrder; readonly chosenAmount?: bigint },
    revision: number,
  ): Promise<Outcome> {
    let outcome: Outcome = "changed";
    const stored = await this.#context.records.changePayment(uuid, (payment) => {
      if (payment === undefined || payment.revision !== revision) return undefined;
      outcome = paymentState(payment, this.#context.now()) === "draft" ? "done" : "not-offered";
      return outcome === "done" ? { ...payment, ...change } : undefined;
    });
    return stored === "not-stored" ? "not-stored" : outcome;
  }

  /** Removes a payment that never reached the server. */
  async discard(uuid: string): Promise<Outcome> {
    return this.#offered(uuid, "discard", async () => {
      const isRemoved = await this.#context.records.remove("payments", [uuid]);
      if (isRemoved) await this.#context.log("discard", "done", uuid);
      return isRemoved ? "done" : "not-stored";
    });
  }

  /** Dismisses a failed payment, or acknowledges one that has timed out. */
  putAway(uuid: string, action: "dismiss" | "acknowledge"): Promise<Outcome> {
    return this.#offered(uuid, action, async () => {
      const stored = await this.#context.records.changePayment(uuid, (payment) =>
        payment === undefined ? undefined : { ...payment, dismissedAt: this.#context.now() },
      );
      if (stored !== "not-stored") await this.#context.log(action, "done", uuid);
      return stored === "not-stored" ? "not-stored" : "done";
    });
  }

  /** A new draft, with a new UUID, for what has failed. */
  async retry(uuid: string): Promise<string | undefined> {
    const payment = this.#views.get(uuid);
    if (!payment?.offered.includes("retry")) return undefined;
    const { order, chosenAmount, amount, templateId } = payment;
    const chosen = order.amount === 0n ? chosenAmount || amount : 0n;
    return this.create(order, { templateId, retryOf: uuid, chosenAmount: chosen });
  }

  /** What the user sees before they confirm. */
  preview(uuid: string): PaymentPreview | undefined {
    const payment = this.#views.get(uuid);
    if (payment === undefined) return undefined;
    const problems: PaymentProblem[] = [];
    const remarks: PaymentRemark[] = [];
    const request = payment.request ?? this.#write(payment, problems, remarks);
    if (payment.transfer === undefined) this.#remark(payment, payment.amount, remarks);
    return { payment, request: problems.length === 0 ? request : undefined, problems, remarks };
  }

  /** The request of a draft as it would be sent now. */
  writeRequest(payment: PaymentRecord): TransferRequest | undefined {
    const problems: PaymentProblem[] = [];
    const request = this.#write(payment, problems, []);
    return problems.length === 0 ? request : undefined;
  }

  #write(
    { order, chosenAmount }: PaymentRecord,
    problems: PaymentProblem[],
    remarks: PaymentRemark[],
  ): TransferRequest | undefined {
    const { debtor } = this.#context;
    const account = parseAccountUri(order.accountUri);
    if (account === undefined || formatDebtorUri(account.debtorId) !== canonicalIdentity(debtor?.identityUri ?? "")) {
      problems.push({ kind: "foreign-account" });
    }
    const amount = order.amount === 0n ? chosenAmount : order.amount;
    if (amount === 0n) problems.push({ kind: "no-amount" });
    if (debtor === undefined || debtor.noteMaxBytes === 0 || debtor.accountUri === undefined) {
      problems.push({ kind: "account-not-ready" });
      return undefined;
    }
    const note = writeNote(order, order.amount !== 0n, debtor.noteMaxBytes);
    if (note === undefined) {
      problems.push({ kind: "reference-too-long", bytesMax: debtor.noteMaxBytes });
      return undefined;
    }
    remarks.push(...note.cuts);
    return { recipientUri: order.accountUri, amount, noteFormat: note.noteFormat, note: note.note };
  }

  #remark({ uuid, order }: PaymentRecord, amount: bigint, remarks: PaymentRemark[]): void {
    const { records } = this.#context;
    const now = this.#context.now();
    if (order.deadline !== "" && (parseMoment(order.deadline) ?? now) < now) {
      remarks.push({ kind: "deadline-passed", deadline: order.deadline });
    }
    const account = accountKey(order.accountUri);
    const book = [...records.rows("addressBook").value.values()];
    const knownAs = book.find((entry) => accountKey(entry.accountUri) === account);
    const name = nameKey(order.name);
    if (knownAs !== undefined && name !== "" && nameKey(knownAs.name) !== name) {
      remarks.push({ kind: "known-as", name: knownAs.name });
    }
    const namesake = book.find((entry) => nameKey(entry.name) === name && accountKey(entry.accountUri) !== account);
    if (name !== "" && namesake !== undefined) {
      remarks.push({ kind: "name-has-other-account", accountUri: namesake.accountUri });
    }
    const others = this.#views.all.value.filter((other) => other.uuid !== uuid && isPaid(other.state));
    if (!others.some((other) => accountKey(other.order.accountUri) === account)) {
      remarks.push({ kind: "first-payment-to-account" });
    }
    const key = paymentKey({ ...order, amount });
    const same = others.find(
      (other) =>
        now - other.createdAt < PAID_BEFORE_MILLIS && paymentKey({ ...other.order, amount: other.amount }) === key,
    );
    if (same !== undefined) remarks.push({ kind: "paid-before", uuid: same.uuid, at: same.createdAt });
    const issuable = this.#limits.issuable();
    if (issuable !== undefined && amount > issuable) remarks.push({ kind: "over-limit", issuable });
    const left = this.#limits.actionsLeft();
    if (left <= 10) remarks.push({ kind: "few-actions-left", left });
  }

  /** Performs an action if the state of the payment offers it and no other tab is sending it. */
  async #offered(uuid: string, action: PaymentAction, work: () => Promise<Outcome>): Promise<Outcome> {
    const { records, parts } = this.#context;
    const outcome = await withLock(parts.locks, `payment ${records.debtor.value} ${uuid}`, async () => {
      const stored = await records.read("payments", uuid);
      if (stored === undefined) return "changed";
      const now = this.#context.now();
      return offeredActions(stored, paymentState(stored, now), now).includes(action) ? work() : "not-offered";
    });
    return outcome ?? "elsewhere";
  }
}

/** Whether the payment was made, or may still be made. */
export const isPaid = (state: string): boolean =>
  ["sending", "not-confirmed", "timed-out", "waiting", "delayed", "done"].includes(state);

/** A key that is the same for all spellings of an account of this debtor. */
export const accountKey = (accountUri: string): string => parseAccountUri(accountUri)?.accountId ?? accountUri;
