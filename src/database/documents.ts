/** Statements on the table `document`. */
import type { Debtor } from "../domain/debtor.ts";
import { formatTimestamp, type Timestamp } from "../values/timestamp.ts";
import type { Database, Deferred, Transaction } from "./database.ts";

/** A public document of a debtor. */
export interface Document {
  readonly contentType: string;
  readonly content: Buffer;
}

/** Reads a document of a debtor of any status. */
export function findDocument(db: Database, debtorId: bigint, documentId: bigint): Promise<Document | undefined> {
  return db.maybeOne({
    name: "find_document",
    text: `
      select content_type as "contentType", content
      from document
      where debtor_id = $1::bigint and document_id = $2::bigint`,
    values: [debtorId, documentId],
  });
}

/**
 * Stores a document, and what its debtor has counted of documents. Returns one row. The debtor must have been locked.
 */
export function insertDocument(
  tx: Transaction,
  debtor: Debtor,
  { contentType, content }: Document,
  insertedAt: Timestamp,
): Deferred<{ readonly documentId: bigint }> {
  return tx.defer({
    name: "insert_document",
    text: `
      with counted as (
        update debtor
        set documents_count = $5::integer, documents_count_reset_date = $6::date
        where debtor_id = $1::bigint
      )
      insert into document (debtor_id, content_type, content, inserted_at)
      values ($1::bigint, $2::varchar, $3::bytea, $4::timestamptz)
      returning document_id as "documentId"`,
    values: [
      debtor.debtorId,
      contentType,
      content,
      formatTimestamp(insertedAt),
      debtor.documentsCount,
      debtor.documentsCountResetDate,
    ],
  });
}
