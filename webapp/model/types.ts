/**
 * What the screens know of the model: records, observable state (signals) and actions. Everything is exact: amounts are
 * `bigint` tokens, moments of this device are milliseconds (`Date.now()`), moments of the server are its ISO 8601 text.
 * Spec: issuer-webapp.
 */
import type { ReadonlySignal } from "@preact/signals-core";
import type { CoinWarning } from "../core/coin.ts";
import type { CoinInfo, DisplayInfo } from "../core/coin-info.ts";
import type { PaymentAction, PaymentState } from "../core/payment-state.ts";
import type {
  AddressBookEntry,
  BalanceSample,
  BatchRecord,
  ConfigVersion,
  DebtorRecord,
  JournalEntry,
  PaymentOrder,
  PaymentOrigin,
  PaymentRecord,
  TemplateRecord,
  TransferRequest,
} from "../core/records.ts";
import type { StorageProblem } from "../store/database.ts";
import type { Restored, RestoreProblem } from "../store/restore.ts";

export type * from "../core/records.ts";

/** How the client is doing as a whole; decides between the first screens. */
export type Phase =
  /** The database is being opened, or the first answer is awaited and nothing is stored. */
  | "starting"
  /** There is no token and nothing stored: sign in. */
  | "signed-out"
  /** The entry point answered 204 or 403: this is not an issuer's account. */
  | "not-an-issuer"
  /** The server says that the debtor is not active. Stored data stay readable. */
  | "inactive"
  | "ready"
  /** IndexedDB is full or forbidden: `storageProblem` says which. Nothing may be sent. */
  | "no-storage"
  /** Another tab runs a newer version of the client: reload. */
  | "outdated";

/** Why the connection is not in order; shown once, never as a dialog. */
export type Connection = "ok" | "no-connection" | "needs-sign-in";

export type { StorageProblem } from "../store/database.ts";

/** A payment with what the time makes of it. Changes by itself when a deadline passes. */
export interface Payment extends PaymentRecord {
  readonly state: PaymentState;
  /** What the screens offer, in order of importance. */
  readonly offered: readonly PaymentAction[];
  /** Tokens that are or would be paid: the transfer's, the request's, the order's, or the chosen amount. */
  readonly amount: bigint;
}

/** What is known before a payment is confirmed. */
export interface PaymentPreview {
  readonly payment: Payment;
  /** As it would be sent; absent when `problems` is not empty. */
  readonly request: TransferRequest | undefined;
  /** What stands in the way. */
  readonly problems: readonly PaymentProblem[];
  /** What the user should read before confirming. */
  readonly remarks: readonly PaymentRemark[];
}

export type PaymentProblem =
  | { readonly kind: "account-not-ready" }
  | { readonly kind: "no-amount" }
  | { readonly kind: "reference-too-long"; readonly bytesMax: number }
  | { readonly kind: "foreign-account" };

export type PaymentRemark =
  | { readonly kind: "reason-cut"; readonly kept: string }
  | { readonly kind: "reason-dropped" }
  | { readonly kind: "name-dropped" }
  | { readonly kind: "deadline-passed"; readonly deadline: string }
  /** The account is in the address book under another name. */
  | { readonly kind: "known-as"; readonly name: string }
  /** The name is in the address book with another account. */
  | { readonly kind: "name-has-other-account"; readonly accountUri: string }
  | { readonly kind: "first-payment-to-account" }
  /** Same recipient, amount and reference in the last 90 days. */
  | { readonly kind: "paid-before"; readonly uuid: string; readonly at: number }
  /** More than can still be issued. */
  | { readonly kind: "over-limit"; readonly issuable: bigint }
  | { readonly kind: "few-actions-left"; readonly left: number };

/** The outcome of an action that may be turned down without anything lost. */
export type Outcome =
  | "done"
  /** Another tab is doing it. */
  | "elsewhere"
  /** The record has another revision by now, or is gone: look again. */
  | "changed"
  /** Its state does not allow it. */
  | "not-offered"
  /** It could not be stored, so it was not sent. */
  | "not-stored"
  | "no-connection"
  | "needs-sign-in"
  | "inactive"
  | "refused";

/** The currency as configured: root configuration data with the coin info document that it names. */
export interface Currency {
  /** `empty`: not configured; `foreign`: any other text, replaced only with `replaceForeign`. */
  readonly kind: "empty" | "ours" | "foreign";
  readonly rate: number;
  /** Tokens; `undefined` = no limit. */
  readonly limit: bigint | undefined;
  readonly unknownMembers: readonly string[];
  readonly info: CurrencyInfo;
  /** Keep it while a form is open, and hand it back with the form: it tells what the user changed. */
  readonly base: CurrencyBase;
}

/** The texts that a form of the currency was opened with. */
export interface CurrencyBase {
  readonly configData: string;
  /** Of the coin info document; absent when there is none, or none that can be read. */
  readonly documentText: string | undefined;
}

/** The coin info document in use, or why there is none. */
export type CurrencyInfo =
  | { readonly status: "none" }
  | { readonly status: "loading" }
  | { readonly status: "unreadable"; readonly reason: DocumentProblem }
  | { readonly status: "read"; readonly document: CoinInfoView; readonly text: string };

/**
 * `fetch`: cannot be read (network, CORS, status); `hash`: bytes or form of `sha256`; `format`: not a coin info document;
 * `identity`: of another debtor; `too-large`; `content-type`.
 */
export type DocumentProblem = "fetch" | "hash" | "format" | "identity" | "too-large" | "content-type";

/** The coin info document as it is read, with the parts of a peg. */
export type CoinInfoView = CoinInfo;
export type PegDisplay = DisplayInfo;

/** What the form of the currency holds. Only what differs from the present is sent. */
export interface CurrencyForm {
  readonly rate: number;
  readonly limit: bigint | undefined;
  readonly debtorName: string;
  readonly unit: string;
  readonly amountDivisor: string;
  readonly decimalPlaces: number;
  readonly summary: string;
  readonly homepage: string;
  /** Units of the peg that one own unit is worth, as decimal text, with the coin it was read from. */
  readonly peg: PegChoice | undefined;
}

/** A peg: read from a coin just now, or kept as it is. */
export interface PegChoice {
  /** Decimal text: what one own unit is worth in units of the peg; `undefined` keeps the stored rate. */
  readonly worth: string | undefined;
  readonly debtorIdentityUri: string;
  readonly latestDebtorInfoUri: string;
  readonly display: PegDisplay;
}

/** Answers to the questions that `saveCurrency` asks. Each is `true` once the user has agreed. */
export interface CurrencyAgreements {
  /** `configData` is foreign text. */
  readonly replaceForeign?: boolean | undefined;
  /** `willNotChangeUntil` is in the future. */
  readonly breakPromise?: boolean | undefined;
  /** The document in use has another version or cannot be read. */
  readonly replaceDocument?: boolean | undefined;
  /** Name, unit, divisor or places of a currency in use change. */
  readonly changeInUse?: boolean | undefined;
  readonly noPeg?: boolean | undefined;
  /** Fields that another client changed meanwhile and that are overwritten all the same. */
  readonly overwrite?: readonly string[] | undefined;
}

export type CurrencyQuestion =
  | { readonly kind: "replace-foreign" }
  | { readonly kind: "break-promise"; readonly until: string }
  | { readonly kind: "replace-document" }
  | { readonly kind: "change-in-use"; readonly fields: readonly string[] }
  | { readonly kind: "no-peg" };

/** A field that two clients changed. Values as JSON text; `undefined` = absent. */
export interface FieldConflict {
  readonly field: string;
  readonly before: string | undefined;
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

export type SaveCurrencyResult =
  | { readonly outcome: "saved"; readonly change: "none" | "accepted" | "sent" }
  | { readonly outcome: "ask"; readonly questions: readonly CurrencyQuestion[] }
  | { readonly outcome: "conflict"; readonly conflicts: readonly FieldConflict[] }
  | { readonly outcome: "invalid"; readonly fields: Readonly<Record<string, string>> }
  /** 403: this month's actions or this year's documents are used up. */
  | { readonly outcome: "used-up"; readonly what: "actions" | "documents" }
  | { readonly outcome: Exclude<Outcome, "done"> };

/** Whether what was saved holds: `sent` → `in-effect`; `accepted` when the document did not change. */
export type ConfigStatus = "none" | "sent" | "unseen" | "accepted" | "in-effect" | "refused";

/** A member that differs from what this client saw last and that this client did not change. */
export interface ConfigDifference {
  readonly field: string;
  readonly before: string | undefined;
  readonly now: string | undefined;
}

/** Own coin. Spec: issuer-webapp, "Coin". */
export interface OwnCoin {
  readonly text: string;
  readonly warnings: readonly CoinWarning[];
}

export interface BatchRow {
  /** 1 = the first after the header. */
  readonly row: number;
  readonly order: PaymentOrder | undefined;
  readonly problems: readonly { readonly field: string; readonly reason: string }[];
  /** The row that this one repeats, or a payment of the last 90 days. */
  readonly repeats: { readonly row?: number | undefined; readonly paymentUuid?: string | undefined } | undefined;
}

export interface BatchCheck {
  readonly rows: readonly BatchRow[];
  readonly total: bigint;
  /** A problem of the file as a whole: then there are no rows. */
  readonly problem: string | undefined;
  /** Actions left this month as far as known. */
  readonly actionsLeft: number;
}

/** A batch with its progress. */
export interface Batch extends BatchRecord {
  readonly total: number;
  readonly sent: number;
  readonly done: number;
  readonly failed: number;
  /** Whether some tab is at it now (this one, as far as known here). */
  readonly isRunningHere: boolean;
}

/** What the client tells while the page is hidden, and the badge. */
export type ModelEvent =
  | { readonly kind: "payment-ended"; readonly payment: Payment }
  | { readonly kind: "config-refused"; readonly configError: string };

/** Filter of the history. All members have to match. */
export interface PaymentFilter {
  /** Searched in name, reference, text, UUID, account and amount. */
  readonly text?: string | undefined;
  readonly states?: readonly PaymentState[] | undefined;
  readonly origins?: readonly PaymentOrigin[] | undefined;
  /** Milliseconds, inclusive and exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

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
  readonly scale: ReadonlySignal<PegDisplay>;
  readonly coin: ReadonlySignal<OwnCoin | undefined>;
  /** −balance. */
  readonly circulation: ReadonlySignal<bigint | undefined>;
  /** min(limit, −minBalance) + balance, at least 0. */
  readonly issuable: ReadonlySignal<bigint | undefined>;
  readonly configStatus: ReadonlySignal<ConfigStatus>;
  readonly configError: ReadonlySignal<string | undefined>;
  readonly configDifferences: ReadonlySignal<readonly ConfigDifference[]>;
  /** The peg's document says other display values now: wallets refuse the peg until the currency is saved anew. */
  readonly changedPeg: ReadonlySignal<PegDisplay | undefined>;
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

/** What the screens may do. No action throws for what can happen in use; what it answers says how it went. */
export interface Model extends ModelState {
  /** Opens the database, takes over the old client's, shows what is stored, and updates when there is a token. */
  start(): Promise<void>;
  /** Stops timers and closes the database at once; resolves when what was under way has ended. */
  close(): Promise<void>;
  /** Call after signing in: goes on where it stopped. */
  signedIn(): Promise<void>;
  /** Call after signing out. `forget` deletes what this device has stored of this debtor. */
  signedOut(options: { readonly forget: boolean }): Promise<void>;
  /** A full update now (*reload*). */
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
  /** Reads it at the server now. */
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
  /** Puts back what another client changed. */
  putBack(fields: readonly string[]): Promise<SaveCurrencyResult>;
  /** Leaves it as the other client made it. */
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
  /** What came of it, as CSV. */
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
  /** The history as CSV: exactly these rows. */
  historyCsv(payments: readonly Payment[]): string;
  backup(): Promise<string>;
  /** Merges by UUID. Returns a problem when it is not a backup of this debtor. */
  restore(text: string): Promise<Restored | { readonly problem: RestoreProblem | StorageProblem }>;
  /** Payments that exist only on this device: to be named before it forgets. */
  onlyHere(): readonly Payment[];
  removeOldDatabase(): Promise<void>;
}
