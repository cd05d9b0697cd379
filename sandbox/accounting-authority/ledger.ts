/** The records that a step works on, in memory. After the step they are compared with what was loaded. */
import type { Account, PreparedTransferRecord } from "./records.ts";

/** The key of an account. */
export interface AccountKey {
  readonly debtorId: bigint;
  readonly creditorId: bigint;
}

/** The key of a prepared transfer. */
export interface PreparedTransferKey {
  readonly debtorId: bigint;
  readonly transferId: bigint;
}

/** What a step has changed, for the store. */
export interface LedgerChanges {
  readonly savedAccounts: readonly Account[];
  readonly removedAccounts: readonly AccountKey[];
  readonly savedTransfers: readonly PreparedTransferRecord[];
  readonly removedTransfers: readonly PreparedTransferKey[];
}

/** Accounts and prepared transfers. A record is replaced, never changed in place. */
export class Ledger {
  readonly #accounts: TrackedRecords<Account>;
  readonly #transfers: TrackedRecords<PreparedTransferRecord>;

  constructor(accounts: readonly Account[] = [], transfers: readonly PreparedTransferRecord[] = []) {
    this.#accounts = new TrackedRecords(accounts, (a: AccountKey) => `${a.debtorId}/${a.creditorId}`);
    this.#transfers = new TrackedRecords(transfers, (t: PreparedTransferKey) => `${t.debtorId}/${t.transferId}`);
  }

  findAccount(debtorId: bigint, creditorId: bigint): Account | undefined {
    return this.#accounts.find(`${debtorId}/${creditorId}`);
  }

  findTransfer(debtorId: bigint, transferId: bigint): PreparedTransferRecord | undefined {
    return this.#transfers.find(`${debtorId}/${transferId}`);
  }

  accounts(): Account[] {
    return this.#accounts.all();
  }

  transfers(): PreparedTransferRecord[] {
    return this.#transfers.all();
  }

  saveAccount(account: Account): void {
    this.#accounts.save(account);
  }

  saveTransfer(transfer: PreparedTransferRecord): void {
    this.#transfers.save(transfer);
  }

  removeAccount(account: Account): void {
    this.#accounts.remove(account);
  }

  removeTransfer(transfer: PreparedTransferRecord): void {
    this.#transfers.remove(transfer);
  }

  changes(): LedgerChanges {
    return {
      savedAccounts: this.#accounts.saved(),
      removedAccounts: this.#accounts.removed(),
      savedTransfers: this.#transfers.saved(),
      removedTransfers: this.#transfers.removed(),
    };
  }

  /**
   * Throws when the step has created or lost money: in each currency the principals of all accounts, the root account's
   * negative one included, add up to zero. So a step may move amounts, and the sum over what it touched stays.
   */
  assertMoneyIsConserved(): void {
    const sums = new Map<bigint, bigint>();
    const add = (debtorId: bigint, amount: bigint) => sums.set(debtorId, (sums.get(debtorId) ?? 0n) + amount);
    for (const account of this.#accounts.loaded()) add(account.debtorId, -account.principal);
    for (const account of this.#accounts.all()) add(account.debtorId, account.principal);
    for (const [debtorId, sum] of sums) {
      if (sum !== 0n) throw new Error(`The step would have made ${sum} out of nothing in the currency ${debtorId}`);
    }
  }
}

/** Records by key: what was loaded, and the state after the step. */
class TrackedRecords<Item extends object> {
  readonly #keyOf: (item: Item) => string;
  readonly #loaded: ReadonlyMap<string, Item>;
  readonly #current: Map<string, Item>;

  constructor(items: readonly Item[], keyOf: (item: Item) => string) {
    this.#keyOf = keyOf;
    this.#loaded = new Map(items.map((item) => [keyOf(item), item]));
    this.#current = new Map(this.#loaded);
  }

  find = (key: string): Item | undefined => this.#current.get(key);
  all = (): Item[] => [...this.#current.values()];
  loaded = (): Item[] => [...this.#loaded.values()];
  save = (item: Item): void => void this.#current.set(this.#keyOf(item), item);
  remove = (item: Item): void => void this.#current.delete(this.#keyOf(item));
  saved = (): Item[] =>
    [...this.#current].filter(([key, item]) => this.#loaded.get(key) !== item).map(([, item]) => item);
  removed = (): Item[] => [...this.#loaded].filter(([key]) => !this.#current.has(key)).map(([, item]) => item);
}
