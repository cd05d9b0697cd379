/** Deletes transfers at the server that are no longer needed there; the history here keeps them. */
import { computed, type ReadonlySignal } from "@preact/signals-core";
import { isFailure } from "../api/answer.ts";
import { DELETION_MILLIS_MIN, deletableAt } from "../core/payment-state.ts";
import { type Context, forEachOf } from "./context.ts";
import type { PaymentViews } from "./payment-views.ts";
import { storeGone, transferUrl } from "./transfers.ts";
import type { Payment, PaymentRecord } from "./types.ts";

const DELETED_AT_ONCE = 6;

export class Deletions {
  /** Payments whose transfers may be deleted now, on the user's word: no earlier than other clients may repeat the POST. */
  readonly deletable: ReadonlySignal<readonly Payment[]>;
  /** Transfers that the server has, as far as known. */
  readonly undeletedCount: ReadonlySignal<number>;
  readonly #context: Context;

  constructor(context: Context, views: PaymentViews) {
    this.#context = context;
    this.deletable = computed(() => {
      // Computed again with each update, as time goes on.
      void context.debtor?.readAt;
      return this.#olderThan(views.all.value, DELETION_MILLIS_MIN);
    });
    this.undeletedCount = computed(
      () => views.all.value.filter(({ transfer, isGone }) => transfer !== undefined && !isGone).length,
    );
  }

  /** Deletes by itself what is old enough. */
  async deleteOld(): Promise<void> {
    const { deletionDelayMillis } = this.#context.parts.settings;
    const old = this.#olderThan(this.#context.records.rows("payments").value.values(), deletionDelayMillis);
    if (old.length > 0) await this.#delete(old.map(({ uuid }) => uuid));
  }

  /** Those that may be deleted at a time that has passed for sure: the device's clock may be wrong. */
  #olderThan<P extends PaymentRecord>(payments: Iterable<P>, doneDelayMillis: number): P[] {
    const now = this.#context.parts.clock.passed() ?? Number.NEGATIVE_INFINITY;
    return [...payments].filter(
      (payment) => (deletableAt(payment, doneDelayMillis) ?? Number.POSITIVE_INFINITY) <= now,
    );
  }

  /** Deletes those that may go. Resolves with how many were deleted. */
  delete(uuids: readonly string[]): Promise<number> {
    const allowed = new Set(this.deletable.value.map(({ uuid }) => uuid));
    return this.#delete(uuids.filter((uuid) => allowed.has(uuid)));
  }

  async #delete(uuids: readonly string[]): Promise<number> {
    const debtor = this.#context.records.debtor.value!;
    let count = 0;
    let hasFailed = false;
    await forEachOf(uuids, DELETED_AT_ONCE, async (uuid) => {
      if (hasFailed || this.#context.debtor?.identityUri !== debtor) return;
      const answer = await this.#context.parts.api.deleteTransfer(transferUrl(this.#context, uuid));
      if (isFailure(answer) && answer.failure !== "not-found") {
        this.#context.failed(answer);
        hasFailed = true;
        return;
      }
      await storeGone(this.#context, [uuid], debtor);
      count++;
    });
    if (count > 0) await this.#context.log("delete", "done", String(count));
    return count;
  }
}
