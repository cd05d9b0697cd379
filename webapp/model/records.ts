/**
 * The records of one debtor as signals, kept the same as the database and in all tabs. All changes go through here: stored
 * first, shown afterwards, then announced to the other tabs.
 */
import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import { type Key, keyOf, StorageError, TABLES, type Table, type Tables } from "../store/database.ts";
import type { Store, Write } from "../store/store.ts";
import type { Channel } from "./parts.ts";
import type { PaymentRecord, StorageProblem } from "./types.ts";

/** Records by what tells them from others of the debtor. */
type Rows<T extends Table> = ReadonlyMap<string | number, Tables[T]>;

type RowsOfAll = { readonly [T in Table]: Signal<Rows<T>> };

/** What a tab tells the others. */
type Message =
  | { readonly kind: "changed"; readonly debtor: string; readonly keys: readonly (readonly [Table, string | number])[] }
  | { readonly kind: "replaced" | "forgotten"; readonly debtor: string }
  | { readonly kind: "sending"; readonly uuid: string; readonly isSending: boolean };

/** So many records of a table are read again one by one; of more the whole table is. */
const CHANGES_READ_MAX = 50;

export class Records {
  /** `swpt:<u64>`; `undefined` before a debtor is known. */
  readonly debtor: ReadonlySignal<string | undefined>;
  readonly storageProblem: ReadonlySignal<StorageProblem | undefined>;
  /** UUIDs of payments that some tab is sending now. */
  readonly sending: ReadonlySignal<ReadonlySet<string>>;
  /** Called when another tab has started to send a payment. */
  onSendingElsewhere: (uuid: string) => void = () => {};
  readonly #debtor = signal<string | undefined>(undefined);
  readonly #storageProblem = signal<StorageProblem | undefined>(undefined);
  readonly #sending = signal<ReadonlySet<string>>(new Set());
  readonly #rows = Object.fromEntries(TABLES.map((table) => [table, signal(new Map())])) as unknown as RowsOfAll;
  #opened: Store | undefined;
  #isClosed = false;
  readonly #channel: Channel;
  readonly #report: (error: unknown) => void;

  constructor(channel: Channel, report: (error: unknown) => void) {
    this.#channel = channel;
    this.#report = report;
    this.debtor = this.#debtor;
    this.storageProblem = this.#storageProblem;
    this.sending = this.#sending;
    channel.onmessage = ({ data }) => void this.#receive(data as Message).catch(report);
  }

  /** Opens the database. `false` when it cannot be used: `storageProblem` says why. */
  open(openStore: () => Promise<Store>): Promise<boolean> {
    return this.storing(async () => {
      this.#opened = await openStore();
      return true;
    }, false);
  }

  close(): void {
    this.#isClosed = true;
    this.#channel.close();
    this.#opened?.close();
  }

  /** The database itself, for what is not about one debtor's records. */
  get store(): Store {
    if (this.#opened === undefined) throw new StorageError("forbidden");
    return this.#opened;
  }

  /** The records of a table. */
  rows<T extends Table>(table: T): ReadonlySignal<Rows<T>> {
    return this.#rows[table] as unknown as ReadonlySignal<Rows<T>>;
  }

  /** Shows the records of a debtor, and none of the debtor before. */
  async load(debtor: string): Promise<void> {
    const loaded = await Promise.all(TABLES.map((table) => this.store.all(table, debtor)));
    batch(() => {
      this.#debtor.value = debtor;
      for (const [index, table] of TABLES.entries()) this.#show(table, loaded[index]!);
    });
  }

  /** Shows what was stored of the debtor in another way than through here, in all tabs. */
  async reload(debtor: string): Promise<void> {
    await this.load(debtor);
    this.#tell({ kind: "replaced", debtor });
  }

  /** Shows no debtor's records. */
  unload(): void {
    batch(() => {
      this.#debtor.value = undefined;
      for (const table of TABLES) this.#show(table, []);
    });
  }

  /** Stores records, all of them or none. `false` when that was not possible: then nothing may depend on them. */
  put(...writes: readonly Write[]): Promise<boolean> {
    return this.storing(async () => {
      await this.store.put(...writes);
      this.#apply(writes);
      this.#tellChanges(writes);
      return true;
    }, false);
  }

  /**
   * Changes a record in one transaction, safe against other tabs. `change` returns `undefined` to leave it as it is.
   * Resolves with what is stored afterwards; with `"not-stored"` when that was not possible.
   */
  change<T extends Table>(
    table: T,
    key: Key,
    change: (record: Tables[T] | undefined) => Tables[T] | undefined,
  ): Promise<Tables[T] | undefined | "not-stored"> {
    const [debtor, id] = key;
    type Result = Tables[T] | undefined | "not-stored";
    return this.storing<Result>(async () => (await this.#changeAll(table, debtor, [id], change))[0], "not-stored");
  }

  async #changeAll<T extends Table>(
    table: T,
    debtor: string,
    ids: readonly Key[1][],
    change: (record: Tables[T] | undefined, id: Key[1]) => Tables[T] | undefined,
  ): Promise<(Tables[T] | undefined)[]> {
    const changed: (readonly [Table, Key[1]])[] = [];
    const results = await this.store.changeAll(table, debtor, ids, (before, id) => {
      const after = change(before, id);
      if (after !== undefined && after !== before) changed.push([table, id]);
      return after;
    });
    const present = results.filter((record) => record !== undefined);
    if (present.length > 0) this.#apply(present.map((record) => ({ table, record }) as unknown as Write));
    if (changed.length > 0) this.#tell({ kind: "changed", debtor, keys: changed });
    return results;
  }

  /** Changes a payment, of the debtor that is shown unless another one is named; counts its revision. */
  async changePayment(
    uuid: string,
    change: (payment: PaymentRecord | undefined) => PaymentRecord | undefined,
    debtor: string | undefined = this.#debtor.value,
  ): Promise<PaymentRecord | undefined | "not-stored"> {
    if (debtor === undefined) return undefined;
    return this.change("payments", [debtor, uuid], (before) => countRevision(before, change(before)));
  }

  /** Changes payments of a debtor, all of them or none: `"not-stored"`. */
  changePayments(
    debtor: string,
    uuids: readonly string[],
    change: (payment: PaymentRecord | undefined, uuid: string) => PaymentRecord | undefined,
  ): Promise<(PaymentRecord | undefined)[] | "not-stored"> {
    const counting = (before: PaymentRecord | undefined, uuid: Key[1]): PaymentRecord | undefined =>
      countRevision(before, change(before, uuid as string));
    type Result = (PaymentRecord | undefined)[] | "not-stored";
    return this.storing<Result>(() => this.#changeAll("payments", debtor, uuids, counting), "not-stored");
  }

  /** Removes records of the debtor that is shown. */
  async remove(table: Table, ids: readonly (string | number)[]): Promise<boolean> {
    const debtor = this.#debtor.value;
    if (debtor === undefined) return true;
    return this.storing(async () => {
      await this.store.remove(
        table,
        ids.map((id) => [debtor, id] as const),
      );
      this.#forgetRows(table, ids);
      this.#tell({ kind: "changed", debtor, keys: ids.map((id) => [table, id]) });
      return true;
    }, false);
  }

  /** Removes everything that this device has stored of the debtor. */
  async forget(): Promise<void> {
    const debtor = this.#debtor.value;
    if (debtor === undefined) return;
    await this.storing(() => this.store.forget(debtor), undefined);
    this.unload();
    this.#tell({ kind: "forgotten", debtor });
  }

  /** Reads a record from the database, not from memory. */
  async read<T extends Table>(table: T, id: string | number): Promise<Tables[T] | undefined> {
    const debtor = this.#debtor.value;
    if (debtor === undefined) return undefined;
    return this.storing<Tables[T] | undefined>(() => this.store.get(table, debtor, id), undefined);
  }

  /** Takes back what a tab has announced that was closed since. */
  endSending(uuid: string): void {
    this.#markSending(uuid, false);
  }

  /** Announces in all tabs that sending a payment has started or ended. */
  markSending(uuid: string, isSending: boolean): void {
    this.#markSending(uuid, isSending);
    this.#tell({ kind: "sending", uuid, isSending });
  }

  /** Does some work with the database. What it cannot store is reported, and `otherwise` is the result. */
  async storing<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      const result = await work();
      this.#storageProblem.value = undefined;
      return result;
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#storageProblem.value = error.problem;
      return otherwise;
    }
  }

  async #receive(message: Message): Promise<void> {
    if (message.kind === "sending") {
      this.#markSending(message.uuid, message.isSending);
      if (message.isSending) this.onSendingElsewhere(message.uuid);
      return;
    }
    if (message.debtor !== this.#debtor.value) return;
    if (message.kind === "replaced") return this.load(message.debtor);
    if (message.kind !== "changed") return this.unload();
    const tables = new Set(message.keys.map(([table]) => table));
    for (const table of tables) {
      await this.#readAgain(
        table,
        message.keys.filter(([name]) => name === table).map(([, id]) => id),
      );
    }
  }

  async #readAgain<T extends Table>(table: T, ids: readonly (string | number)[]): Promise<void> {
    const debtor = this.#debtor.value!;
    if (ids.length > CHANGES_READ_MAX) {
      const records = await this.store.all(table, debtor);
      if (debtor === this.#debtor.value) this.#show(table, records);
      return;
    }
    const records = await Promise.all(ids.map((id) => this.store.get(table, debtor, id)));
    if (debtor !== this.#debtor.value) return;
    this.#apply(
      records.filter((record) => record !== undefined).map((record) => ({ table, record }) as unknown as Write),
    );
    this.#forgetRows(
      table,
      ids.filter((_, index) => records[index] === undefined),
    );
  }

  #show<T extends Table>(table: T, records: readonly Tables[T][]): void {
    (this.#rows[table] as unknown as Signal<Rows<T>>).value = new Map(
      records.map((record) => [keyOf[table](record)[1], record]),
    );
  }

  #apply(writes: readonly Write[]): void {
    const mine = writes.filter(({ table, record }) => keyOf[table](record as never)[0] === this.#debtor.value);
    batch(() => {
      for (const table of new Set(mine.map((write) => write.table))) {
        const rows = new Map<string | number, unknown>(this.#rows[table].value);
        for (const write of mine.filter((other) => other.table === table)) {
          rows.set(keyOf[table](write.record as never)[1], write.record);
        }
        (this.#rows[table] as Signal<unknown>).value = rows;
      }
    });
  }

  #forgetRows(table: Table, ids: readonly (string | number)[]): void {
    if (ids.length === 0) return;
    const rows = new Map<string | number, unknown>(this.#rows[table].value);
    for (const id of ids) rows.delete(id);
    (this.#rows[table] as Signal<unknown>).value = rows;
  }

  #markSending(uuid: string, isSending: boolean): void {
    const sending = new Set(this.#sending.value);
    if (isSending) sending.add(uuid);
    else sending.delete(uuid);
    this.#sending.value = sending;
  }

  #tellChanges(writes: readonly Write[]): void {
    const debtor = keyOf[writes[0]!.table](writes[0]!.record as never)[0];
    this.#tell({
      kind: "changed",
      debtor,
      keys: writes.map(({ table, record }) => [table, keyOf[table](record as never)[1]] as const),
    });
  }

  #tell(message: Message): void {
    if (this.#isClosed) return;
    try {
      this.#channel.postMessage(message);
    } catch (error) {
      // The other tabs see the change when they read the database again.
      this.#report(error);
    }
  }
}

const countRevision = (
  before: PaymentRecord | undefined,
  after: PaymentRecord | undefined,
): PaymentRecord | undefined =>
  after === undefined || after === before ? undefined : { ...after, revision: (before?.revision ?? -1) + 1 };
