import assert from "node:assert/strict";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import { clientOf, createCandidateList } from "../../src/database/connection-candidates.ts";
import { DatabaseUnavailableError, openPool } from "../../src/database/database.ts";
import { statementError } from "../../src/database/errors.ts";
import { connectOnce } from "../../src/database/sessions.ts";
import { parseConnectionUrl } from "../../src/values/postgres-url.ts";
import { createEmptyDatabase, withParameter } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";

test("transactions are read committed, whatever the default of the database", async () => {
  await using database = await createEmptyDatabase();
  const name = new URL(database.url).pathname.slice(1);
  const text = `alter database ${name} set default_transaction_isolation = 'serializable'`;
  await database.pool.run({ name: "set_default", text });
  const pool = openPool({ url: database.url, size: 1, applicationName: "test" });

  const show = { name: "show_isolation", text: "show transaction_isolation" };
  assert.deepEqual(await pool.maybeOne(show), { transaction_isolation: "read committed" });
  assert.deepEqual(await pool.transaction((db) => db.maybeOne(show)), { transaction_isolation: "read committed" });

  await pool.close();
});

test("a session that has nothing to do is not ended, whatever the default of the database", async () => {
  await using database = await createEmptyDatabase();
  const name = new URL(database.url).pathname.slice(1);
  await database.pool.run({ name: "", text: `alter database ${name} set idle_session_timeout = '1h'` });
  const pool = openPool({ url: database.url, size: 1, applicationName: "test" });
  const listener = await connectOnce(database.url, "test");

  const text = "show idle_session_timeout";
  assert.deepEqual(await pool.maybeOne({ name: "show_timeout", text }), { idle_session_timeout: "0" });
  assert.deepEqual((await listener.query(text)).rows, [{ idle_session_timeout: "0" }]);

  await listener.end();
  await pool.close();
});

test("values are exact, whatever the defaults of the database", async () => {
  await using database = await createEmptyDatabase();
  const name = new URL(database.url).pathname.slice(1);
  for (const setting of [
    "extra_float_digits = -10",
    "array_nulls = off",
    "bytea_output = 'escape'",
    "DateStyle = 'SQL, DMY'",
    "TimeZone = 'Asia/Kolkata'",
  ]) {
    await database.pool.run({ name: "", text: `alter database ${name} set ${setting}` });
  }
  const pool = openPool({ url: database.url, size: 1, applicationName: "test" });
  const text = `
    select $1::float8 as float, $2::text[] as texts, $3::bytea as bytes,
      '2026-11-26T10:00:00.123456Z'::timestamptz as ts, '2026-11-02'::date as date`;
  const row = await pool.maybeOne({ name: "echo", text, values: [0.1 + 0.2, [null, "a"], Buffer.from("\\\0é")] });
  assert.deepEqual(row, {
    float: 0.1 + 0.2,
    texts: [null, "a"],
    bytes: Buffer.from("\\\0é"),
    ts: 1_795_687_200_123_456n,
    date: "2026-11-02",
  });
  await pool.close();
});

test("options in the URL come on top of those that the program needs", async () => {
  await using database = await createEmptyDatabase();
  const url = withParameter(database.url, "options=-c%20TimeZone%3DAsia%2FTokyo%20-c%20lock_timeout%3D7s");
  const pool = openPool({ url, size: 1, applicationName: "test" });
  const text = "select current_setting('TimeZone') as zone, current_setting('lock_timeout') as timeout";
  assert.deepEqual(await pool.maybeOne({ name: "show_settings", text }), { zone: "UTC", timeout: "7s" });
  await pool.close();
});

test("a transaction that its process has left alone ends, and gives its locks back", async () => {
  await using database = await createEmptyDatabase();
  const { pool } = database;
  const text = "show idle_in_transaction_session_timeout";
  assert.deepEqual(await pool.maybeOne({ name: "show_timeout", text }), {
    idle_in_transaction_session_timeout: "1min",
  });

  const abandoned = pool.transaction(async (db) => {
    await db.run({ name: "be_impatient", text: "set local idle_in_transaction_session_timeout = 10" });
    await waitFor(async () => {
      const row = await pool.maybeOne<{ count: bigint }>({
        name: "count_abandoned",
        text: `
          select count(*) as count
          from pg_stat_activity
          where datname = current_database() and state = 'idle in transaction'`,
      });
      return row!.count === 0n;
    });
    await db.run({ name: "go_on", text: "select 1" });
  });
  await assert.rejects(abandoned, DatabaseUnavailableError);
});

test("a transaction whose connection was ended between two statements says why", async () => {
  await using database = await createEmptyDatabase();
  const pool = openPool({ url: database.url, size: 1, applicationName: "test ended" });
  const ended = pool.transaction(async (tx) => {
    await tx.run({ name: "", text: "select 1" });
    const text = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test ended'";
    await database.pool.run({ name: "", text });
    await waitFor(async () => {
      const rest = "select from pg_stat_activity where application_name = 'test ended'";
      return (await database.pool.run({ name: "", text: rest })) === 0;
    });
    await tx.run({ name: "", text: "select 2" });
  });
  await assert.rejects(ended, /terminating connection due to administrator command$/);
  await pool.close();
});

for (const [how, fault] of [
  ["ended", undefined],
  ["failed", new Error("reset")],
] as const) {
  test(`a statement on a connection that has ${how} unnoticed finds the database unavailable`, async () => {
    await using database = await createEmptyDatabase();
    const Client = clientOf(createCandidateList(parseConnectionUrl(withParameter(database.url, "sslmode=disable"))));
    const client = new Client({});
    const lost = Promise.race([once(client, "error"), once(client, "end")]);
    await client.connect();
    (client as unknown as { connection: { stream: Duplex } }).connection.stream.destroy(fault);
    await lost.catch(() => {});
    const error = await client.query("select 1").catch((reason: unknown) => reason);
    assert.match((error as Error).message, /not queryable$/);
    assert.ok(statementError(error, client.isLost) instanceof DatabaseUnavailableError);
  });
}
