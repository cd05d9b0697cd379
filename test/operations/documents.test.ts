import assert from "node:assert/strict";
import { after, test } from "node:test";
import { findDebtor } from "../../src/database/debtors.ts";
import { findDocument } from "../../src/database/documents.ts";
import { activateNewDebtor, deactivateDebtor, reserveDebtor } from "../../src/operations/debtors.ts";
import { saveDocument } from "../../src/operations/documents.ts";
import { createTestDatabase } from "../support/database.ts";
import { assertRejected, dump, run } from "./ledger.ts";

const database = await createTestDatabase();
const { pool } = database;
after(() => database.close());
const limits = { documentSavesPerYearMax: 2 };
const contentType = "text/plain";

test("a document is returned byte for byte, also after the deactivation", async () => {
  await activateNewDebtor(pool, 1n);
  for (const content of [Buffer.from([0, 255, 92, 39]), Buffer.alloc(0)]) {
    const documentId = await saveDocument(pool, limits, { debtorId: 1n, contentType, content });
    assert.deepEqual(await findDocument(pool, 1n, documentId), { contentType, content });
    assert.equal(await findDocument(pool, 2n, documentId), undefined, "only under its own debtor");
  }
  await deactivateDebtor(pool, 1n);
  assert.ok(await findDocument(pool, 1n, 1n));
});

test("document IDs above 2^53 are exact", async () => {
  await activateNewDebtor(pool, 2n);
  await pool.many({ name: "test_setval", text: "select setval('document_document_id_seq', 9007199254740992)" });
  const documentId = await saveDocument(pool, limits, { debtorId: 2n, contentType, content: Buffer.from("x") });
  assert.equal(documentId, 9007199254740993n);
  assert.ok(await findDocument(pool, 2n, documentId));
});

test("beyond the limit a document is rejected without a trace, until the year is over", async () => {
  await activateNewDebtor(pool, 3n);
  await run(
    pool,
    "update debtor set documents_count = 2, documents_count_reset_date = current_date - 365 where debtor_id = 3",
  );
  const before = await dump(pool);
  const document = { debtorId: 3n, contentType, content: Buffer.from("x") };
  await assertRejected(saveDocument(pool, limits, document), "TOO_MANY_DOCUMENTS");
  assert.equal(await dump(pool), before);

  await run(pool, "update debtor set documents_count_reset_date = current_date - 366 where debtor_id = 3");
  await saveDocument(pool, limits, document);
  assert.equal((await findDebtor(pool, 3n))!.documentsCount, 1);
});

test("no more concurrent documents are saved than allowed", async () => {
  await activateNewDebtor(pool, 4n);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, () =>
      saveDocument(pool, limits, { debtorId: 4n, contentType, content: Buffer.from("x") }),
    ),
  );
  assert.equal(outcomes.filter((outcome) => outcome.status === "fulfilled").length, 2);
  assert.equal((await findDebtor(pool, 4n))!.documentsCount, 2);
});

test("only active debtors save documents", async () => {
  await reserveDebtor(pool, 5n);
  for (const debtorId of [1n, 5n, 404n]) {
    const document = { debtorId, contentType, content: Buffer.from("x") };
    await assertRejected(saveDocument(pool, limits, document), "DEBTOR_NOT_ACTIVE");
  }
});

test("a document that cannot be stored fails, and is not counted", async () => {
  await activateNewDebtor(pool, 6n);
  const before = await dump(pool);
  const document = { debtorId: 6n, contentType: "\0", content: Buffer.from("x") };
  await assert.rejects(saveDocument(pool, limits, document), /invalid byte sequence/);
  assert.equal(await dump(pool), before);
});
