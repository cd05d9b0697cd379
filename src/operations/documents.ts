/** What a debtor publishes. Spec: http-api, "documents". */
import type { Pool } from "../database/database.ts";
import { lockDebtors } from "../database/debtors.ts";
import { type Document, insertDocument } from "../database/documents.ts";
import { isActive } from "../domain/debtor.ts";
import { countDocument } from "../domain/throttling.ts";
import { now } from "../values/timestamp.ts";
import { OperationError } from "./operation-error.ts";

/** Saves a document and returns its ID. Rejected with DEBTOR_NOT_ACTIVE or TOO_MANY_DOCUMENTS. */
export async function saveDocument(
  pool: Pool,
  { documentSavesPerYearMax }: { readonly documentSavesPerYearMax: number },
  { debtorId, ...document }: Document & { readonly debtorId: bigint },
): Promise<bigint> {
  const stored = await pool.transaction(async (tx) => {
    const [debtor] = await lockDebtors(tx, [debtorId]);
    if (debtor === undefined || !isActive(debtor)) throw new OperationError("DEBTOR_NOT_ACTIVE");
    const savedAt = now();
    const counted = countDocument(debtor, documentSavesPerYearMax, savedAt);
    if (counted === undefined) throw new OperationError("TOO_MANY_DOCUMENTS");
    return insertDocument(tx, counted, document, savedAt);
  });
  return stored.rows()[0]!.documentId;
}
