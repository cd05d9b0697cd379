/** The database of this origin: its object stores, its versions, and what can go wrong with it. */
import { type IDBPDatabase, openDB } from "idb";
import type {
  AddressBookEntry,
  BalanceSample,
  BatchRecord,
  ConfigVersion,
  ConfigWatch,
  DebtorRecord,
  JournalEntry,
  PaymentRecord,
  PendingSave,
  StoredDocument,
  TemplateRecord,
} from "../core/records.ts";

/** What is stored of each debtor. Every key begins with the debtor, so that data of different debtors never mix. */
export interface Tables {
  debtors: DebtorRecord;
  configs: ConfigVersion;
  watches: ConfigWatch;
  saves: PendingSave;
  documents: StoredDocument;
  payments: PaymentRecord;
  batches: BatchRecord;
  addressBook: AddressBookEntry;
  templates: TemplateRecord;
  journal: JournalEntry;
  samples: BalanceSample;
}

/** The name of a table. */
export type Table = keyof Tables;

/** Names a record: the debtor, and what tells the record from the debtor's others. */
export type Key = readonly [debtor: string, id: string | number];

/** How each table names its records. */
export const keyOf: { readonly [T in Table]: (record: Tables[T]) => Key } = {
  debtors: ({ identityUri }) => [identityUri, ""],
  configs: ({ debtor, latestUpdateId }) => [debtor, latestUpdateId.toString()],
  watches: ({ debtor }) => [debtor, ""],
  saves: ({ debtor }) => [debtor, ""],
  documents: ({ debtor, uri }) => [debtor, uri],
  payments: ({ debtor, uuid }) => [debtor, uuid],
  batches: ({ debtor, id }) => [debtor, id],
  addressBook: ({ debtor, id }) => [debtor, id],
  templates: ({ debtor, id }) => [debtor, id],
  journal: ({ debtor, id }) => [debtor, id],
  samples: ({ debtor, at }) => [debtor, at],
};

/** All tables. */
export const TABLES = Object.keys(keyOf) as Table[];

/** The open database. */
export type Database = IDBPDatabase<unknown>;

/** `full`: the quota; `forbidden`: the browser does not allow storing; `outdated`: a newer client has the database. */
export type StorageProblem = "full" | "forbidden" | "outdated";

/** Something could not be stored or read. Nothing that depends on it may be sent. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly problem: StorageProblem;

  constructor(problem: StorageProblem, cause?: unknown) {
    super(`Storage is ${problem}`, { cause });
    this.problem = problem;
  }
}

const NAME = "swpt-debtors-webapp";
/** One more whenever object stores are added; records themselves are read as they are. */
const VERSION = 1;

/** What the database tells: a newer client in another tab wants it, so this one has given way. */
export type OutdatedListener = () => void;

/** Opens the database, and makes or upgrades it. Throws a StorageError. */
export function openDatabase(onOutdated: OutdatedListener): Promise<Database> {
  return reporting(async () => {
    const db: Database = await openDB(NAME, VERSION, {
      upgrade(database, oldVersion) {
        if (oldVersion < 1) for (const table of [...TABLES, "settings"]) database.createObjectStore(table);
      },
      blocking() {
        db.close();
        onOutdated();
      },
      terminated: onOutdated,
    });
    return db;
  });
}

/** Turns what IndexedDB throws into a StorageError. */
export async function reporting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StorageError || !(error instanceof Error)) throw error;
    const problem = problems[error.name];
    throw problem === undefined ? error : new StorageError(problem, error);
  }
}

const problems: Readonly<Record<string, StorageProblem>> = {
  QuotaExceededError: "full",
  VersionError: "outdated",
  // A connection that gave way to another tab's newer client is closed.
  InvalidStateError: "outdated",
  SecurityError: "forbidden",
  UnknownError: "forbidden",
  NotAllowedError: "forbidden",
  MissingAPIError: "forbidden",
  // The browser has ended the transaction, or its files cannot be read.
  AbortError: "forbidden",
  NotReadableError: "forbidden",
  TimeoutError: "forbidden",
  OperationError: "forbidden",
};
