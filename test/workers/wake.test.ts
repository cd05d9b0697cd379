import assert from "node:assert/strict";
import { after, test } from "node:test";
import { pino } from "pino";
import { openPool } from "../../src/database/database.ts";
import { listenForWakes, wakeFlushers } from "../../src/database/wake.ts";
import { openMutableLine } from "../database/mutable-line.ts";
import { createTestDatabase, withParameter } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";

const log = pino({ level: "silent" });
const database = await createTestDatabase();
after(() => database.close());

function listen(url = database.url) {
  const stopper = new AbortController();
  let count = 0;
  const onWake = (): void => {
    count++;
  };
  const listening = listenForWakes({ url, onWake, log, signal: stopper.signal });
  const stop = async (): Promise<void> => {
    stopper.abort();
    await listening;
  };
  return { count: () => count, stop };
}

test("all listeners are woken when they begin to listen and when somebody has written; many calls share few wake-ups", async () => {
  const listeners = [listen(), listen()];
  await waitFor(() => listeners.every(({ count }) => count() === 1));
  for (let i = 0; i < 1000; i++) wakeFlushers(database.pool);
  await waitFor(() => listeners.every(({ count }) => count() >= 2));
  assert.ok(listeners.every(({ count }) => count() <= 3));
  for (const { stop } of listeners) await stop();
});

test("a listener whose connection is killed listens again, and is woken for what it may have missed", async () => {
  const listener = listen();
  await waitFor(() => listener.count() === 1);
  await database.pool.run({
    name: "kill_listeners",
    text: `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'swpt-debtors wake-ups' and datname = current_database()`,
  });
  await waitFor(() => listener.count() === 2);
  wakeFlushers(database.pool);
  await waitFor(() => listener.count() === 3);
  await listener.stop();
});

test("a listener whose server hangs listens again", async () => {
  await using line = await openMutableLine(withParameter(database.url, "connect_timeout=1"));
  const listener = listen(line.url);
  await waitFor(() => listener.count() === 1);
  line.mute();
  const before = line.callerCount();
  await waitFor(() => line.callerCount() > before, { what: "another connection" });
  line.unmute();
  await waitFor(() => listener.count() === 2);
  wakeFlushers(database.pool);
  await waitFor(() => listener.count() === 3);
  await listener.stop();
});

test("without a database nobody is woken, and nothing fails or hangs", async () => {
  const url = "postgresql://nobody@127.0.0.1:1/nowhere";
  const listener = listen(url);
  const pool = openPool({ url, size: 1, applicationName: "test" });
  wakeFlushers(pool);
  await listener.stop();
  assert.equal(listener.count(), 0);
  await pool.close();
});
