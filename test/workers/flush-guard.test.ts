import assert from "node:assert/strict";
import { after, test } from "node:test";
import pg from "pg";
import { pino } from "pino";
import { agentTopology, marksOf, OUTGOING_EXCHANGE } from "../../src/broker/agent-topology.ts";
import type { Broker } from "../../src/broker/broker.ts";
import { subscribe } from "../../src/broker/declare-topology.ts";
import { createMemoryBroker, type MemoryBroker } from "../../src/broker/memory.ts";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { openPool, type Pool } from "../../src/database/database.ts";
import { confirmDatabase, readGuardState } from "../../src/database/flush-guard.ts";
import { recordMessages } from "../../src/database/outbox.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { parseShard } from "../../src/values/shard.ts";
import { now } from "../../src/values/timestamp.ts";
import { createFlushGuard, DatabaseWentBackError } from "../../src/workers/flush-guard.ts";
import { createFlusher } from "../../src/workers/flusher.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { findPostgres, newTestName } from "../support/services.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";

const QUEUE = "in";
const log = pino({ level: "silent" });
const realm = { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard: parseShard("#")! };
const opened: AsyncDisposable[] = [];
after(async () => {
  for (const resource of opened.reverse()) await resource[Symbol.asyncDispose]();
});

const createBroker = (): MemoryBroker => {
  const topology = agentTopology(QUEUE, "#");
  return createMemoryBroker({
    ...topology,
    queues: [...topology.queues, { name: "out", arguments: {} }],
    bindings: [...topology.bindings, { exchange: OUTGOING_EXCHANGE, queue: "out", bindingKey: "" }],
  });
};

async function createDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  opened.push(database);
  return database;
}

let requestId = 0n;
/** Commits a message to the outbox. */
const write = (pool: Pool): Promise<void> =>
  pool.transaction(async (tx) => {
    const message = { debtorId: 1n, coordinatorRequestId: ++requestId, amount: 1n, recipient: "x", ts: now() };
    recordMessages(tx, "prepare_transfer", [message]);
  });

/** A flusher process that begins. */
function start(pool: Pool, broker: Broker) {
  const guard = createFlushGuard({ pool, broker, queue: QUEUE });
  const common = { pool, broker, burstCount: 100, periodSeconds: 60, realm, deleteParentShardRecords: false, log };
  return createFlusher({ ...common, outbox: "prepare_transfer", guard });
}

/** A pool whose connections lead to one database and later to another one, as those to a cluster that fails over. */
async function copyOf(database: TestDatabase): Promise<Pool> {
  const admin = new pg.Client({ connectionString: await findPostgres() });
  await admin.connect();
  const source = new URL(database.url).pathname.slice(1);
  const name = newTestName();
  await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${source}' and pid <> pg_backend_pid()`,
  );
  await admin.query(`create database ${name} template ${source}`);
  const url = new URL(database.url);
  url.pathname = `/${name}`;
  const pool = openPool({ url: url.href, size: 4, applicationName: "test" });
  opened.push({
    [Symbol.asyncDispose]: async () => {
      await pool.close();
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  });
  return pool;
}

/** The pool whose statements go to one database and, once it is switched, to another one. */
function switchable(first: Pool): Pool & { switchTo(next: Pool): void } {
  let current = first;
  return {
    many: (statement) => current.many(statement),
    maybeOne: (statement) => current.maybeOne(statement),
    run: (statement) => current.run(statement),
    transaction: (work) => current.transaction(work),
    usage: () => current.usage(),
    close: async () => {},
    switchTo: (next) => {
      current = next;
    },
  };
}

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
  let failures = 1;
  // Everything is published, and then the connection is lost.
  const breaking: Pool = {
    ...pool,
    transaction: (work) =>
      pool.transaction(async (tx) => {
        const result = await work(tx);
        if (failures-- > 0) throw new Error("lost");
        return result;
      }),
  };
  await write(pool);
  const crashing = start(breaking, broker);
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
  const database = await createDatabase();
  const broker = createBroker();
  const pool = switchable(database.pool);
  const flusher = start(pool, broker);
  await write(pool);
  await flusher.runOnce();
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

test("a database from before a confirmation is an alarm, too", async () => {
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
  const database = await createDatabase();
  const broker = createBroker();
  const pool = switchable(database.pool);
  const flusher = start(pool, broker);
  await write(pool);
  await flusher.runOnce();
  pool.switchTo(await copyOf(database));
  await write(pool);
  assert.equal(await flusher.runOnce(), 1);
  assert.equal(await start(pool, broker).runOnce(), 0);
});

test("on RabbitMQ the marks are in a stream, and without the stream messages are sent nevertheless", async () => {
  await using host = await createTestVirtualHost();
  const { pool } = await createDatabase();
  const broker = await connectRabbitMq({ url: host.url, connectionName: "test", log });
  await subscribe({ url: host.url, queue: QUEUE, routingKey: "#" });
  assert.deepEqual(await broker.readStream(marksOf(QUEUE)), []);
  assert.equal(await broker.readStream("nothing"), undefined);
  await write(pool);
  // No queue is bound to the exchange of outgoing messages: only the mark arrives.
  assert.equal(await start(pool, broker).runOnce(), 0);
  const bodies = await broker.readStream(marksOf(QUEUE));
  assert.match(bodies!.map(String).join(), /"outbox":"prepare_transfer"/);
  assert.equal(bodies!.length, 1);
  await broker.close();
});
