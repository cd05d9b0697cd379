/** Backups of what is stored of a debtor, and putting one back. Spec: issuer-webapp, "Files". */
import { type BackupProblem, readBackup, writeBackup } from "../core/backup.ts";
import type { PaymentRecord } from "../core/records.ts";
import { readAddress, readJournalEntry, readPayment, readRecords, readTemplate } from "./backup-records.ts";
import { keyOf, type Table, type Tables } from "./database.ts";
import type { Store } from "./store.ts";

/** The text of a backup. */
export async function backUp(store: Store, debtor: string, now: number): Promise<string> {
  const [payments, addressBook, templates, journal] = await Promise.all([
    store.all("payments", debtor),
    store.all("addressBook", debtor),
    store.all("templates", debtor),
    store.all("journal", debtor),
  ]);
  return writeBackup({ debtor, createdAt: now, payments, addressBook, templates, journal });
}

/** Why a backup is not put back: its file, or another debtor's. */
export type RestoreProblem = BackupProblem | "other-debtor";

/** How much of a backup was new. */
export interface Restored {
  readonly added: number;
  readonly changed: number;
}

/** Merges a backup of this debtor into what is stored, by UUID; what is stored stays unless the backup knows more. */
export async function restore(
  store: Store,
  debtor: string,
  text: string,
): Promise<Restored | { readonly problem: RestoreProblem }> {
  const backup = readBackup(text);
  if ("problem" in backup) return backup;
  if (backup.debtor !== debtor) return { problem: "other-debtor" };
  const merges = [
    await merge(store, debtor, "payments", readRecords(backup.payments, readPayment(debtor)), knowsMoreOfPayment),
    await merge(store, debtor, "addressBook", readRecords(backup.addressBook, readAddress(debtor)), isUpdatedLater),
    await merge(store, debtor, "templates", readRecords(backup.templates, readTemplate(debtor)), isUpdatedLater),
    await merge(store, debtor, "journal", readRecords(backup.journal, readJournalEntry(debtor)), () => false),
  ];
  return {
    added: merges.reduce((sum, { added }) => sum + added, 0),
    changed: merges.reduce((sum, { changed }) => sum + changed, 0),
  };
}

/** In one transaction, so that nothing that another tab stores meanwhile is overwritten. */
async function merge<T extends Table>(
  store: Store,
  debtor: string,
  table: T,
  records: readonly Tables[T][],
  knowsMore: (record: Tables[T], stored: Tables[T]) => boolean,
): Promise<Restored> {
  const byId = new Map(records.map((record) => [keyOf[table](record)[1], record]));
  let [added, changed] = [0, 0];
  await store.changeAll(table, debtor, [...byId.keys()], (stored, id) => {
    const record = byId.get(id)!;
    if (stored !== undefined && !knowsMore(record, stored)) return undefined;
    if (stored === undefined) added++;
    else changed++;
    return record;
  });
  return { added, changed };
}

const isUpdatedLater = (a: { readonly updatedAt: number }, b: { readonly updatedAt: number }): boolean =>
  a.updatedAt > b.updatedAt;

/** How much is known about the outcome of a payment. */
const knowledgeOf = ({ transfer, firstTryAt }: PaymentRecord): number =>
  transfer?.result !== undefined ? 3 : transfer !== undefined ? 2 : firstTryAt !== undefined ? 1 : 0;

const knowsMoreOfPayment = (a: PaymentRecord, b: PaymentRecord): boolean => knowledgeOf(a) > knowledgeOf(b);
