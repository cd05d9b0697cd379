/** Searches and filters the history, fast enough to do so with every key. */
import { type Scale, showAmount } from "../core/amounts.ts";
import type { Payment, PaymentFilter } from "./types.ts";

/** How many payments are prepared without a pause, so that the page stays responsive. */
const PREPARED_AT_ONCE = 200;

export class PaymentSearch {
  // What is searched in, once for each payment as it is.
  readonly #texts = new WeakMap<Payment, string>();
  #scale: Scale | undefined;

  /** The payments that match all of the filter, in their order. */
  find(payments: readonly Payment[], filter: PaymentFilter, scale: Scale): readonly Payment[] {
    const words = (filter.text ?? "")
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "")
      .map(spellingsOf);
    const { states, origins, from, to } = filter;
    return payments.filter(
      (payment) =>
        (states === undefined || states.length === 0 || states.includes(payment.state)) &&
        (origins === undefined || origins.length === 0 || origins.includes(payment.origin)) &&
        (from === undefined || payment.createdAt >= from) &&
        (to === undefined || payment.createdAt < to) &&
        words.every((spellings) => spellings.some((word) => this.#textOf(payment, scale).includes(word))),
    );
  }

  /** Prepares all texts, a few at a time, so that the first key is answered as fast as the next ones. */
  async prepare(payments: readonly Payment[], scale: Scale, pause: () => Promise<void>): Promise<void> {
    for (let start = 0; start < payments.length; start += PREPARED_AT_ONCE) {
      for (const payment of payments.slice(start, start + PREPARED_AT_ONCE)) this.#textOf(payment, scale);
      await pause();
    }
  }

  #textOf(payment: Payment, scale: Scale): string {
    const known = this.#scale === scale ? this.#texts.get(payment) : undefined;
    if (known !== undefined) return known;
    this.#scale = scale;
    const { order, uuid, amount, transfer } = payment;
    const parts = [order.name, order.reference, order.reason, order.accountUri, uuid, transfer?.note ?? ""];
    const text = [...parts, showAmount(amount, scale).text, amount.toString()].join("\n").toLowerCase();
    this.#texts.set(payment, text);
    return text;
  }
}

/** A word; for an amount as languages write it (`1.234,50`, `1,234.50`, `1,234`) also as it is searched in: `1234.50`, `1234`. */
function spellingsOf(word: string): readonly string[] {
  const parts = word.split(/[.,'\u2019]/);
  const last = parts.pop()!;
  if (parts.length === 0 || ![...parts, last].every((part) => /^\d+$/.test(part))) return [word];
  const whole = parts.join("");
  return [word, `${whole}.${last}`, ...(last.length === 3 ? [whole + last] : [])];
}
