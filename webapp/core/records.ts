/**
 * What is stored and shown of a debtor: everything is exact. Moments of this device are milliseconds, moments of the server
 * are its ISO 8601 text.
 */
import type { Scale } from "./amounts.ts";
import type { PaymentRequest } from "./payment-request.ts";

/** The debtor as the server last told it. */
export interface DebtorRecord {
  /** `swpt:<u64>`. The key under which everything of this debtor is stored. */
  readonly identityUri: string;
  /** Absolute URLs. */
  readonly uri: string;
  readonly configUri: string;
  readonly transfersUri: string;
  readonly documentsUri: string;
  readonly publicInfoUri: string;
  readonly createdAt: string;
  readonly balance: bigint;
  readonly minBalance: bigint;
  readonly noteMaxBytes: number;
  readonly configError: string | undefined;
  /** Account URI; absent until the accounting authority has made the account. */
  readonly accountUri: string | undefined;
  readonly config: ConfigRecord;
  /** When it was read, milliseconds. */
  readonly readAt: number;
}

/** A configuration as the server has it. */
export interface ConfigRecord {
  readonly configData: string;
  readonly latestUpdateId: bigint;
  readonly latestUpdateAt: string;
}

/** What a person is asked to pay or decides to pay. */
export type PaymentOrder = PaymentRequest;

/** Where a payment came from. */
export type PaymentOrigin = "here" | "batch" | "template" | "old-client" | "elsewhere";

/** What is POSTed; stored before the first POST and never changed afterwards. */
export interface TransferRequest {
  readonly recipientUri: string;
  readonly amount: bigint;
  readonly noteFormat: string;
  readonly note: string;
}

/** The transfer as the server last told it. */
export interface TransferRecord extends TransferRequest {
  readonly initiatedAt: string;
  readonly checkupAt: string | undefined;
  readonly result: TransferResult | undefined;
}

/** How a transfer ended. */
export interface TransferResult {
  readonly finalizedAt: string;
  readonly committedAmount: bigint;
  readonly error: { readonly errorCode: string; readonly totalLockedAmount: bigint | undefined } | undefined;
}

/** Why the server refused for sure. */
export interface Refusal {
  readonly status: number;
  /** Of a 422: `recipient.uri` → messages. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
}

/** One payment from draft to history. The UUID is made with it and stands for one intent. */
export interface PaymentRecord {
  /** `swpt:<u64>` of the debtor. */
  readonly debtor: string;
  readonly uuid: string;
  readonly origin: PaymentOrigin;
  /** Milliseconds; for a transfer of another client its `initiatedAt`. Orders the history. */
  readonly createdAt: number;
  /** Counts the changes; an edit names the revision that it has seen. */
  readonly revision: number;
  readonly order: PaymentOrder;
  /** Chosen by the payer when `order.amount` is 0; 0 = not chosen yet. */
  readonly chosenAmount: bigint;
  readonly batchId: string | undefined;
  readonly templateId: string | undefined;
  /** Of a retry: the UUID of the failed payment. */
  readonly retryOf: string | undefined;
  readonly request: TransferRequest | undefined;
  /** Milliseconds of the first and the last POST. */
  readonly firstTryAt: number | undefined;
  readonly lastTryAt: number | undefined;
  /** Whether an answer to some POST is missing, so that the server may have the transfer. */
  readonly isTryOpen: boolean;
  /** It came from a backup while a try was open: only the user has it sent again. */
  readonly isRestored?: boolean;
  readonly refusal: Refusal | undefined;
  readonly transfer: TransferRecord | undefined;
  /** It was at the server once and is gone from there; the history keeps it. */
  readonly isGone: boolean;
  /** Failed and dismissed, or timed out and acknowledged. */
  readonly dismissedAt: number | undefined;
}

/** A configuration seen or saved, for "versions seen". */
export interface ConfigVersion {
  readonly debtor: string;
  readonly latestUpdateId: bigint;
  readonly latestUpdateAt: string;
  readonly configData: string;
  readonly seenAt: number;
  readonly isOurs: boolean;
}

/** Payments made from one file, one a row. */
export interface BatchRecord {
  readonly debtor: string;
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  /** In the order of the rows. */
  readonly uuids: readonly string[];
  /** `stopped`: by the user or by a 403 (`stopReason`). */
  readonly status: "running" | "stopped" | "finished";
  readonly stopReason: "user" | "limit" | "inactive" | undefined;
}

/** An account under the name that the user gave it. */
export interface AddressBookEntry {
  readonly debtor: string;
  readonly id: string;
  readonly accountUri: string;
  readonly name: string;
  readonly updatedAt: number;
}

/** A payment that is made again and again. */
export interface TemplateRecord {
  readonly debtor: string;
  readonly id: string;
  readonly title: string;
  readonly order: PaymentOrder;
  /** `YYYY-MM-DD`, local calendar; "" = no reminder. */
  readonly dueOn: string;
  /** How the due date moves on after a payment. */
  readonly repeat: "" | "weekly" | "monthly" | "yearly";
  readonly updatedAt: number;
}

/** What was done on this device: the words for `action` and `outcome` are the screen's. */
export interface JournalEntry {
  readonly debtor: string;
  readonly id: string;
  readonly at: number;
  readonly action: string;
  readonly outcome: string;
  readonly subject: string;
}

/** The balance at a moment, for the chart. */
export interface BalanceSample {
  readonly debtor: string;
  readonly at: number;
  readonly balance: bigint;
}

/** A document of the debtor, the bytes exactly. */
export interface StoredDocument {
  readonly debtor: string;
  /** Its own address, absolute. */
  readonly uri: string;
  readonly contentType: string;
  /** 64 upper-case hexadecimal digits. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/**
 * A configuration that is being saved: kept until the outcome is known, so that a repetition neither saves a second document
 * nor takes a second number.
 */
export interface PendingSave {
  readonly debtor: string;
  /** The text of the coin info document that goes with it. */
  readonly documentText: string | undefined;
  /** Where the document was saved; absent while that is not known. */
  readonly documentUri: string | undefined;
  /** What was sent, or is to be sent again; absent while only the document was saved. */
  readonly configData: string | undefined;
  readonly latestUpdateId: bigint | undefined;
}

/** How far this client has followed the debtor's configuration. */
export interface ConfigWatch {
  readonly debtor: string;
  /** The text that the user knows of: another client's differences are shown against it. */
  readonly knownConfigData: string;
  /** The configuration that was saved last, here or elsewhere, and whether it is waited for to be in effect. */
  readonly savedUpdateId: bigint | undefined;
  readonly status: "none" | "sent" | "accepted" | "in-effect";
  /** Milliseconds when the document of the peg was read. */
  readonly pegReadAt: number | undefined;
  /** What it said of its numbers then, if that differs from what our own document says. */
  readonly changedPeg: Scale | undefined;
}
