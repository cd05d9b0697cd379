import assert from "node:assert/strict";
import { test } from "node:test";
import { DatabaseUnavailableError } from "../../src/database/database.ts";
import { confirmDatabase, readGuardState } from "../../src/database/flush-guard.ts";
import { DatabaseWentBackError } from "../../src/workers/flush-guard.ts";
import { waitFor } from "../support/wait.ts";
import {
  asOtherServer,
  copyOf,
  createBroker,
  createDatabase,
  losingOnce,
  start,
  startSwitchable,
  write,
} from "./guard-fixture.ts";

test("a flusher goes on, begins again and shares the work without an alarm, also with an empty outbox", async () => {
  const { pool } = await createDatabase();
  const broker = createBroker();
  const first = start(pool, broker);
  for (let i = 0; i < 3; i++) {
    await write(pool);
    assert.equal(await first.runOnce(), 1);
    assert.equal(await first.runOnce(), 0);
  }
  const second = start(pool, broker);
  assert.equal(await second.runOnce(), 0);
  for (let i = 0; i < 20; i++) await write(pool);
  await Promise.all([first.runOnce(), second.runOnce(), start(pool, broker).runOnce()]);
  while ((await second.runOnce()) > 0);
  assert.equal(await start(pool, broker).runOnce(), 0);
  assert.equal((await readGuardState(pool)).alarm, null);
  assert.equal(broker.messagesIn("out").length, 23);
});

test("a burst that was sent and not committed is no alarm, neither before nor after its messages are sent again", async () => {
  const { pool } = await createDatabase();
  const broker = createBroker();
  await write(pool);
  const crashing = start(losingOnce(pool), broker);
  await assert.rejects(crashing.runOnce(), /lost/);
  assert.equal(broker.messagesIn("out").length, 1);
  await start(pool, broker)
    .runOnce()
    .then((count) => assert.equal(count, 1));
  assert.equal(await start(pool, broker).runOnce(), 0);
  await write(pool);
  assert.equal(await crashing.runOnce(), 1);
});

test("when what a running flusher has committed is gone, nothing is sent by anybody until an operator has confirmed", async () => {
  const { database, broker, pool, flusher } = await startSwitchable();
  const standby = await copyOf(database);
  await write(pool);
  await flusher.runOnce();
  const sentCount = broker.messagesIn("out").length;

  pool.switchTo(standby);
  await write(pool);
  await assert.rejects(flusher.runOnce(), DatabaseWentBackError);
  await assert.rejects(start(pool, broker).runOnce(), DatabaseWentBackError);
  await assert.rejects(flusher.runOnce(), DatabaseWentBackError);
  assert.equal(broker.messagesIn("out").length, sentCount);

  assert.match((await confirmDatabase(pool))!, /gone back in time/);
  assert.equal(await start(pool, broker).runOnce(), 1);
  await write(pool);
  assert.equal(await flusher.runOnce().catch(() => flusher.runOnce()), 1);
  assert.equal(await confirmDatabase(pool), null);
});

test("a flusher that begins notices that what others have sent is gone", async () => {
  const database = await createDatabase();
  const broker = createBroker();
  await write(database.pool);
  await start(database.pool, broker).runOnce();
  const standby = await copyOf(database);
  await write(database.pool);
  await start(database.pool, broker).runOnce();

  await assert.rejects(start(standby, broker).runOnce(), DatabaseWentBackError);
  assert.equal(await start(database.pool, broker).runOnce(), 0);
});

test("a database from before a confirmation is also an alarm", async () => {
  const database = await createDatabase();
  const broker = createBroker();
  const standby = await copyOf(database);
  await database.pool.run({ name: "", text: "update swpt_debtors_guard.state set alarm = 'x'" });
  await confirmDatabase(database.pool);
  await write(database.pool);
  await start(database.pool, broker).runOnce();
  await assert.rejects(start(standby, broker).runOnce(), DatabaseWentBackError);
});

test("a standby that has everything is no alarm", async () => {
  const { database, broker, pool, flusher } = await startSwitchable();
  pool.switchTo(await copyOf(database));
  await write(pool);
  assert.equal(await flusher.runOnce(), 1);
  assert.equal(await start(pool, broker).runOnce(), 0);
});

test("when another server of the database answers, a flusher sends nothing before it has compared what others have sent", async () => {
  const { database, broker, pool, flusher: idle } = await startSwitchable();
  const standby = await copyOf(database);
  await write(database.pool);
  await start(database.pool, broker).runOnce();
  const sentCount = broker.messagesIn("out").length;

  // In place of a second server: the copy is on the same one, so that its answers are changed. See test/failover.
  pool.switchTo(asOtherServer(standby));
  await write(pool);
  await assert.rejects(idle.runOnce(), /Another server has taken over/);
  await assert.rejects(idle.runOnce(), DatabaseWentBackError);
  assert.equal(broker.messagesIn("out").length, sentCount);
});

test("when another server of the database answers that has everything, a flusher continues after the comparison", async () => {
  const { database, pool, flusher } = await startSwitchable();
  pool.switchTo(asOtherServer(await copyOf(database)));
  await write(pool);
  await assert.rejects(flusher.runOnce(), DatabaseUnavailableError);
  // The server may roll back the first attempt a moment after its connection is closed.
  await waitFor(async () => (await flusher.runOnce()) === 1);
});
