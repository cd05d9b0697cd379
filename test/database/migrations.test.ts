import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { type Database, openPool, type Pool } from "../../src/database/database.ts";
import { findSchemaProblem, migrate, SchemaError } from "../../src/database/migrations.ts";
import { claimMessages, deleteClaimed, recordMessages } from "../../src/database/outbox.ts";
import { now } from "../../src/values/timestamp.ts";
import { createEmptyDatabase, withParameter } from "../support/database.ts";
import { describeSchema, withoutAdditions } from "./schema-description.ts";

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

const migrationFiles = globSync("src/database/migrations/*.sql").sort();
const LATEST = migrationFiles.length;

/** Makes the schema as an older version of this program has it. */
async function migrateTo(version: number, db: Database): Promise<void> {
  const texts = await Promise.all(migrationFiles.slice(0, version).map((file) => readFile(file, "utf8")));
  for (const text of texts) await script(db, text);
  await script(
    db,
    `create table swpt_debtors_migration (
       version integer primary key, name text not null, checksum text not null,
       applied_at timestamptz not null default now()
     )`,
  );
  await db.run({
    name: "",
    text: "insert into swpt_debtors_migration select * from unnest($1::integer[], $2::text[], $3::text[])",
    values: [
      texts.map((_, index) => index + 1),
      migrationFiles.slice(0, version),
      texts.map((text) => createHash("sha256").update(text).digest("hex")),
    ],
  });
}

test("an empty database gets the schema, and the alembic_version that keeps the way back open", async () => {
  await using database = await createEmptyDatabase();
  assert.match((await findSchemaProblem(database.pool)) ?? "", /not set up for this version/);

  const report = await migrate(database.pool);

  assert.deepEqual(report, { action: "created", version: LATEST, repairedSequences: [] });
  assert.equal(await findSchemaProblem(database.pool), undefined);
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
  assert.equal(await findSchemaProblem(database.pool), undefined);
});

test("an adopted database has the same schema as a new one", async () => {
  await using database = await createEmptyDatabase();
  await script(database.pool, pythonDatabase);
  await migrate(database.pool);

  assert.equal(await describeSchema(database.pool), expectedSchema);
});

test("a new database is one of the Python program but for documented additions: same order, names and parameters", async () => {
  await using python = await createEmptyDatabase();
  await script(python.pool, pythonDatabase);
  await using ours = await createEmptyDatabase();
  await migrate(ours.pool);

  assert.deepEqual(withoutAdditions(await describeSchema(ours.pool)), (await describeSchema(python.pool)).split("\n"));
});

const insertFinalization = `
  insert into finalize_transfer_signal
    (inserted_at, debtor_id, creditor_id, transfer_id, coordinator_id, coordinator_request_id, committed_amount,
     transfer_note_format, transfer_note)
  values (now(), 1, 2, 3, 4, 5, 6, 'f', 'n')`;

for (const version of [1, 8]) {
  test(`a database of version ${version} without waiting messages gets the same schema as a new one`, async () => {
    await using database = await createEmptyDatabase();
    await migrateTo(version, database.pool);
    assert.equal((await migrate(database.pool)).action, "upgraded");
    assert.equal(await describeSchema(database.pool), expectedSchema);
  });
}

for (const [what, change] of [
  ["a message that waits", insertFinalization],
  ["a message that other snapshots may still see", `${insertFinalization}; delete from finalize_transfer_signal`],
  ["a view", "create view waiting as select committed_amount from finalize_transfer_signal"],
  ["an index", "create index own on finalize_transfer_signal (transfer_id)"],
  ["a constraint", "alter table finalize_transfer_signal add constraint own check (transfer_note <> 'x')"],
  ["a privilege", "grant select (transfer_note) on finalize_transfer_signal to public"],
] as const) {
  test(`an upgrade leaves columns alone that have ${what}`, async () => {
    await using database = await createEmptyDatabase();
    await migrateTo(8, database.pool);
    await script(database.pool, change);
    const found = async () => [
      (await describeSchema(database.pool)).split("\n").filter((line) => /^finalize_\S+ c|own|waiting/.test(line)),
      await database.pool.many({ name: "", text: "select t::text from finalize_transfer_signal as t" }),
      await database.pool.many({
        name: "",
        text: "select attname, attacl::text from pg_attribute where attacl is not null and attrelid = 'finalize_transfer_signal'::regclass",
      }),
    ];
    const before = await found();

    assert.equal((await migrate(database.pool)).action, "upgraded");

    assert.deepEqual(await found(), before);
  });
}

test("an upgrade leaves the order of columns alone rather than to wait for a flusher or a backup", async () => {
  await using database = await createEmptyDatabase();
  await migrateTo(8, database.pool);
  await database.pool.transaction(async (tx) => {
    await claimMessages(tx, "finalize_transfer", 1);
    assert.equal((await migrate(database.pool)).action, "upgraded");
  });
  assert.match(await describeSchema(database.pool), /^finalize_transfer_signal column 05 transfer_id /m);
});

test("what an operator has set for the vacuum of an outbox stays", async () => {
  await using database = await createEmptyDatabase();
  await migrateTo(8, database.pool);
  await script(database.pool, "alter table prepare_transfer_signal set (autovacuum_vacuum_cost_delay = 1)");
  await migrate(database.pool);
  const schema = await describeSchema(database.pool);
  assert.match(schema, /^prepare_transfer_signal with .*cost_delay=1$/m);
  assert.match(schema, /^finalize_transfer_signal with .*cost_delay=0\.0,/m);
});

test("a node that is running during the upgrade goes on reading and writing messages", async () => {
  await using database = await createEmptyDatabase();
  await migrateTo(8, database.pool);
  // One connection, on which PostgreSQL has planned the statements before.
  const node = openPool({ url: database.url, size: 1, applicationName: "node" });
  const message = {
    debtorId: 1n,
    creditorId: 2n,
    transferId: 3n,
    coordinatorId: 4n,
    coordinatorRequestId: 5n,
    committedAmount: 6n,
    transferNoteFormat: "format",
    transferNote: "note",
    ts: now(),
  };
  const passThrough = async (): Promise<unknown[]> => {
    await node.transaction(async (tx) => recordMessages(tx, "finalize_transfer", [message]));
    return node.transaction(async (tx) => {
      const claimed = await claimMessages(tx, "finalize_transfer", 10);
      await deleteClaimed(tx, "finalize_transfer", claimed);
      return claimed.map((row) => row.encode());
    });
  };
  try {
    const before = await passThrough();
    await script(database.pool, "truncate finalize_transfer_signal");
    await migrate(database.pool);
    assert.deepEqual(await passThrough(), before);
    assert.equal(before.length, 1);
    assert.equal(await describeSchema(database.pool), expectedSchema);
  } finally {
    await node.close();
  }
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
    assert.match((await findSchemaProblem(database.pool)) ?? "", /not set up for this version/);
  });
}

test("a database of a newer program is refused", async () => {
  await using database = await createEmptyDatabase();
  await migrate(database.pool);
  await script(database.pool, "insert into swpt_debtors_migration values (9999, '9999-future.sql', '')");
  await assert.rejects(migrate(database.pool), /9999-future\.sql.*newer version/);
  assert.equal(await findSchemaProblem(database.pool), undefined);
});

test("a migration that was changed after it had been applied is refused", async () => {
  await using database = await createEmptyDatabase();
  await migrate(database.pool);
  await script(database.pool, "update swpt_debtors_migration set checksum = 'other' where version = 1");
  await assert.rejects(migrate(database.pool), SchemaError);
});

for (const [what, change, mend, problem] of [
  [
    "a table that was moved to another schema",
    "create schema moved; alter table running_transfer set schema moved",
    "alter table moved.running_transfer set schema public",
    /public of the database lacks running_transfer, or the search_path/,
  ],
  [
    "an empty table of another schema that is found first",
    "create schema other; create table other.debtor (like debtor including all); alter database DB set search_path = other, public",
    "drop schema other cascade",
    /lacks debtor, or the search_path .* leads to others of that name/,
  ],
] as const) {
  test(`${what} is reported, and configure changes nothing`, async () => {
    await using database = await createEmptyDatabase();
    const name = new URL(database.url).pathname.slice(1);
    await migrate(database.pool);
    await script(database.pool, change.replace("DB", name));
    const pool = openPool({ url: database.url, size: 1, applicationName: "test" });
    try {
      assert.match((await findSchemaProblem(pool)) ?? "", problem);
      await assert.rejects(migrate(pool), (error) => error instanceof SchemaError && problem.test(error.message));
      await script(database.pool, mend);
      assert.equal(await findSchemaProblem(pool), undefined);
      assert.equal((await migrate(pool)).action, "none");
    } finally {
      await pool.close();
    }
  });
}

for (const [what, prepare] of [
  ["this program", (pool: Pool) => migrate(pool)],
  ["the Python program", (pool: Pool) => script(pool, pythonDatabase)],
] as const) {
  test(`tables of ${what} in a schema that the search_path does not lead to are not taken for an empty database`, async () => {
    await using database = await createEmptyDatabase();
    await prepare(database.pool);
    const url = withParameter(database.url, "options=-c%20search_path%3Dother");
    await script(database.pool, "create schema other");
    const pool = openPool({ url, size: 1, applicationName: "test" });
    try {
      const reason = /The tables are in the schema public, to which the search_path .* does not lead/;
      await assert.rejects(migrate(pool), (error) => error instanceof SchemaError && reason.test(error.message));
    } finally {
      await pool.close();
    }
  });
}

test("without a schema in the search_path, and with a column that is gone, configure says so in place of waiting", async () => {
  await using database = await createEmptyDatabase();
  const nowhere = openPool({
    url: withParameter(database.url, "options=-c%20search_path%3Dnowhere"),
    size: 1,
    applicationName: "test",
  });
  const reason = (words: string) => (error: unknown) =>
    error instanceof SchemaError &&
    error.message.startsWith(`The schema cannot be created or upgraded: ${words}. Check`);
  await assert.rejects(migrate(nowhere), reason("no schema has been selected to create in"));
  await nowhere.close();
  await migrate(database.pool);
  await script(database.pool, "alter table document rename document_id to other_id");
  await assert.rejects(migrate(database.pool), reason('column "document_id" does not exist'));
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
       setval('finalize_transfer_signal_signal_id_seq', 1, false), setval('document_document_id_seq', 1, false);
     insert into swpt_debtors_auth.subject_binding_event (occurred_at, action, issuer, subject, debtor_id)
       values (now(), 'bind', 'issuer', 'subject', 1);
     alter sequence swpt_debtors_auth.subject_binding_event_event_id_seq restart`,
  );

  const { repairedSequences } = await migrate(pool);

  assert.deepEqual(repairedSequences, [
    "debtor_reservation_id_seq",
    "document_document_id_seq",
    "finalize_transfer_signal_signal_id_seq",
    "swpt_debtors_auth.subject_binding_event_event_id_seq",
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
      for (const work of [migrate, findSchemaProblem, (db: Database) => script(db, "select 1")]) {
        await assert.rejects(work(pool), new RegExp(`encoding ${encoding}.*UTF8`));
      }
    } finally {
      await pool.close();
      await script(server.pool, `drop database ${name} with (force)`);
    }
  });
}
