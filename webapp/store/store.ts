/** What this device has stored: reads and writes of whole records, by debtor. All throw a StorageError. */
import {
  type Database,
  type Key,
  keyOf,
  type OutdatedListener,
  openDatabase,
  reporting,
  TABLES,
  type Table,
  type Tables,
} from "./database.ts";

/** A record to be stored, with its table. */
export type Write = { readonly [T in Table]: { readonly table: T; readonly record: Tables[T] } }[Table];

/** All records that this device has stored. */
export class Store {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Opens the database; `onOutdated` is called when a newer client in another tab needs it. */
  static async open(onOutdated: OutdatedListener): Promise<Store> {
    return new Store(await openDatabase(onOutdated));
  }

  close(): void {
    this.#db.close();
  }

  /** All records of a debtor, in the order of their keys. */
  all<T extends Table>(table: T, debtor: string): Promise<Tables[T][]> {
    return reporting(() => this.#db.getAll(table, recordsOf(debtor)));
  }

  get<T extends Table>(table: T, ...key: Key): Promise<Tables[T] | undefined> {
    return reporting(() => this.#db.get(table, [...key]));
  }

  /** Stores records, all of them or none. */
  put(...writes: readonly Write[]): Promise<void> {
    return reporting(async () => {
      const tables = [...new Set(writes.map(({ table }) => table))];
      if (tables.length === 0) return;
      const transaction = this.#db.transaction(tables, "readwrite", { durability: "strict" });
      try {
        for (const write of writes) {
          // What goes wrong with one aborts the transaction, which says so.
          transaction
            .objectStore(write.table)
            .put(write.record, [...keyOfWrite(write)])
            .catch(() => {});
        }
      } catch (error) {
        // Without this what has been put before would be stored alone.
        transaction.done.catch(() => {});
        transaction.abort();
        throw error;
      }
      await transaction.done;
    });
  }

  /**
   * Reads a record and stores what `change` makes of it, in one transaction: no other tab comes between. `change` returns
   * `undefined` to leave it as it is. Resolves with what is stored afterwards.
   */
  async change<T extends Table>(
    table: T,
    [debtor, id]: Key,
    change: (record: Tables[T] | undefined) => Tables[T] | undefined,
  ): Promise<Tables[T] | undefined> {
    const [after] = await this.changeAll(table, debtor, [id], (record) => change(record));
    return after;
  }

  /** The same for many records of a debtor, all of them or none. */
  changeAll<T extends Table>(
    table: T,
    debtor: string,
    ids: readonly Key[1][],
    change: (record: Tables[T] | undefined, id: Key[1]) => Tables[T] | undefined,
  ): Promise<(Tables[T] | undefined)[]> {
    return reporting(async () => {
      const transaction = this.#db.transaction(table, "readwrite", { durability: "strict" });
      // What goes wrong with one request aborts the transaction; the request says it first.
      transaction.done.catch(() => {});
      const results = await Promise.all(
        ids.map(async (id) => {
          const before = (await transaction.store.get([debtor, id])) as Tables[T] | undefined;
          const after = change(before, id);
          if (after !== undefined && after !== before) await transaction.store.put(after, [debtor, id]);
          return after ?? before;
        }),
      );
      await transaction.done;
      return results;
    });
  }

  remove(table: Table, keys: readonly Key[]): Promise<void> {
    return reporting(async () => {
      const transaction = this.#db.transaction(table, "readwrite");
      await Promise.all([...keys.map((key) => transaction.store.delete([...key])), transaction.done]);
    });
  }

  /** Removes everything of a debtor. */
  forget(debtor: string): Promise<void> {
    return reporting(async () => {
      const transaction = this.#db.transaction(TABLES, "readwrite");
      const deletions = TABLES.map((table) => transaction.objectStore(table).delete(recordsOf(debtor)));
      await Promise.all([...deletions, transaction.done]);
    });
  }

  /** A setting of this device. */
  setting(name: string): Promise<unknown> {
    return reporting(() => this.#db.get("settings", name));
  }

  putSetting(name: string, value: unknown): Promise<void> {
    return reporting(async () => void (await this.#db.put("settings", value, name)));
  }

  /** Removes all settings of this device, or the one that is named. */
  removeSettings(name?: string): Promise<void> {
    return reporting(() => (name === undefined ? this.#db.clear("settings") : this.#db.delete("settings", name)));
  }
}

// An array is above every string and number, and so above every ID.
const recordsOf = (debtor: string): IDBKeyRange => IDBKeyRange.bound([debtor], [debtor, []]);

function keyOfWrite<T extends Table>({ table, record }: { readonly table: T; readonly record: Tables[T] }): Key {
  return keyOf[table](record);
}
