/** Payments as the screens see them: with their present state. */
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals-core";
import { nextChangeAt, offeredActions, paymentState } from "../core/payment-state.ts";
import type { Context } from "./context.ts";
import type { Payment, PaymentRecord } from "./types.ts";

/** A timer cannot wait longer. */
const WAIT_MILLIS_MAX = 2 ** 31 - 1;

/** The payments, newest first, and each of them. */
export class PaymentViews {
  readonly all: ReadonlySignal<readonly Payment[]>;
  readonly #byUuid: ReadonlySignal<ReadonlyMap<string, Payment>>;
  readonly #context: Context;
  readonly #time = signal(0);
  // A view is valid until its record changes, sending starts or ends, or its time is up.
  readonly #views = new WeakMap<
    PaymentRecord,
    { readonly view: Payment; readonly isSending: boolean; readonly from: number; readonly until: number }
  >();

  constructor(context: Context) {
    this.#context = context;
    this.#time.value = context.now();
    const { records } = context;
    this.#byUuid = computed(() => {
      // With each update the time may be another one: the server has told it.
      void context.debtor?.readAt;
      const sending = records.sending.value;
      const now = Math.max(this.#time.value, context.now());
      const views = new Map<string, Payment>();
      for (const record of records.rows("payments").value.values()) {
        views.set(record.uuid, this.#viewOf(record, now, sending.has(record.uuid)));
      }
      return views;
    });
    this.all = computed(() => [...this.#byUuid.value.values()].sort(isNewer));
  }

  /** A payment with its state now, as it is shown. */
  get(uuid: string): Payment | undefined {
    return this.#byUuid.value.get(uuid);
  }

  signalOf(uuid: string): ReadonlySignal<Payment | undefined> {
    return computed(() => this.#byUuid.value.get(uuid));
  }

  /** Updates payments whose state changes with time, until the model is closed. */
  async watch(): Promise<void> {
    const { clock } = this.#context.parts;
    const end = this.#context.signal;
    while (!end.aborted) {
      const round = new AbortController();
      const shown = this.#byUuid.value;
      const dispose = effect(() => {
        if (this.#byUuid.value !== shown) round.abort();
      });
      await clock.wait(this.#millisToNextChange(shown.values()), AbortSignal.any([end, round.signal])).catch(() => {});
      dispose();
      this.#time.value = this.#context.now();
    }
  }

  #millisToNextChange(payments: Iterable<Payment>): number {
    const now = this.#context.now();
    let millis = WAIT_MILLIS_MAX;
    for (const payment of payments)
      millis = Math.min(millis, (nextChangeAt(payment, now) ?? Number.POSITIVE_INFINITY) - now);
    return millis;
  }

  #viewOf(record: PaymentRecord, now: number, isSending: boolean): Payment {
    const known = this.#views.get(record);
    if (known !== undefined && known.isSending === isSending && known.from <= now && now < known.until)
      return known.view;
    const state = paymentState(record, now, isSending);
    const view: Payment = { ...record, state, offered: offeredActions(record, state, now), amount: amountOf(record) };
    this.#views.set(record, {
      view,
      isSending,
      from: now,
      until: nextChangeAt(record, now) ?? Number.POSITIVE_INFINITY,
    });
    return view;
  }
}

const isNewer = (a: Payment, b: Payment): number => b.createdAt - a.createdAt || (a.uuid < b.uuid ? -1 : 1);

/** Tokens that are or would be paid. */
export const amountOf = ({ transfer, request, order, chosenAmount }: PaymentRecord): bigint =>
  transfer?.amount ?? request?.amount ?? (order.amount === 0n ? chosenAmount : order.amount);
