import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { type Database, DatabaseUnavailableError, openPool } from "../../src/database/database.ts";
import { createTestDatabase } from "../support/database.ts";

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

/** A relay to the database that can be muted: then nothing comes through, and no connection is closed. */
async function openLine(url: string) {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let isMuted = false;
  const server = createServer((caller) => {
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
    mute: () => {
      isMuted = true;
    },
    unmute: () => {
      isMuted = false;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
