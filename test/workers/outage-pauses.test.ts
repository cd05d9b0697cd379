/** However long a server has been away: within three seconds from its return it is used again. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import amqp, { type ConsumeMessage } from "amqplib";
import { pino } from "pino";
import { agentTopology } from "../../src/broker/agent-topology.ts";
import type { Broker } from "../../src/broker/broker.ts";
import { createMemoryBroker } from "../../src/broker/memory.ts";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { connectRecovering } from "../../src/broker/rabbitmq-connection.ts";
import { createDeadLetters } from "../../src/broker/rabbitmq-dead-letters.ts";
import { openPool } from "../../src/database/database.ts";
import { listenForWakes } from "../../src/database/wake.ts";
import { createIncomingQueue } from "../../src/gateway/incoming-queue.ts";
import { untilSchemaIsCurrent } from "../../src/processes/readiness.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { parseShard } from "../../src/values/shard.ts";
import { createConsumer } from "../../src/workers/consumer.ts";
import { createFlusher } from "../../src/workers/flusher.ts";
import { createScanner } from "../../src/workers/scanner.ts";
import { bodyOf } from "../messages/sample-messages.ts";
import { longestOfSkippedPauses } from "../support/pauses.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";

const RECOVERY_MILLIS_MAX = 3_000;
/** A consumer may have to wait for the connection first, and then for its queue. */
const BROKER_PAUSE_MILLIS_MAX = RECOVERY_MILLIS_MAX / 2;

const log = pino({ level: "silent" });
const realm = { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard: parseShard("#")! };
const QUEUE = "in";
const url = "postgresql://nobody@127.0.0.1:1/nowhere";
const pool = openPool({ url, size: 4, applicationName: "test" });
after(() => pool.close());

const runFlusher = (signal: AbortSignal, broker: Broker = createMemoryBroker(agentTopology(QUEUE, "#"))) =>
  createFlusher({
    pool,
    broker,
    outbox: "prepare_transfer",
    burstCount: 100,
    periodSeconds: 60,
    realm,
    deleteParentShardRecords: false,
    log,
  }).run(signal);

function runConsumer(signal: AbortSignal): Promise<unknown> {
  const broker = createMemoryBroker(agentTopology(QUEUE, "#"));
  const body = Buffer.from(bodyOf("PreparedTransfer", {}));
  broker.put(QUEUE, { contentType: "application/json", type: "PreparedTransfer", body });
  const options = { prefetchCount: 10, prefetchSize: 0, batches: 1, drain: false };
  return createConsumer({ pool, broker, queue: QUEUE, realm, log, ...options }).run(signal);
}

const runScanner = (signal: AbortSignal): Promise<unknown> =>
  createScanner({
    pool,
    rules: {
      realm,
      deleteParentShardRecords: false,
      inactiveDebtorRetentionDays: 14,
      heartbeatDelayDaysMax: 365,
      configDelayHoursMax: 24,
    },
    pace: { days: 7, blocksPerQuery: 40, beatMillis: 20 },
    log,
  }).run(signal);

const awaitSchema = (signal: AbortSignal): Promise<unknown> => untilSchemaIsCurrent(pool, log, signal);

for (const [what, run] of [
  ["a flusher", runFlusher],
  ["a scanner", runScanner],
  ["a process that waits for its tables", awaitSchema],
  ["a listener for wake-ups", (signal: AbortSignal) => listenForWakes({ url, onWake: () => {}, log, signal })],
  ["a consumer with messages", runConsumer],
] as const) {
  test(`${what} tries the database again within three seconds`, async (t) => {
    const longest = longestOfSkippedPauses(t);
    const life = new AbortController();
    const running = run(life.signal);
    const millis = await longest;
    life.abort();
    await running;
    assert.ok(millis <= RECOVERY_MILLIS_MAX, String(millis));
  });
}

test("a flusher looks for the broker again within half of that time", async (t) => {
  const longest = longestOfSkippedPauses(t);
  const life = new AbortController();
  const broker = { ...createMemoryBroker(agentTopology(QUEUE, "#")), isConnected: () => false };
  const running = runFlusher(life.signal, broker);
  const millis = await longest;
  life.abort();
  await running;
  assert.ok(millis <= BROKER_PAUSE_MILLIS_MAX, String(millis));
});

test("what peers send is published again within three seconds", async (t) => {
  const longest = longestOfSkippedPauses(t);
  let isUp = false;
  const { promise: confirmed, resolve } = Promise.withResolvers<unknown>();
  const queue = createIncomingQueue({
    broker: { publish: async (messages) => messages.map(() => (isUp ? "confirmed" : "failed")) },
    confirmMillisMax: Infinity,
    onConfirmed: resolve,
    onDelay: () => {},
    onGivenUp: () => {},
    log,
  });
  const body = Buffer.from("{}");
  const publication = { exchange: "e", routingKey: "k", type: "t", appId: "a", headers: {}, body };
  queue.add({ type: "t", publication, receivedAt: performance.now() });
  const millis = await longest;
  isUp = true;
  await confirmed;
  assert.ok(millis <= RECOVERY_MILLIS_MAX, String(millis));
});

test("a consumer tries to have its queue again within half of that time", async (t) => {
  await using host = await createTestVirtualHost();
  const other = await amqp.connect(host.url);
  const channel = await other.createChannel();
  await channel.assertQueue(QUEUE);
  await channel.consume(QUEUE, () => {}, { exclusive: true });
  const broker = await connectRabbitMq({ url: host.url, connectionName: "test", log });
  const longest = longestOfSkippedPauses(t);
  const options = { queue: QUEUE, prefetchCount: 1, prefetchSize: 0, onDelivery: () => {}, onEnd: () => {} };
  const refused = assert.rejects(broker.consume(options));
  const millis = await longest;
  await broker.close();
  await refused;
  await other.close();
  assert.ok(millis <= BROKER_PAUSE_MILLIS_MAX, String(millis));
});

test("a rejected message is sent to the dead-letter queue again within three seconds", async (t) => {
  const longest = longestOfSkippedPauses(t);
  const life = new AbortController();
  const letters = createDeadLetters({
    queue: QUEUE,
    send: async (messages) => messages.map(() => "failed" as const),
    onSent: () => {},
    onReturned: () => {},
    lost: life.signal,
    log,
  });
  const message = { content: Buffer.from("{}"), fields: { exchange: "", routingKey: QUEUE }, properties: {} };
  letters.put([{ message: message as ConsumeMessage }]);
  const millis = await longest;
  life.abort();
  await letters.finish();
  assert.ok(millis <= RECOVERY_MILLIS_MAX, String(millis));
});

test("a connection tries the broker again within half of that time", async (t) => {
  t.mock.method(Math, "random", () => 1);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const connection = await connectRecovering("amqp://127.0.0.1:1", "test");
  const { promise: tenth, resolve } = Promise.withResolvers<void>();
  const pauses: number[] = [];
  connection.on("reconnect-scheduled", ({ delay }: { delay: number }) => {
    pauses.push(delay);
    if (pauses.length === 10) resolve();
    else setImmediate(() => t.mock.timers.tick(delay));
  });
  await tenth;
  await connection.close();
  assert.ok(Math.max(...pauses) <= BROKER_PAUSE_MILLIS_MAX, String(pauses));
});
