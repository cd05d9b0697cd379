/**
 * What the screens know of the model: records, observable state (signals) and actions. Everything is exact: amounts are
 * `bigint` tokens, moments of this device are milliseconds (`Date.now()`), moments of the server are its ISO 8601 text.
 * Spec: issuer-webapp.
 */
import type { ReadonlySignal } from "@preact/signals-core";
import type { Scale } from "../core/amounts.ts";
import type {
  AddressBookEntry,
  BalanceSample,
  ConfigVersion,
  DebtorRecord,
  JournalEntry,
  PaymentOrder,
  PaymentOrigin,
  TemplateRecord,
} from "../core/records.ts";
import type { StorageProblem } from "../store/database.ts";
import type { Restored, RestoreProblem } from "../store/restore.ts";
import type {
  ConfigDifference,
  ConfigStatus,
  Currency,
  CurrencyAgreements,
  CurrencyBase,
  CurrencyForm,
  DocumentProblem,
  OwnCoin,
  PegChoice,
  SaveCurrencyResult,
} from "./currency-types.ts";
import type { Outcome } from "./outcome.ts";
import type { Batch, BatchCheck, Payment, PaymentFilter, PaymentPreview } from "./payment-types.ts";

export type * from "../core/records.ts";
export type { StorageProblem } from "../store/database.ts";
export type * from "./currency-types.ts";
export type * from "./outcome.ts";
export type * from "./payment-types.ts";

/** The state of the client as a whole, which decides what it shows. */
export type Phase =
  /** The database is being opened, or nothing is stored and the first answer has not arrived. */
  | "starting"
  /** Nothing is stored and there is no token: the user must sign in. */
  | "signed-out"
  /** The entry point has answered 204 or 403: the account is not an issuer's. */
  | "not-an-issuer"
  /** The server says that the debtor is not active. Stored data stay readable. */
  | "inactive"
  | "ready"
  /** IndexedDB is full or forbidden: `storageProblem` says which. Nothing may be sent. */
  | "no-storage"
  /** Another tab runs a newer version of the client: reload. */
  | "outdated";

/** The connection to the server; a problem is shown once, and never in a dialog. */
export type Connection = "ok" | "no-connection" | "busy" | "needs-sign-in";

/** Events for notifications while the page is hidden. A payment ends when it is done, has failed, or is rejected. */
export type ModelEvent =
  | { readonly kind: "payment-ended"; readonly payment: Payment }
  | { readonly kind: "config-refused"; readonly configError: string };

/** Observable state. */
export interface ModelState {
  readonly phase: ReadonlySignal<Phase>;
  /** With the phase `not-an-issuer`: the server's reason, if it gives one. */
  readonly refusal: ReadonlySignal<string | undefined>;
  readonly connection: ReadonlySignal<Connection>;
  readonly storageProblem: ReadonlySignal<StorageProblem | undefined>;
  readonly isUpdating: ReadonlySignal<boolean>;
  readonly debtor: ReadonlySignal<DebtorRecord | undefined>;
  /** `noteMaxBytes` > 0 and there is an account. */
  readonly isAccountReady: ReadonlySignal<boolean>;
  readonly currency: ReadonlySignal<Currency | undefined>;
  /** Divisor 1, places 0 and unit `¤` without a coin info document. */
  readonly scale: ReadonlySignal<Scale>;
  readonly coin: ReadonlySignal<OwnCoin | undefined>;
  /** −balance. */
  readonly circulation: ReadonlySignal<bigint | undefined>;
  /** min(limit, −minBalance) + balance, at least 0. */
  readonly issuable: ReadonlySignal<bigint | undefined>;
  readonly configStatus: ReadonlySignal<ConfigStatus>;
  readonly configError: ReadonlySignal<string | undefined>;
  readonly configDifferences: ReadonlySignal<readonly ConfigDifference[]>;
  /** The peg's document says other display values now: wallets refuse the peg until the currency is saved anew. */
  readonly changedPeg: ReadonlySignal<Scale | undefined>;
  /** Newest first. */
  readonly payments: ReadonlySignal<readonly Payment[]>;
  readonly batches: ReadonlySignal<readonly Batch[]>;
  readonly addressBook: ReadonlySignal<readonly AddressBookEntry[]>;
  readonly templates: ReadonlySignal<readonly TemplateRecord[]>;
  readonly dueTemplates: ReadonlySignal<readonly TemplateRecord[]>;
  /** Newest first. */
  readonly journal: ReadonlySignal<readonly JournalEntry[]>;
  /** Oldest first. */
  readonly samples: ReadonlySignal<readonly BalanceSample[]>;
  readonly configVersions: ReadonlySignal<readonly ConfigVersion[]>;
  /** Actions of the last 30 days that are known here, and the limit. */
  readonly actions: ReadonlySignal<{ readonly used: number; readonly max: number; readonly isNearLimit: boolean }>;
  /** Payments that the server still has and that may be deleted there now. */
  readonly deletable: ReadonlySignal<readonly Payment[]>;
  /** Undeleted transfers at the server, as far as known. */
  readonly undeletedCount: ReadonlySignal<number>;
  readonly isDeletionOn: ReadonlySignal<boolean>;
  /** The old client's database is still on this device. */
  readonly hasOldDatabase: ReadonlySignal<boolean>;
  /** Whether the browser promised not to evict the data. */
  readonly isStoragePersistent: ReadonlySignal<boolean | undefined>;
}

/** The actions of the screens. None throws because of anything that can happen in use; the result says how it ended. */
export interface Model extends ModelState {
  /** Opens the database, takes over the old client's, shows what is stored, and updates when there is a token. */
  start(): Promise<void>;
  /** Stops timers and closes the database at once; resolves when everything in progress has ended. */
  close(): Promise<void>;
  /** Call after signing in; continues where it stopped. */
  signedIn(): Promise<void>;
  /** Call after signing out. `forget` deletes what this device has stored of this debtor. */
  signedOut(options: { readonly forget: boolean }): Promise<void>;
  /** Makes a full update now. */
  update(): Promise<Outcome>;
  /** Call when the page becomes visible or hidden, and when the network is back. */
  visibilityChanged(isVisible: boolean): void;
  networkIsBack(): void;
  onEvent(listener: (event: ModelEvent) => void): () => void;

  payment(uuid: string): ReadonlySignal<Payment | undefined>;
  search(filter: PaymentFilter): readonly Payment[];
  /** Stores a draft and returns its UUID; `undefined` when it could not be stored. */
  createDraft(
    order: PaymentOrder,
    options?: { origin?: PaymentOrigin; templateId?: string },
  ): Promise<string | undefined>;
  editDraft(
    uuid: string,
    change: { readonly order?: PaymentOrder; readonly chosenAmount?: bigint },
    revision: number,
  ): Promise<Outcome>;
  preview(uuid: string): PaymentPreview | undefined;
  /**
   * The one confirmation of a payment. `revision`: of the draft as the user has seen it. Resolves when the POST was answered
   * or given up for the moment.
   */
  send(uuid: string, revision?: number): Promise<Outcome>;
  discard(uuid: string): Promise<Outcome>;
  cancel(uuid: string): Promise<Outcome>;
  /** Reads the payment from the server now. */
  look(uuid: string): Promise<Outcome>;
  dismiss(uuid: string): Promise<Outcome>;
  acknowledge(uuid: string): Promise<Outcome>;
  /** A new draft with the same order and a new UUID. */
  retry(uuid: string): Promise<string | undefined>;
  /** Deletes at the server those of them that may go; the history keeps them. Returns how many were deleted. */
  deleteAtServer(uuids: readonly string[]): Promise<number>;
  setDeletion(on: boolean): Promise<void>;

  /** `base`: of the currency that the form was opened with; without it, of the present one. */
  saveCurrency(form: CurrencyForm, agreements?: CurrencyAgreements, base?: CurrencyBase): Promise<SaveCurrencyResult>;
  /** Undoes what another client changed. */
  putBack(fields: readonly string[]): Promise<SaveCurrencyResult>;
  /** Accepts what another client changed. */
  acceptDifferences(): Promise<void>;
  /** Reads the document of a peg's coin. */
  readPeg(coinText: string): Promise<
    | { readonly peg: PegChoice; readonly debtorName: string }
    | {
        readonly problem:
          | "not-a-coin"
          | "payment-request"
          | "own-coin"
          | "mismatch"
          | "not-canonical"
          | DocumentProblem;
      }
  >;

  checkBatch(file: Uint8Array | string): BatchCheck;
  /** Stores all rows with their UUIDs; `undefined` when that was not possible. Returns the batch's ID. */
  createBatch(name: string, orders: readonly PaymentOrder[]): Promise<string | undefined>;
  runBatch(id: string): Promise<Outcome>;
  stopBatch(id: string): Promise<void>;
  /** The outcome of each row, as CSV. */
  batchResult(id: string): string;

  putAddress(entry: { readonly id?: string; readonly accountUri: string; readonly name: string }): Promise<Outcome>;
  removeAddress(id: string): Promise<void>;
  putTemplate(
    template: Omit<TemplateRecord, "debtor" | "id" | "updatedAt"> & { readonly id?: string },
  ): Promise<Outcome>;
  removeTemplate(id: string): Promise<void>;
  draftFromTemplate(id: string): Promise<string | undefined>;

  /** *Destroy money*: the `PR0` with our account and no amount; `undefined` without an account. */
  destroyMoneyRequest(): string | undefined;
  /** These payments as CSV. */
  historyCsv(payments: readonly Payment[]): string;
  backup(): Promise<string>;
  /** Merges by UUID. Returns a problem when it is not a backup of this debtor. */
  restore(text: string): Promise<Restored | { readonly problem: RestoreProblem | StorageProblem }>;
  /** Payments that exist only on this device; the user is told before they are deleted. */
  onlyHere(): readonly Payment[];
  removeOldDatabase(): Promise<void>;
}
