/**
 * Batches: all rows are stored with their UUIDs before the first request; two are sent at a time; a batch survives a closed
 * tab and continues without paying twice. Spec: issuer-webapp, "Beyond the old client".
 */
import { computed, type ReadonlySignal, signal } from "@preact/signals-core";
import { parseDebtorUri } from "../../src/values/swpt-uri.ts";
import { exactUnits, isInUnits, type Scale, showAmount } from "../core/amounts.ts";
import { paymentKey, readBatchFile } from "../core/batch-file.ts";
import { writeCsv } from "../core/csv.ts";
import { paymentState, REPETITION_PAUSES } from "../core/payment-state.ts";
import type { Context } from "./context.ts";
import { type Drafts, isPaid, PAID_BEFORE_MILLIS } from "./drafts.ts";
import { withLock } from "./parts.ts";
import type { PaymentViews } from "./payment-views.ts";
import type { Sender } from "./sending.ts";
import type { Batch, BatchCheck, BatchRecord, Outcome, PaymentOrder } from "./types.ts";

const PARALLEL_MAX = 2;
/** How soon a row that waits notices that the user has stopped the batch. */
const STOP_MILLIS = 1000;

/** How to continue after a row: with the next one, not for now, or not until the user says so. */
type Step = "next" | "pause" | { readonly stop: "limit" | "inactive" };

export class Batches {
  readonly all: ReadonlySignal<readonly Batch[]>;
  readonly #runningHere = signal<ReadonlySet<string>>(new Set());
  readonly #context: Context;
  readonly #views: PaymentViews;
  readonly #drafts: Drafts;
  readonly #sender: Sender;

  constructor(context: Context, views: PaymentViews, drafts: Drafts, sender: Sender) {
    this.#context = context;
    this.#views = views;
    this.#drafts = drafts;
    this.#sender = sender;
    this.all = computed(() =>
      [...context.records.rows("batches").value.values()]
        .sort((a, b) => b.createdAt - a.createdAt)
        .map((batch) => this.#viewOf(batch)),
    );
  }

  #viewOf(batch: BatchRecord): Batch {
    const payments = batch.uuids.map((uuid) => this.#views.get(uuid));
    const count = (...states: readonly string[]): number =>
      payments.filter((payment) => payment !== undefined && states.includes(payment.state)).length;
    return {
      ...batch,
      total: batch.uuids.length,
      sent: count("waiting", "delayed", "done", "failed"),
      done: count("done"),
      failed: count("failed", "refused"),
      isRunningHere: this.#runningHere.value.has(batch.id),
    };
  }

  /** Reads a file, with its problems and with rows that look like repetitions. */
  check(file: Uint8Array | string, scale: Scale, actionsLeft: number): BatchCheck {
    const debtorId = parseDebtorUri(this.#context.records.debtor.value ?? "") ?? 0n;
    const addressBook = [...this.#context.records.rows("addressBook").value.values()];
    const read = readBatchFile(file, { debtorId, scale, addressBook });
    if ("problem" in read) {
      const where = "column" in read ? read.column : "row" in read ? String(read.row) : "";
      return { rows: [], total: 0n, problem: { reason: read.problem, where }, actionsLeft };
    }
    const paid = this.#paidBefore();
    const rows = read.rows.map(({ row, order, problems, repeatsRow }) => {
      const paymentUuid = order && paid.get(paymentKey(order));
      const isRepeated = repeatsRow !== undefined || paymentUuid !== undefined;
      return {
        row,
        order,
        problems: problems.map(({ column, problem }) => ({ field: column, reason: problem })),
        repeats: isRepeated ? { row: repeatsRow, paymentUuid } : undefined,
      };
    });
    return {
      rows,
      total: rows.reduce((sum, { order }) => sum + (order?.amount ?? 0n), 0n),
      problem: undefined,
      actionsLeft,
    };
  }

  #paidBefore(): ReadonlyMap<string, string> {
    const since = this.#context.now() - PAID_BEFORE_MILLIS;
    const recent = this.#views.all.value.filter(({ createdAt, state }) => createdAt >= since && isPaid(state));
    return new Map(recent.map(({ uuid, order, amount }) => [paymentKey({ ...order, amount }), uuid]));
  }

  /** Stores all rows, each with its UUID. Resolves with the batch's ID, or `undefined` when that was not possible. */
  async create(name: string, orders: readonly PaymentOrder[]): Promise<string | undefined> {
    const debtor = this.#context.records.debtor.value;
    if (debtor === undefined || orders.length === 0 || orders.some(({ amount }) => amount === 0n)) return undefined;
    const id = crypto.randomUUID();
    const payments = orders.map((order) => this.#drafts.newDraft(order, { origin: "batch", batchId: id }));
    const uuids = payments.map(({ uuid }) => uuid);
    const batch: BatchRecord = {
      debtor,
      id,
      name,
      createdAt: this.#context.now(),
      uuids,
      status: "stopped",
      stopReason: undefined,
    };
    const writes = payments.map((record) => ({ table: "payments", record }) as const);
    return (await this.#context.records.put({ table: "batches", record: batch }, ...writes)) ? id : undefined;
  }

  /** Sends what is left of a batch. */
  async run(id: string): Promise<Outcome> {
    const { records, parts } = this.#context;
    const debtor = records.debtor.value;
    if (debtor === undefined) return "needs-sign-in";
    const outcome = await withLock(parts.locks, `batch ${debtor} ${id}`, async (): Promise<Outcome> => {
      const batch = await this.#setStatus(debtor, id, "running", undefined);
      if (batch === undefined) return "changed";
      if (batch === "not-stored") return "not-stored";
      this.#markRunning(id, true);
      try {
        return await this.#sendRows(batch);
      } finally {
        this.#markRunning(id, false);
      }
    });
    return outcome ?? "elsewhere";
  }

  /** Stops a batch, whichever tab runs it. */
  async stop(id: string): Promise<void> {
    const debtor = this.#context.records.debtor.value;
    if (debtor !== undefined) await this.#setStatus(debtor, id, "stopped", "user");
  }

  /** Continues batches that were running when their tab was closed or the network failed. */
  resume(): void {
    for (const { id, status } of this.#context.records.rows("batches").value.values()) {
      if (status === "running") this.#context.inBackground(() => this.run(id));
    }
  }

  /** The outcome of each row, as CSV. */
  result(id: string, scale: Scale): string {
    const header = ["recipient", "amount", "name", "reference", "description", "state", "transferUuid"];
    const uuids = this.#context.records.rows("batches").value.get(id)?.uuids ?? [];
    const payments = uuids.map((uuid) => this.#views.get(uuid)).filter((payment) => payment !== undefined);
    const rows = payments.map(({ order, amount, state, uuid }) => [
      { plain: order.accountUri },
      { plain: (isInUnits(scale) ? exactUnits(amount, scale) : undefined) ?? showAmount(amount, scale).text },
      order.name,
      order.reference,
      order.reason,
      { plain: state },
      { plain: uuid },
    ]);
    return writeCsv([header, ...rows]);
  }

  async #sendRows({ debtor, id, uuids }: BatchRecord): Promise<Outcome> {
    let end: Step | undefined;
    const rows = uuids.values();
    const worker = async (): Promise<void> => {
      for (let row = rows.next(); !row.done && end === undefined; row = rows.next()) {
        if (!(await this.#isWanted(id))) return;
        const step = await this.#sendRow(id, row.value);
        if (step !== "next") end ??= step;
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_MAX }, worker));
    if (end === "pause") return "no-connection";
    if (end !== undefined && end !== "next") {
      await this.#setStatus(debtor, id, "stopped", end.stop);
      return "refused";
    }
    const batch = await this.#context.records.read("batches", id);
    if (batch?.status !== "running") return "done";
    // The rows that are left cannot be sent as they are.
    const isFinished = uuids.every((uuid) => !this.#isLeft(uuid));
    await this.#setStatus(debtor, id, isFinished ? "finished" : "stopped", undefined);
    return "done";
  }

  /** Another tab may have stopped it. */
  async #isWanted(id: string): Promise<boolean> {
    return (await this.#context.records.read("batches", id))?.status === "running";
  }

  get #isAccountReady(): boolean {
    const { debtor } = this.#context;
    return debtor !== undefined && debtor.noteMaxBytes > 0 && debtor.accountUri !== undefined;
  }

  #isLeft(uuid: string): boolean {
    const payment = this.#context.records.rows("payments").value.get(uuid);
    return (
      payment !== undefined &&
      ["draft", "not-sent", "not-confirmed"].includes(paymentState(payment, this.#context.now()))
    );
  }

  async #sendRow(id: string, uuid: string): Promise<Step> {
    for (let tries = 0; this.#isLeft(uuid); tries++) {
      const { outcome, retryAfterMillis, status } = await this.#sender.sendOnce(uuid);
      if (status === 403) return { stop: "limit" };
      if (status === 404) return { stop: "inactive" };
      // The other rows would fail for the same reason.
      if (outcome === "needs-sign-in" || outcome === "not-stored" || !this.#isAccountReady) return "pause";
      if (outcome !== "no-connection") return "next";
      const pause = REPETITION_PAUSES[tries];
      if (pause === undefined && retryAfterMillis === undefined) return "pause";
      if (!(await this.#waitUnlessStopped(id, uuid, retryAfterMillis ?? pause!))) return "next";
    }
    return "next";
  }

  /** `false` when the batch was stopped meanwhile, unless the server may have the row already. */
  async #waitUnlessStopped(id: string, uuid: string, millis: number): Promise<boolean> {
    for (let left = millis; left > 0; left -= STOP_MILLIS) {
      await this.#context.wait(Math.min(left, STOP_MILLIS));
      const isOpen = this.#context.records.rows("payments").value.get(uuid)?.isTryOpen === true;
      if (!isOpen && !(await this.#isWanted(id))) return false;
    }
    return true;
  }

  #markRunning(id: string, isRunning: boolean): void {
    const running = new Set(this.#runningHere.value);
    if (isRunning) running.add(id);
    else running.delete(id);
    this.#runningHere.value = running;
  }

  #setStatus(debtor: string, id: string, status: BatchRecord["status"], stopReason: BatchRecord["stopReason"]) {
    return this.#context.records.change("batches", [debtor, id], (batch) =>
      batch === undefined || (batch.status === "finished" && status !== "finished")
        ? undefined
        : { ...batch, status, stopReason },
    );
  }
}
