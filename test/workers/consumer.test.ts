import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { after, beforeEach, test } from "node:test";
import amqp from "amqplib";
import { pino } from "pino";
import { agentTopology, INCOMING_EXCHANGE } from "../../src/broker/agent-topology.ts";
import type { Broker } from "../../src/broker/broker.ts";
import { subscribe } from "../../src/broker/declare-topology.ts";
import { createMemoryBroker, type MemoryBroker } from "../../src/broker/memory.ts";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { DatabaseUnavailableError, type Pool } from "../../src/database/database.ts";
import { createHealth } from "../../src/runtime/health.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { parseShard } from "../../src/values/shard.ts";
import { type ConsumerOptions, createConsumer } from "../../src/workers/consumer.ts";
import { ForeignDebtorError } from "../../src/workers/consumer-batch.ts";
import { makeBreakable } from "../broker/breakable-connection.ts";
import { bodyOf } from "../messages/sample-messages.ts";
import { createTestDatabase } from "../support/database.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";

const QUEUE = "in";
const database = await createTestDatabase();
const { pool } = database;
after(() => database.close());
/** A transfer ID that a constraint of the program refuses. */
const POISON = 666n;
const CHECK = "finalize_transfer_signal_committed_amount_check";
await pool.run({
  name: "",
  text: `alter table finalize_transfer_signal drop constraint ${CHECK},
    add constraint ${CHECK} check (transfer_id <> ${POISON})`,
});
beforeEach(async () => {
  await pool.run({ name: "truncate_outbox", text: "truncate finalize_transfer_signal" });
});

/** The message of an unknown transfer: applied, it is dismissed by a message in the outbox. */
const prepared = (transferId: bigint, debtorId = 1n): string =>
  bodyOf("PreparedTransfer", { debtor_id: String(debtorId), transfer_id: String(transferId) });

/** The transfer IDs that were dismissed, each once, in ascending order. */
async function dismissed(): Promise<bigint[]> {
  const text = `select distinct transfer_id as id from finalize_transfer_signal order by id`;
  return (await pool.many<{ id: bigint }>({ name: "dismissed", text })).map(({ id }) => id);
}

function send(broker: MemoryBroker, ...bodies: readonly string[]): void {
  for (const body of bodies) {
    broker.put(QUEUE, { contentType: "application/json", type: "PreparedTransfer", body: Buffer.from(body) });
  }
}

const WARNING = pino.levels.values.warn;

/** A consumer under way; `stop` ends it and waits. */
function start(broker: Broker, options: Partial<ConsumerOptions> = {}) {
  const stopper = new AbortController();
  const logged: { level: number; msg: string; reason?: string }[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const consumer = createConsumer({
    pool,
    broker,
    queue: QUEUE,
    realm: { minDebtorId: 1n, maxDebtorId: 1000n, shard: parseShard("#")! },
    prefetchCount: 10,
    prefetchSize: 0,
    batches: 1,
    drain: false,
    log,
    ...options,
  });
  const running = consumer.run(stopper.signal);
  running.catch(() => {});
  const stop = async (): Promise<void> => {
    stopper.abort();
    await running;
  };
  return { running, stop, logged, abort: () => stopper.abort() };
}

const createBroker = (): MemoryBroker => createMemoryBroker(agentTopology(QUEUE, "#"));

/** How many messages are unacknowledged, once there is no consumer. */
const leftIn = (broker: MemoryBroker): number => broker.messagesIn(QUEUE).length;
const deadLetters = (broker: MemoryBroker): string[] =>
  broker.messagesIn(`${QUEUE}.XQ`).map(({ body }) => body.toString());

for (const [prefetchCount, batches] of [
  [1, 1],
  [10, 1],
  [10, 4],
  [0, 1],
] as const) {
  test(`all messages are applied and acknowledged with a prefetch of ${prefetchCount} and ${batches} batches`, async () => {
    const broker = createBroker();
    const ids = Array.from({ length: 60 }, (_, i) => BigInt(i));
    const consumer = start(broker, { prefetchCount, batches });
    send(broker, ...ids.map((id) => prepared(id)));
    await waitFor(async () => (await dismissed()).length === 60);
    await consumer.stop();
    assert.equal(leftIn(broker), 0);
    const rowCount = await pool.run({ name: "count_rows", text: "select from finalize_transfer_signal" });
    assert.equal(rowCount, 60, "each was applied once");
  });
}

test("with a prefetch of one a batch is one message, otherwise at most half of the prefetch", async () => {
  for (const [prefetchCount, expected] of [
    [1, 1],
    [10, 5],
  ] as const) {
    const broker = createBroker();
    send(broker, ...Array.from({ length: 30 }, (_, i) => prepared(BigInt(i))));
    const sizes: number[] = [];
    const metrics = { count: () => {}, batch: (size: number) => void sizes.push(size), stopped: () => {} };
    const consumer = start(broker, { prefetchCount, metrics });
    await waitFor(() => sizes.reduce((sum, size) => sum + size, 0) === 30);
    await consumer.stop();
    assert.equal(Math.max(...sizes), expected);
  }
});

test("messages that cannot be understood are rejected with a logged reason, and the others are applied", async () => {
  const broker = createBroker();
  const body = Buffer.from(prepared(1n));
  send(broker, "{", prepared(1n), '{"type": "PreparedTransfer"}');
  broker.put(QUEUE, { contentType: "text/plain", type: "PreparedTransfer", body });
  broker.put(QUEUE, { contentType: "application/json", type: "constructor", body });
  broker.put(QUEUE, { contentType: undefined, type: undefined, body });
  const counted: string[] = [];
  const metrics = {
    count: (type: string, what: string) => void counted.push(`${type} ${what}`),
    batch: () => {},
    stopped: () => {},
  };
  const consumer = start(broker, { metrics });
  await waitFor(() => counted.length === 6);
  await consumer.stop();
  assert.equal(deadLetters(broker).length, 5);
  assert.equal(leftIn(broker), 0);
  assert.deepEqual(await dismissed(), [1n]);
  const reasons = consumer.logged.filter(({ msg }) => msg === "A message is rejected").map(({ reason }) => reason);
  assert.equal(reasons.length, 5);
  assert.ok(reasons.every((reason) => reason));
  assert.deepEqual(counted.sort(), [
    "PreparedTransfer applied",
    "PreparedTransfer rejected",
    "PreparedTransfer rejected",
    "PreparedTransfer rejected",
    "unknown rejected",
    "unknown rejected",
  ]);
});

test("messages about other accounts and other transfers are acknowledged without effect, which is logged", async () => {
  const broker = createBroker();
  const body = Buffer.from(bodyOf("AccountUpdate", { creditor_id: "1" }));
  broker.put(QUEUE, { contentType: "application/json", type: "AccountUpdate", body });
  send(broker, bodyOf("PreparedTransfer", { coordinator_type: '"direct"' }), prepared(1n));
  const consumer = start(broker);
  await waitFor(async () => (await dismissed()).length === 1);
  await consumer.stop();
  assert.equal(leftIn(broker), 0);
  assert.equal(deadLetters(broker).length, 0);
  const counts = consumer.logged.flatMap((line) =>
    /no effect/.test(line.msg) ? [(line as { count?: number }).count] : [],
  );
  assert.deepEqual(counts, [2]);
});

test("a message that the database cannot store is rejected, and affects no other of its batch", async () => {
  const broker = createBroker();
  send(broker, ...[1n, 2n, POISON, 4n, 5n].map((id) => prepared(id)));
  const consumer = start(broker);
  await waitFor(() => deadLetters(broker).length === 1);
  await waitFor(async () => (await dismissed()).length === 4);
  await consumer.stop();
  assert.deepEqual(deadLetters(broker), [prepared(POISON)]);
  assert.deepEqual(await dismissed(), [1n, 2n, 4n, 5n]);
  assert.equal(leftIn(broker), 0);
});

test("a message for a foreign debtor is left in the queue, and the consumer stops with an error", async () => {
  const broker = createBroker();
  send(broker, prepared(1n), prepared(2n, 1001n), prepared(3n), "{");
  const consumer = start(broker);
  await assert.rejects(consumer.running, ForeignDebtorError);
  assert.deepEqual(await dismissed(), [1n, 3n], "the others are dealt with");
  assert.deepEqual(
    broker.messagesIn(QUEUE).map(({ body }) => body.toString()),
    [prepared(2n, 1001n)],
  );
  assert.equal(deadLetters(broker).length, 1);
});

/** A pool whose next transactions fail as if the database were unavailable. */
function awayFor(times: number): Pool {
  const transaction: Pool["transaction"] = async (work) => {
    if (times-- > 0) throw new DatabaseUnavailableError("The database is unavailable");
    return pool.transaction(work);
  };
  return { ...pool, transaction };
}

test("while the database is unavailable the messages wait, and are applied when it is back", async () => {
  const broker = createBroker();
  send(broker, prepared(1n), prepared(2n));
  const consumer = start(broker, { pool: awayFor(3) });
  await waitFor(async () => (await dismissed()).length === 2);
  await consumer.stop();
  assert.equal(leftIn(broker), 0);
});

test("messages that have been held for ten minutes go back to the queue, and come again when they could be applied", {
  timeout: 30_000,
}, async (t) => {
  const beginning = performance.now();
  let elapsed = 0;
  t.mock.method(performance, "now", () => beginning + elapsed);
  let isAway = true;
  const transaction: Pool["transaction"] = async (work) => {
    if (!isAway) return pool.transaction(work);
    elapsed += 299_000;
    throw new DatabaseUnavailableError("The database cannot be reached: no route");
  };
  const broker = createBroker();
  send(broker, prepared(1n), prepared(2n));
  const health = createHealth();
  const consumer = start(broker, { pool: { ...pool, transaction }, health });
  // The clock that `waitFor` looks at is the one that is ahead.
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise(setImmediate);
  };
  await until(() => health.reasons().length > 0);
  assert.deepEqual(health.reasons(), ["The database cannot be reached: no route"]);
  await until(() => leftIn(broker) === 2);
  isAway = false;
  await until(() => health.reasons().length === 0);
  t.mock.restoreAll();
  await waitFor(() => leftIn(broker) === 0);
  await consumer.stop();
  assert.equal(leftIn(broker), 0);
  assert.deepEqual(await dismissed(), [1n, 2n]);
});

test("a queue that the broker does not let be consumed is waited for, with the broker's words", async () => {
  await using host = await createTestVirtualHost();
  const connection = await amqp.connect(host.url);
  const channel = await connection.createChannel();
  await channel.assertQueue(QUEUE, { durable: true });
  const { consumerTag } = await channel.consume(QUEUE, () => {}, { exclusive: true });
  const log = pino({ level: "silent" });
  const broker = await connectRabbitMq({ url: host.url, connectionName: "test", log });
  const health = createHealth();
  const consumer = start(broker, { health });
  const refused = /The queue in cannot be consumed: .*ACCESS_REFUSED.*exclusive use/;
  await Promise.race([consumer.running, waitFor(() => health.reasons().some((reason) => refused.test(reason)))]);
  await channel.cancel(consumerTag);
  channel.sendToQueue(QUEUE, Buffer.from(prepared(5n)), { contentType: "application/json", type: "PreparedTransfer" });
  await waitFor(async () => (await dismissed()).length === 1);
  assert.deepEqual(health.reasons(), []);
  await consumer.stop();
  await broker.close();
  await connection.close();
});

test("stopping while the database is unavailable leaves the messages in the queue, and is no error", async () => {
  const broker = createBroker();
  send(broker, prepared(1n), prepared(2n));
  const consumer = start(broker, { pool: awayFor(Number.POSITIVE_INFINITY) });
  await waitFor(() => consumer.logged.some(({ msg }) => /Waiting .* database/.test(msg)));
  await consumer.stop();
  assert.equal(leftIn(broker), 2);
});

/** Runs statements before and after messages are delivered that the first ones make impossible to apply. */
for (const [what, breakIt, mendIt, reason] of [
  [
    "a sequence that is behind its rows",
    `select setval('finalize_transfer_signal_signal_id_seq', 1, false);
     insert into finalize_transfer_signal
     select now(), 1, id, 0, 0, 0, 0, '', '', 0 from generate_series(1, 40) as id`,
    "select setval('finalize_transfer_signal_signal_id_seq', 1000)",
    /duplicate key/,
  ],
  [
    "a sequence that is exhausted",
    `alter sequence finalize_transfer_signal_signal_id_seq maxvalue 10000;
     select setval('finalize_transfer_signal_signal_id_seq', 10000)`,
    "alter sequence finalize_transfer_signal_signal_id_seq no maxvalue",
    /maximum value/,
  ],
  [
    "a missing table",
    "alter table finalize_transfer_signal rename to elsewhere",
    "alter table elsewhere rename to finalize_transfer_signal",
    /does not exist/,
  ],
  [
    "a trigger that raises an error",
    `create function refuse() returns trigger language plpgsql as 'begin raise exception ''not today''; end';
     create trigger refuse before insert on finalize_transfer_signal for each row execute function refuse()`,
    "drop function refuse cascade",
    /not today/,
  ],
  [
    "a trigger that checks something of its own",
    `create function refuse() returns trigger language plpgsql
     as 'begin raise exception ''no more today'' using errcode = ''check_violation''; end';
     create trigger refuse before insert on finalize_transfer_signal for each row execute function refuse()`,
    "drop function refuse cascade",
    /no more today/,
  ],
  [
    "a trigger that counts too far",
    `create function refuse() returns trigger language plpgsql
     as 'begin perform (2147483647 + new.coordinator_id * 0 + 1)::integer; return new; end';
     create trigger refuse before insert on finalize_transfer_signal for each row execute function refuse()`,
    "drop function refuse cascade",
    /out of range/,
  ],
  [
    "a constraint of somebody else",
    "alter table finalize_transfer_signal add check (transfer_id <> 77)",
    "alter table finalize_transfer_signal drop constraint finalize_transfer_signal_transfer_id_check",
    /violates check constraint.*that is not of this program/,
  ],
  [
    "a column of somebody else",
    "alter table finalize_transfer_signal add mine integer not null",
    "alter table finalize_transfer_signal drop mine",
    /that is not of this program/,
  ],
  [
    "a missing column",
    "alter table finalize_transfer_signal rename transfer_note to elsewhere",
    "alter table finalize_transfer_signal rename elsewhere to transfer_note",
    /not set up/,
  ],
  [
    "an index that is damaged",
    `create function refuse() returns trigger language plpgsql
     as 'begin raise exception ''index is damaged'' using errcode = ''XX002''; end';
     create trigger refuse before insert on finalize_transfer_signal for each row execute function refuse()`,
    "drop function refuse cascade",
    /may be damaged: see the log of PostgreSQL/,
  ],
] as const) {
  test(`${what} is not the fault of a message: it is kept until it can be applied`, async () => {
    const run = (text: string) => pool.run({ name: "", text });
    await run(breakIt);
    const broker = createBroker();
    const health = createHealth();
    send(broker, prepared(77n));
    const consumer = start(broker, { health });
    await waitFor(() => health.reasons().some((text) => reason.test(text)));
    assert.equal(deadLetters(broker).length, 0);
    await run(mendIt);
    await waitFor(async () => (await dismissed()).includes(77n));
    await consumer.stop();
    assert.equal(leftIn(broker) + deadLetters(broker).length, 0);
    assert.deepEqual(health.reasons(), []);
  });
}

test("a bug keeps the messages, and stopping leaves them in the queue", async () => {
  const broker = createBroker();
  send(broker, prepared(1n));
  const transaction = async (): Promise<never> => {
    throw new TypeError("a bug");
  };
  const consumer = start(broker, { pool: { ...pool, transaction } });
  await waitFor(() => consumer.logged.some(({ msg }) => /reason other than their content/.test(msg)));
  await consumer.stop();
  assert.equal(leftIn(broker), 1);
});

test("a body of more than 64 KiB is rejected before it is parsed, and one of just that size is read", async () => {
  const broker = createBroker();
  const padded = (size: number): string => prepared(5n).padEnd(size);
  send(broker, padded(65_536), padded(65_537), `{"x":[${"1,".repeat(2_000_000)}1]}`, "[".repeat(100_000));
  const consumer = start(broker);
  await waitFor(() => deadLetters(broker).length === 3);
  await waitFor(async () => (await dismissed()).length === 1);
  await consumer.stop();
  const reasons = consumer.logged.flatMap(({ reason }) => reason ?? []);
  assert.ok(reasons.every((reason) => /bytes; at most 65536 are allowed/.test(reason)));
});

test("stopping finishes what is under way and leaves the rest in the queue", async () => {
  const broker = createBroker();
  send(broker, ...Array.from({ length: 200 }, (_, i) => prepared(BigInt(i))));
  const consumer = start(broker, { prefetchCount: 4 });
  await waitFor(async () => (await dismissed()).length > 0);
  await consumer.stop();
  assert.equal((await dismissed()).length + leftIn(broker), 200, "none is lost, none is there twice");
});

test("a queue that is deleted or missing is waited for, which is said and counted", async () => {
  await using host = await createTestVirtualHost();
  const connection = await amqp.connect(host.url);
  const channel = await connection.createChannel();
  const log = pino({ level: "silent" });
  const broker = await connectRabbitMq({ url: host.url, connectionName: "test", log });
  const health = createHealth();
  let isStopped = false;
  const metrics = {
    stopped: (next: boolean) => {
      isStopped = next;
    },
    count: () => {},
    batch: () => {},
  };
  const consumer = start(broker, { health, metrics });
  const binding = { url: host.url, queue: QUEUE, routingKey: "#" };
  const missing = "There is no queue in: nothing is consumed until `swpt-debtors subscribe` declares it";
  for (const transferId of [5n, 6n]) {
    await Promise.race([consumer.running, waitFor(() => health.reasons().includes(missing))]);
    assert.ok(isStopped);
    assert.equal(consumer.logged.at(-1)?.msg, missing);
    await subscribe(binding);
    channel.sendToQueue(QUEUE, Buffer.from(prepared(transferId)), {
      contentType: "application/json",
      type: "PreparedTransfer",
    });
    await waitFor(async () => (await dismissed()).includes(transferId));
    assert.deepEqual(health.reasons(), []);
    assert.equal(isStopped, false);
    await channel.deleteQueue(QUEUE);
  }
  await consumer.stop();
  await broker.close();
  await connection.close();
});

test("nothing of the attempts is left while a queue is missing", async (t) => {
  const any = t.mock.method(AbortSignal, "any");
  const broker = createBroker();
  broker.deleteQueue(QUEUE);
  const consume = t.mock.method(broker, "consume");
  const consumer = start(broker);
  await waitFor(() => consume.mock.callCount() === 3);
  const signals = any.mock.calls.map(({ result }) => result!).slice(0, 2);
  assert.deepEqual(
    signals.map((signal) => getEventListeners(signal, "abort").length),
    [0, 0],
  );
  await consumer.stop();
});

test("a queue that is missing is the expected end in draining mode", async () => {
  const broker = createBroker();
  broker.deleteQueue(QUEUE);
  const draining = start(broker, { drain: true });
  await draining.running;
  assert.deepEqual(
    draining.logged.map(({ level, msg }) => [level, msg]),
    [[WARNING, `There is no queue ${QUEUE}: nothing is drained`]],
    "its name may be wrong",
  );
});

test("in draining mode the consumption of an idle queue is paused, for longer and longer", async () => {
  const broker = createBroker();
  let consumers = 0;
  const counting: Broker = {
    ...broker,
    consume: async (options) => {
      consumers++;
      return broker.consume(options);
    },
  };
  send(broker, prepared(1n));
  const drainPauses = { idleMillis: 5, firstMillis: 10, maxMillis: 40 };
  const consumer = start(counting, { drain: true, drainPauses });
  await waitFor(() => consumers >= 5);
  send(broker, prepared(2n));
  await waitFor(async () => (await dismissed()).length === 2);
  await consumer.stop();
  const pauses = consumer.logged.flatMap((line) => (line as { pauseSeconds?: number }).pauseSeconds ?? []);
  assert.deepEqual(pauses.slice(0, 4), [0.01, 0.02, 0.04, 0.04]);
  assert.equal(leftIn(broker), 0);
});

test("on RabbitMQ nothing is lost when the connection breaks under load, and repeated messages are harmless", async () => {
  await using host = await createTestVirtualHost();
  await subscribe({ url: host.url, queue: QUEUE, routingKey: "#" });
  await using relay = await makeBreakable(host.url);
  const log = pino({ level: "silent" });
  const broker = await connectRabbitMq({ url: relay.url, connectionName: "test", log });
  const publisher = await connectRabbitMq({ url: host.url, connectionName: "test", log });
  const realm = { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard: parseShard("#")! };
  const consumer = start(broker, { realm, prefetchCount: 20, batches: 2 });
  const publish = (from: number) =>
    publisher.publish(
      Array.from({ length: 300 }, (_, i) => ({
        exchange: INCOMING_EXCHANGE,
        routingKey: "",
        type: "PreparedTransfer",
        appId: "test",
        headers: {},
        body: prepared(BigInt(1000 + from + i), INT64_MIN + BigInt(i)),
      })),
    );
  for (const from of [0, 300, 600]) {
    assert.ok((await publish(from)).every((outcome) => outcome === "confirmed"));
    relay.breakAll();
  }
  await waitFor(async () => (await dismissed()).length === 900);
  await consumer.stop();
  const connection = await amqp.connect(host.url);
  const channel = await connection.createChannel();
  await waitFor(async () => (await channel.checkQueue(QUEUE)).messageCount === 0);
  await connection.close();
  await broker.close();
  await publisher.close();
});
