/** What others add to the database, or set for it. The program must say so, and take nothing for what it is not. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import pg from "pg";
import { openPool } from "../../src/database/database.ts";
import {
  DatabaseUnavailableError,
  isFaultOfValues,
  OWN_CONSTRAINTS,
  statementError,
  UnsuitableDatabaseError,
} from "../../src/database/errors.ts";
import { applyMessagesBisecting } from "../../src/operations/apply-messages.ts";
import { now } from "../../src/values/timestamp.ts";
import { startTestServer } from "../http/test-server.ts";
import { parseSample } from "../messages/sample-messages.ts";
import { createTestDatabase } from "../support/database.ts";

const database = await createTestDatabase();
const run = (text: string) => database.pool.run({ name: "", text });
after(() => database.close());

test("row-level security that hides a debtor is reported, and the debtor's account is not given up", async () => {
  const role = `swpt_owner_${new URL(database.url).pathname.slice(1)}`;
  await run(`
    create role ${role} login password 'secret';
    alter table debtor owner to ${role};
    grant all on all tables in schema public to ${role};
    insert into debtor (debtor_id, status_flags) values (1, 1);
    alter table debtor enable row level security;
    alter table debtor force row level security`);
  const pool = openPool({
    url: database.url.replace(/\/\/[^@]*@/, `//${role}:secret@`),
    size: 1,
    applicationName: "test",
  });
  const update = parseSample("AccountUpdate", { debtor_id: "1", principal: "-5" });
  try {
    await assert.rejects(
      applyMessagesBisecting(pool, [update], now()),
      (error) => error instanceof DatabaseUnavailableError && /row-level security.* must own/.test(error.message),
    );
    assert.equal(await run("select from configure_account_signal"), 0);
    await run("alter table debtor no force row level security");
    await applyMessagesBisecting(pool, [update], now());
    assert.deepEqual(await database.pool.many({ name: "", text: "select balance from debtor" }), [{ balance: -5n }]);
  } finally {
    await pool.close();
    await run(`alter table debtor owner to current_user; drop owned by ${role}; drop role ${role}`);
  }
});

test("the constraints of the tables are known by their names", async () => {
  const text = `
    select conname as name
    from pg_constraint
    where connamespace = 'public'::regnamespace and contype in ('c', 'f')`;
  const rows = await database.pool.many<{ name: string }>({ name: "", text });
  assert.deepEqual(new Set(rows.map(({ name }) => name)), OWN_CONSTRAINTS);
});

const errorOf = (code: string, where?: string, constraint?: string): unknown =>
  statementError(Object.assign(new pg.DatabaseError("words", 0, "error"), { code, where, constraint }), false);

// The texts of PostgreSQL 15 for "unnamed portal parameter $1".
for (const where of [
  undefined,
  "unnamed portal parameter $1",
  "unnamed portal parameter $1 = '...'",
  "unbenanntes Portal Parameter $1 = '(\"a\nb'",
  "portal sin nombre, parámetro 1 = '...'",
  "paramètre de portail non nommé $1",
  "無名ポータルパラメータ $1",
  "უსახელო პორტალის პარამეტრი $1",
  "이름없는 포탈 $1 매개 변수 = '...'",
  "неименованный портал, параметр $1",
  "未命名 portal 的参数 $1",
]) {
  test(`a value that cannot be stored is at fault, in any language: ${where}`, () => {
    assert.ok(isFaultOfValues(errorOf("22003", where)));
  });
}

for (const where of [
  "PL/pgSQL function f() line 1 at assignment",
  "PL/pgSQL-Funktion f() Zeile 1 bei Zuweisung",
  "SQL-Funktion »f« Anweisung 1",
  "fonction PL/pgSQL f(integer), ligne 1 à affectation",
  "PL/pgSQL関数f()の1行目の代入",
  'SQL 表达式 "$1 = 3"\nPL/pgSQL 函数f() 第 1 行',
]) {
  test(`what fails in a function of somebody else is no value's fault, in any language: ${where.split("\n")[0]}`, () => {
    for (const code of ["22003", "23514", "22012", "P0001"]) {
      const error = errorOf(code, where, code === "23514" ? "min_balance_check" : undefined);
      assert.equal(isFaultOfValues(error), false, code);
      assert.ok(error instanceof UnsuitableDatabaseError, code);
      assert.match(error.message, /^The database cannot be used: words; .* is not of this program refuses it$/);
    }
  });
}

for (const [what, code, constraint] of [
  ["a check", "23514", "somebodys_check"],
  ["a foreign key", "23503", "somebodys_fkey"],
  ["an exclusion", "23P01", "somebodys_exclusion"],
  ["a column that must not be null", "23502", undefined],
  ["a length", "22001", undefined],
  ["a view with a check", "44000", undefined],
] as const) {
  test(`${what} that somebody has added is no value's fault`, () => {
    const error = errorOf(code, undefined, constraint);
    assert.ok(error instanceof UnsuitableDatabaseError && !isFaultOfValues(error));
  });
}

test("while a trigger of somebody else refuses requests they are answered with 503, and the log says why", async () => {
  const server = await startTestServer();
  try {
    const change = (text: string) => server.database.pool.run({ name: "", text });
    await change(`
      create function refuse() returns trigger language plpgsql as 'begin raise exception ''not today''; end';
      create trigger refuse before insert on document for each row execute function refuse()`);
    const save = () => server.fetch("/debtors/7/documents/", { method: "POST", body: "x" });
    const refused = await save();
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "5"]);
    assert.match(JSON.stringify(server.events), /not today; a trigger, .* is not of this program refuses it/);
    await change("drop function refuse cascade");
    assert.equal((await save()).status, 201);
  } finally {
    await server.close();
  }
});
