import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import test from "node:test";
import type { Database } from "../../src/database/database.ts";
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

  assert.deepEqual(report, { action: "created", version: LATEST });
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

  assert.deepEqual(report, { action: "adopted", version: LATEST });
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
  assert.deepEqual(await migrate(database.pool), { action: "none", version: LATEST });
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
