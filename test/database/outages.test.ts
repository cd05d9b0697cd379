import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Database, DatabaseUnavailableError, openPool } from "../../src/database/database.ts";
import { createTestDatabase, withParameter } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";
import { openMutableLine } from "./mutable-line.ts";

const database = await createTestDatabase();
after(() => database.close());

const ask = (db: Database) => db.maybeOne({ name: "ask", text: "select 1 as one" });

test("a database on a host that cannot be reached is unavailable", async () => {
  const pool = openPool({ url: "postgresql://postgres@255.255.255.255/none", size: 1, applicationName: "test" });

  await assert.rejects(ask(pool), DatabaseUnavailableError);
  await assert.rejects(pool.transaction(ask), DatabaseUnavailableError);

  await pool.close();
});

test("a database that stops answering is unavailable, and the next caller gets a new connection", async () => {
  await using line = await openMutableLine(database.url);
  const pool = openPool({ url: line.url, size: 1, applicationName: "test", statementTimeoutMillis: 400 });
  assert.deepEqual(await ask(pool), { one: 1 });

  line.mute();
  await assert.rejects(ask(pool), DatabaseUnavailableError);
  line.unmute();
  assert.deepEqual(await ask(pool), { one: 1 });

  await assert.rejects(
    pool.transaction(async (db) => {
      line.mute();
      void ask(db);
      return ask(db);
    }),
    DatabaseUnavailableError,
  );
  line.unmute();
  assert.deepEqual(await pool.transaction(ask), { one: 1 });

  await pool.close();
});

for (const [what, isHangingUp] of [
  ["answers nobody any more", false],
  ["is silent, and hangs up on new callers", true],
] as const) {
  test(`when a server ${what}, all that wait for it hear of it soon, and others get new connections`, async () => {
    await using line = await openMutableLine(withParameter(database.url, "connect_timeout=1"));
    // The time-out of the statements comes later, and has other words.
    const pool = openPool({ url: line.url, size: 3, applicationName: "test", statementTimeoutMillis: 60_000 });
    await Promise.all([ask(pool), ask(pool), ask(pool)]);
    const { promise: muted, resolve: mute } = Promise.withResolvers<void>();
    const lost = pool.transaction(async (db) => {
      await ask(db);
      await muted;
      return ask(db);
    });
    lost.catch(() => {});
    await waitFor(() => pool.usage().idle === 2);
    line.mute(isHangingUp);
    const asked = ask(pool);
    mute();
    await assert.rejects(asked, /^DatabaseUnavailableError: .*does not answer any more/);
    await assert.rejects(lost, DatabaseUnavailableError);
    line.unmute();
    await waitFor(() => pool.usage().total === 0, { what: "the idle one to be gone too" });
    assert.deepEqual(await ask(pool), { one: 1 });
    await pool.close();
  });
}

/** The URL with the database's own server as the next one to try. */
function withNextServer(url: string): string {
  const { hostname, port } = new URL(database.url);
  return url.replace(new URL(url).host, (first) => `${first},${hostname}:${port || 5432}`);
}

test("what comes after a server that hangs does not try it again, but the next one", async () => {
  await using line = await openMutableLine(withParameter(database.url, "connect_timeout=1"));
  const pool = openPool({
    url: withNextServer(line.url),
    size: 1,
    applicationName: "test",
    statementTimeoutMillis: 60_000,
  });
  assert.deepEqual(await ask(pool), { one: 1 });
  line.mute();
  await assert.rejects(ask(pool), /^DatabaseUnavailableError: .*does not answer any more/);
  const before = line.callerCount();
  assert.deepEqual(await ask(pool), { one: 1 });
  assert.equal(line.callerCount(), before);
  await pool.close();
});

test("a pool that has nothing to do notices a server that hangs, and is at the next one when work comes", async () => {
  await using line = await openMutableLine(withParameter(database.url, "connect_timeout=3"));
  const pool = openPool({
    url: withNextServer(line.url),
    size: 2,
    applicationName: "test",
    statementTimeoutMillis: 60_000,
  });
  await Promise.all([ask(pool), ask(pool)]);
  line.mute();
  const before = line.callerCount();
  await waitFor(() => pool.usage().total === 0, { what: "the connections to be given up" });
  await waitFor(() => pool.usage().total === 1, { what: "one to the other server" });
  assert.equal(line.callerCount(), before + 1, "the sign of life was asked for once");
  assert.deepEqual(await ask(pool), { one: 1 });
  assert.equal(line.callerCount(), before + 1);
  await pool.close();
});

test("a pool that is closed while its idle server hangs does not wait for it", async () => {
  await using line = await openMutableLine(database.url);
  const pool = openPool({ url: line.url, size: 1, applicationName: "test" });
  await ask(pool);
  line.mute();
  await waitFor(() => pool.usage().idle === 0, { what: "the sign of life to be asked for" });
  await pool.close();
  assert.equal(pool.usage().total, 0);
});

test("a server that is busy with a statement is waited for", async () => {
  const pool = openPool({ url: database.url, size: 1, applicationName: "test" });
  assert.deepEqual(await pool.maybeOne({ name: "", text: "select 1 as one from pg_sleep(6)" }), { one: 1 });
  assert.deepEqual(await pool.maybeOne({ name: "", text: PROBES }), { count: 0n }, "what asked has left");
  await pool.close();
});

test("a server that refuses the connection for the sign of life has given one", async () => {
  const role = `swpt_single_${new URL(database.url).pathname.slice(1)}`;
  await database.pool.run({ name: "", text: `create role ${role} login password 'secret' connection limit 1` });
  const url = database.url.replace(/\/\/[^@]*@/, `//${role}:secret@`);
  const pool = openPool({ url, size: 1, applicationName: "test" });
  assert.deepEqual(await pool.maybeOne({ name: "", text: "select 1 as one from pg_sleep(6)" }), { one: 1 });
  await pool.close();
  await database.pool.run({ name: "", text: `drop role ${role}` });
});

const PROBES = `
  select count(*) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
