import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { type Database, DatabaseUnavailableError, openPool } from "../../src/database/database.ts";
import { createTestDatabase, withParameter } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";

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
  await using line = await openLine(database.url);
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
    await using line = await openLine(withParameter(database.url, "connect_timeout=1"));
    // Without a time-out that would come to their aid.
    const pool = openPool({ url: line.url, size: 3, applicationName: "test", statementTimeoutMillis: 1_000_000 });
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

test("a server that is busy with a statement is waited for", async () => {
  const pool = openPool({ url: database.url, size: 1, applicationName: "test" });
  assert.deepEqual(await pool.maybeOne({ name: "", text: "select 1 as one from pg_sleep(6)" }), { one: 1 });
  assert.deepEqual(await pool.maybeOne({ name: "", text: PROBES }), { count: 0n }, "what asked has left");
  await pool.close();
});

const PROBES = `
  select count(*) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;

/** A relay to the database that can be muted: then nothing comes through, and no connection is closed. */
async function openLine(url: string) {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let isMuted = false;
  let isHangingUp = false;
  const server = createServer((caller) => {
    if (isHangingUp) {
      caller.destroy();
      return;
    }
    const callee = connect(Number(port || 5432), hostname);
    for (const [from, to] of [
      [caller, callee],
      [callee, caller],
    ] as const) {
      sockets.add(from);
      from.on("data", (data) => {
        if (!isMuted) to.write(data);
      });
      from.on("close", () => to.destroy());
      from.on("error", () => {});
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const here = Object.assign(new URL(url), { host: `127.0.0.1:${(server.address() as AddressInfo).port}` });
  return {
    url: here.href,
    mute: (andHangUp = false) => {
      isMuted = true;
      isHangingUp = andHangUp;
    },
    unmute: () => {
      isMuted = false;
      isHangingUp = false;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
