/** What all parts of the model share. */
import { signal } from "@preact/signals-core";
import type { Failure } from "../api/answer.ts";
import type { ModelParts } from "./parts.ts";
import type { Records } from "./records.ts";
import type { Connection, DebtorRecord, Outcome, PaymentRecord, Phase } from "./types.ts";

/** What parts of the model tell each other. */
export type ContextEvent =
  | { readonly kind: "payment-ended"; readonly uuid: string }
  /** The server has a payment of this client: it said so, or the list did. Once for each payment. */
  | { readonly kind: "payment-taken"; readonly payment: PaymentRecord }
  | { readonly kind: "config-refused"; readonly configError: string };

export class Context {
  readonly parts: ModelParts;
  readonly records: Records;
  readonly phase = signal<Phase>("starting");
  /** Why this is not an issuer's account, as the server says it. */
  readonly refusal = signal<string | undefined>(undefined);
  readonly connection = signal<Connection>("ok");
  readonly isVisible = signal(true);
  /** Counts the sign-outs. */
  session = 0;
  readonly #end = new AbortController();
  readonly #listeners = new Set<(event: ContextEvent) => void>();
  readonly #tasks = new Set<Promise<void>>();

  constructor(parts: ModelParts, records: Records) {
    this.parts = parts;
    this.records = records;
  }

  /** Aborted when the model is closed. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  now(): number {
    return this.parts.clock.now();
  }

  wait(millis: number): Promise<void> {
    return this.parts.clock.wait(millis, this.signal);
  }

  /** The debtor as it was last read. */
  get debtor(): DebtorRecord | undefined {
    return this.records.rows("debtors").value.get("");
  }

  /** Goes on with some work beside what asked for it, until the model is closed. */
  inBackground(work: () => Promise<unknown>): void {
    const task: Promise<void> = work()
      .then(
        () => {},
        (error: unknown) => {
          if (!this.signal.aborted) this.parts.report(error);
        },
      )
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  /** Ends all background work. */
  async end(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#tasks);
  }

  onEvent(listener: (event: ContextEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: ContextEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Writes down what was done here. */
  async log(action: string, outcome: string, subject: string): Promise<void> {
    const debtor = this.records.debtor.value;
    if (debtor === undefined) return;
    const record = { debtor, id: crypto.randomUUID(), at: this.now(), action, outcome, subject };
    await this.records.put({ table: "journal", record });
  }

  /** The node has answered. */
  connected(): void {
    this.connection.value = "ok";
  }

  /** Updates the state of the connection, and returns the outcome of the action. */
  failed(failure: Failure): Outcome {
    switch (failure.failure) {
      case "signed-out":
        this.connection.value = "needs-sign-in";
        return "needs-sign-in";
      case "unavailable":
      case "busy":
        this.connection.value = "busy";
        return "no-connection";
      case "unknown":
        this.connection.value = "no-connection";
        return "no-connection";
      default:
        this.connected();
        return "refused";
    }
  }
}

/** Does the work for each item, so many at a time. */
export async function forEachOf<T>(
  items: Iterable<T>,
  atATime: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}
