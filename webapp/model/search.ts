/** Search and filter of the history: fast enough to be done with every key. */
import { exactUnits, type Scale } from "../core/amounts.ts";
import type { Payment, PaymentFilter } from "./types.ts";

export class PaymentSearch {
  // What is searched in, once for each payment as it is.
  readonly #texts = new WeakMap<Payment, string>();
  #scale: Scale | undefined;

  /** The payments that match all of the filter, in their order. */
  find(payments: readonly Payment[], filter: PaymentFilter, scale: Scale): readonly Payment[] {
    const words = (filter.text ?? "")
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "");
    const { states, origins, from, to } = filter;
    return payments.filter(
      (payment) =>
        (states === undefined || states.length === 0 || states.includes(payment.state)) &&
        (origins === undefined || origins.length === 0 || origins.includes(payment.origin)) &&
        (from === undefined || payment.createdAt >= from) &&
        (to === undefined || payment.createdAt < to) &&
        (words.length === 0 || words.every((word) => this.#textOf(payment, scale).includes(word))),
    );
  }

  #textOf(payment: Payment, scale: Scale): string {
    const known = this.#scale === scale ? this.#texts.get(payment) : undefined;
    if (known !== undefined) return known;
    this.#scale = scale;
    const { order, uuid, amount, transfer } = payment;
    const parts = [order.name, order.reference, order.reason, order.accountUri, uuid, transfer?.note ?? ""];
    const text = [...parts, exactUnits(amount, scale) ?? "", amount.toString()].join("\n").toLowerCase();
    this.#texts.set(payment, text);
    return text;
  }
}
