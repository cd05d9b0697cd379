import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "amqplib";
import { marksOf, OUTGOING_EXCHANGE } from "../../src/broker/agent-topology.ts";
import { subscribe } from "../../src/broker/declare-topology.ts";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { DatabaseWentBackError } from "../../src/workers/flush-guard.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import {
  copyOf,
  createBroker,
  createDatabase,
  createWarnings,
  losingOnce,
  QUEUE,
  silent,
  start,
  withholdingMarks,
  write,
} from "./guard-fixture.ts";

test("a mark that is not confirmed delays its burst by a second, and is reported once until they are confirmed again", async () => {
  const { pool } = await createDatabase();
  const memory = createBroker();
  const withholding = withholdingMarks(memory);
  const warnings = createWarnings();
  const flusher = start(pool, withholding.broker, warnings.log);
  for (let i = 0; i < 2; i++) {
    await write(pool);
    assert.equal(await flusher.runOnce(), 1);
  }
  assert.equal(memory.messagesIn("out").length, 2);
  assert.equal(withholding.heldCount(), 2);
  assert.equal(warnings.events.length, 1);
  assert.match(warnings.events[0]!, /does not confirm a flusher's mark.*sent nevertheless/);
  withholding.confirmAgain();
  await write(pool);
  assert.equal(await flusher.runOnce(), 1);
  assert.match(warnings.events[1]!, /confirms the flushers' marks again/);
});

test("a mark that never comes is no alarm, also when an earlier burst was not committed and its messages were sent again", async () => {
  const { pool } = await createDatabase();
  const memory = createBroker();
  await write(pool);
  const crashing = start(losingOnce(pool), memory);
  await assert.rejects(crashing.runOnce(), /lost/);
  const withholding = withholdingMarks(memory);
  assert.equal(await start(pool, withholding.broker).runOnce(), 1);
  assert.equal(withholding.heldCount(), 1);
  // The last mark of the stream is that of the burst that was not committed, and its message does not wait any more.
  assert.equal(await start(pool, memory).runOnce(), 0);
});

test("a mark that comes late hides nothing that was sent after it, and is no alarm itself", async () => {
  const database = await createDatabase();
  const { pool } = database;
  const memory = createBroker();
  const withholding = withholdingMarks(memory);
  await write(pool);
  assert.equal(await start(pool, withholding.broker).runOnce(), 1);
  const standby = await copyOf(database);
  await write(pool);
  assert.equal(await start(pool, memory).runOnce(), 1);
  await withholding.deliver();

  assert.equal(await start(pool, memory).runOnce(), 0);
  await assert.rejects(start(standby, memory).runOnce(), DatabaseWentBackError);
});

test("on RabbitMQ the marks are in a stream, which is read to its end", async () => {
  await using host = await createTestVirtualHost();
  const { pool } = await createDatabase();
  const broker = await connectRabbitMq({ url: host.url, connectionName: "test", log: silent });
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

test("without the stream messages are sent, and each process says once which command declares it", async () => {
  await using host = await createTestVirtualHost();
  const { pool } = await createDatabase();
  await subscribe({ url: host.url, queue: QUEUE, routingKey: "#" });
  const connection = await connect(host.url);
  const channel = await connection.createChannel();
  await channel.assertQueue("out");
  await channel.bindQueue("out", OUTGOING_EXCHANGE, "");
  await channel.deleteQueue(marksOf(QUEUE));
  await connection.close();
  const broker = await connectRabbitMq({ url: host.url, connectionName: "test", log: silent });
  const warnings = createWarnings();
  const flusher = start(pool, broker, warnings.log);
  for (let i = 0; i < 2; i++) {
    await write(pool);
    assert.equal(await flusher.runOnce(), 1);
  }
  assert.equal(warnings.events.length, 1);
  assert.match(warnings.events[0]!, /stream of the flushers' marks is missing.*`swpt-debtors subscribe` declares/);
  await broker.close();
});
