import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { type Database, openPool } from "../../src/database/database.ts";
import { isSchemaCurrent, migrate, SchemaError } from "../../src/database/migrations.ts";
import { createEmptyDatabase } from "../support/database.ts";
import { describeSchema } from "./schema-description.ts";

const pythonDatabase = await readFile(new URL("./python-database.sql", import.meta.url), "utf8");
const expectedSchema = await readFile(new URL("./schema.txt", import.meta.url), "utf8").catch(() => "");

const tables = [
  "debtor",
  "running_transfer",
  "document",
  "configure_account_signal",
  "prepare_transfer_signal",
  "finalize_transfer_signal",
  "alembic_version",
];

const script = (db: Database, text: string) => db.run({ name: "", text });
const rowsOf = async (db: Database) =>
  Object.fromEntries(
    await Promise.all(
      tables.map(async (table) => [
        table,
        await db.many({ name: "", text: `select t::text from ${table} as t order by 1` }),
      ]),
    ),
  );

const LATEST = globSync("src/database/migrations/*.sql").length;

test("an empty database gets the schema, and the alembic_version that keeps the way back open", async () => {
  await using database = await createEmptyDatabase();
  assert.equal(await isSchemaCurrent(database.pool), false);

  const report = await migrate(database.pool);

  assert.deepEqual(report, { action: "created", version: LATEST, repairedSequences: [] });
  assert.equal(await isSchemaCurrent(database.pool), true);
  assert.deepEqual(await database.pool.many({ name: "v", text: "select version_num from alembic_version" }), [
    { version_num: "4eaef25ca564" },
  ]);
});

test("the schema is the one that is checked in", async () => {
  await using database = await createEmptyDatabase();
  await migrate(database.pool);

  assert.equal(await describeSchema(database.pool), expectedSchema);
});

test("a database of the Python program is adopted, and its rows and alembic_version stay as they are", async () => {
  await using database = await createEmptyDatabase();
  await script(database.pool, pythonDatabase);
  const before = await rowsOf(database.pool);
  assert.ok(Object.values(before).every((rows) => (rows as unknown[]).length > 0));

  const report = await migrate(database.pool);

  assert.deepEqual(report, { action: "adopted", version: LATEST, repairedSequences: [] });
  assert.deepEqual(await rowsOf(database.pool), before);
  assert.equal(await isSchemaCurrent(database.pool), true);
});

test("an adopted database has the same schema as a new one", async () => {
  await using database = await createEmptyDatabase();
  await script(database.pool, pythonDatabase);
  await migrate(database.pool);

  assert.equal(await describeSchema(database.pool), expectedSchema);
});

test("a second run does nothing", async () => {
  await using database = await createEmptyDatabase();
  await migrate(database.pool);
  assert.deepEqual(await migrate(database.pool), { action: "none", version: LATEST, repairedSequences: [] });
});

test("of many runs at once one does the work, and none fails", async () => {
  for (const given of ["", pythonDatabase]) {
    await using database = await createEmptyDatabase();
    if (given !== "") await script(database.pool, given);
    const reports = await Promise.all(Array.from({ length: 8 }, () => migrate(database.pool)));
    assert.equal(reports.filter(({ action }) => action !== "none").length, 1);
  }
});

for (const [what, change, problem] of [
  ["another alembic_version", "update alembic_version set version_num = 'b0d2e9c2e1a3'", /b0d2e9c2e1a3.*4eaef25ca564/],
  ["an empty alembic_version", "delete from alembic_version", /\(none\).*4eaef25ca564/],
  ["no alembic_version", "drop table alembic_version", /alembic_version/],
  ["a table missing", "drop table document", /lacks document/],
] as const) {
  test(`a database of the Python program with ${what} is refused and left alone`, async () => {
    await using database = await createEmptyDatabase();
    await script(database.pool, pythonDatabase);
    await script(database.pool, change);

    await assert.rejects(
      migrate(database.pool),
      (error) => error instanceof SchemaError && problem.test(error.message),
    );
    assert.equal(await isSchemaCurrent(database.pool), false);
  });
}

test("a database of a newer program is refused", async () => {
  await using database = await createEmptyDatabase();
  await migrate(database.pool);
  await script(database.pool, "insert into swpt_debtors_migration values (9999, '9999-future.sql', '')");
  await assert.rejects(migrate(database.pool), /9999-future\.sql.*newer version/);
  assert.equal(await isSchemaCurrent(database.pool), true);
});

test("a migration that was changed after it had been applied is refused", async () => {
  await using database = await createEmptyDatabase();
  await migrate(database.pool);
  await script(database.pool, "update swpt_debtors_migration set checksum = 'other' where version = 1");
  await assert.rejects(migrate(database.pool), SchemaError);
});

test("a constraint has the name that the Python program gave it, in a new and in an adopted database", async () => {
  for (const given of ["", pythonDatabase]) {
    await using database = await createEmptyDatabase();
    if (given !== "") await script(database.pool, given);
    await migrate(database.pool);
    const text = "select from pg_constraint where conname = 'min_balance_check' and conrelid = 'debtor'::regclass";
    assert.equal(await database.pool.run({ name: "", text }), 1);
  }
});

test("sequences that are behind their rows are set far beyond them, and others are left alone", async () => {
  await using database = await createEmptyDatabase();
  const { pool } = database;
  await script(pool, pythonDatabase);
  await migrate(pool);
  await script(
    pool,
    `select setval('coordinator_request_id_seq', 100), setval('debtor_reservation_id_seq', 1, false),
       setval('finalize_transfer_signal_signal_id_seq', 1, false), setval('document_document_id_seq', 1, false)`,
  );

  const { repairedSequences } = await migrate(pool);

  assert.deepEqual(repairedSequences, [
    "debtor_reservation_id_seq",
    "document_document_id_seq",
    "finalize_transfer_signal_signal_id_seq",
  ]);
  const text = `
    select nextval('coordinator_request_id_seq') as request, nextval('debtor_reservation_id_seq') as reservation,
      nextval('finalize_transfer_signal_signal_id_seq') as signal`;
  const next = await pool.maybeOne<Record<string, bigint>>({ name: "next", text });
  assert.equal(next!.request, 101n);
  assert.ok(next!.reservation! > 1_000_000n && next!.signal! > 1_000_000n);
  assert.deepEqual((await migrate(pool)).repairedSequences, []);
});

for (const encoding of ["LATIN1", "SQL_ASCII", "EUC_JP"]) {
  test(`a database with the encoding ${encoding} is refused by every statement, with the reason`, async () => {
    await using server = await createEmptyDatabase();
    const name = `${new URL(server.url).pathname.slice(1)}_encoded`;
    await script(server.pool, `create database ${name} encoding '${encoding}' locale 'C' template template0`);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    const pool = openPool({ url: url.href, size: 1, applicationName: "test" });
    try {
      for (const work of [migrate, isSchemaCurrent, (db: Database) => script(db, "select 1")]) {
        await assert.rejects(work(pool), new RegExp(`encoding ${encoding}.*UTF8`));
      }
    } finally {
      await pool.close();
      await script(server.pool, `drop database ${name} with (force)`);
    }
  });
}
