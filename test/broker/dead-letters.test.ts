/** What is rejected comes into the dead-letter queue, a stream, also on a RabbitMQ that drops what it dead-letters there. */
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import amqplib, { type ConsumeMessage } from "amqplib";
import { pino } from "pino";
import type { Consumer, Delivery } from "../../src/broker/broker.ts";
import { subscribe } from "../../src/broker/declare-topology.ts";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { createDeadLetters, losesDeadLetters } from "../../src/broker/rabbitmq-dead-letters.ts";
import { createPublisher } from "../../src/broker/rabbitmq-publisher.ts";
import { connect } from "../support/amqp.ts";
import { followDeadLetters } from "../support/dead-letters.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";

const queue = "swpt_debtors";
const stream = `${queue}.XQ`;
const silent = pino({ level: "silent" });
const host = await createTestVirtualHost();
const connection = await connect(host.url);
const isDeadLetteredHere = losesDeadLetters(String(connection.connection.serverProperties.version));
const channel = await connection.createConfirmChannel();
after(async () => {
  await connection.close();
  await host.close();
});
beforeEach(async () => {
  for (const name of [queue, stream]) await channel.deleteQueue(name);
  await subscribe({ url: host.url, queue, routingKey: "#" });
});

/** Collects what is and will be in the stream. */
async function readStream(): Promise<ConsumeMessage[]> {
  const found: ConsumeMessage[] = [];
  const reader = await connection.createChannel();
  await followDeadLetters(reader, stream, (message) => found.push(message));
  return found;
}

const readyCount = async (): Promise<number> => (await channel.checkQueue(queue)).messageCount;

/** A consumer that rejects all that it gets. */
async function startRejecting(log = silent) {
  const broker = await connectRabbitMq({ url: host.url, connectionName: "test", log });
  const rejected: Delivery[] = [];
  let consumer: Consumer | undefined;
  consumer = await broker.consume({
    queue,
    prefetchCount: 10,
    prefetchSize: 0,
    onDelivery: (delivery) => {
      rejected.push(delivery);
      consumer?.reject([delivery]);
    },
    onEnd: (reason) => assert.fail(reason),
  });
  consumer.reject(rejected);
  return { broker, consumer, rejected };
}

test("a dead letter has the message's body, properties and headers, and the queue it comes from", async () => {
  const body = Buffer.from([0, 255, 1]);
  const properties = {
    contentType: "text/plain",
    type: "Nonsense",
    appId: "peer",
    messageId: "1",
    priority: 3,
    timestamp: 1_700_000_000,
  };
  const headers = {
    "debtor-id": { "!": "int64", value: 7n },
    part: 0.5,
    text: "é",
    big: { "!": "int64", value: 2n ** 62n + 1n },
  };
  channel.publish("debtors_in", "1.0", body, { ...properties, headers, expiration: "600000", CC: [queue] });
  await channel.waitForConfirms();
  const { broker, rejected } = await startRejecting();
  const [dead] = await waitFor(readStream).then((found) => waitFor(() => found.length > 0 && found));
  assert.deepEqual(dead!.content, body);
  // What RabbitMQ 4 dead-letters itself keeps these two as well; in a stream they mean nothing.
  const { headers: _, deliveryMode: __, expiration: ___, ...rest } = dead!.properties;
  const kept = Object.entries(rest).filter(([, value]) => value !== undefined);
  assert.deepEqual(Object.fromEntries(kept), properties);
  const { "debtor-id": debtorId, part, text, big, ...trace } = dead!.properties.headers!;
  assert.deepEqual([BigInt(debtorId), part, text], [7n, 0.5, "é"]);
  // RabbitMQ 4 keeps this one, but the client that reads it here rounds it.
  if (big !== undefined) assert.equal(Number(big), Number(2n ** 62n + 1n));
  assert.equal(trace["x-first-death-queue"], queue);
  assert.equal(trace["x-first-death-reason"], "rejected");
  assert.equal(trace["x-first-death-exchange"], "debtors_in");
  await broker.close();
  assert.equal(await readyCount(), 0);
  assert.equal(rejected.length, 1);
});

test("many rejected messages are dead-lettered in order, each once, before a consumer is closed", async () => {
  const bodies = Array.from({ length: 300 }, (_, index) => String(index));
  for (const body of bodies) channel.sendToQueue(queue, Buffer.from(body));
  await channel.waitForConfirms();
  const { broker, consumer, rejected } = await startRejecting();
  await waitFor(() => rejected.length === bodies.length);
  await consumer.cancel();
  await consumer.close();
  assert.equal(await readyCount(), 0);
  const found = await readStream();
  await waitFor(() => found.length >= bodies.length);
  assert.deepEqual(
    found.map(({ content }) => content.toString()),
    bodies,
  );
  await broker.close();
});

test("without a dead-letter queue a rejected message is dropped, which is said, and the consumer continues", async () => {
  await channel.deleteQueue(stream);
  channel.sendToQueue(queue, Buffer.from("a"));
  await channel.waitForConfirms();
  const errors: { readonly msg: string }[] = [];
  const log = pino({ level: "error" }, { write: (line: string) => errors.push(JSON.parse(line)) });
  const { broker, rejected } = await startRejecting(log);
  channel.sendToQueue(queue, Buffer.from("b"));
  await waitFor(() => rejected.length === 2);
  await broker.close();
  assert.equal(await readyCount(), 0);
  // Newer versions dead-letter by themselves.
  if (!isDeadLetteredHere) return;
  assert.deepEqual(
    errors.map(({ msg }) => msg),
    ["There is no dead-letter queue: rejected messages are lost until `swpt-debtors subscribe` declares it"],
  );
});

const message = (body: string, properties: object = {}): { message: ConsumeMessage } => {
  const fields = { deliveryTag: 1, redelivered: false, exchange: "", routingKey: queue, consumerTag: "" };
  return { message: { content: Buffer.from(body), fields, properties } as unknown as ConsumeMessage };
};

test("a message whose properties cannot be forwarded is dead-lettered without them, and delays no other", async () => {
  // Bytes that are no UTF-8 come as longer ones.
  const oversized = message("oversized", {
    type: "\u{fffd}".repeat(255),
    contentType: "a",
    headers: { x: "x".repeat(70_000) },
  });
  const sender = await amqplib.connect(host.url, { recovery: true });
  const sent: unknown[] = [];
  const letters = createDeadLetters({
    queue,
    send: createPublisher(sender, silent).send,
    onSent: (some) => sent.push(...some),
    onReturned: (some) => assert.deepEqual(some, []),
    lost: new AbortController().signal,
    log: silent,
  });
  letters.put([oversized]);
  const after = message("after", { type: "b" });
  letters.put([after]);
  await letters.finish();
  assert.deepEqual(sent, [oversized, after]);
  const found = await readStream();
  await waitFor(() => found.length === 2);
  assert.deepEqual(
    found.map(({ content, properties: { type, contentType } }) => [content.toString(), type, contentType]),
    [
      ["oversized", undefined, "a"],
      ["after", "b", undefined],
    ],
  );
  await sender.close();
});

// What RabbitMQ itself makes of such a header when it dead-letters is its own affair.
const forOurDeadLetters = { skip: !isDeadLetteredHere && "RabbitMQ dead-letters by itself" };
test("a message with a header that a stream cannot take loses the header on its way", forOurDeadLetters, async () => {
  const decimal = { "!": "decimal", value: { digits: 15, places: 1 } };
  channel.sendToQueue(queue, Buffer.from("decimal"), { headers: { decimal, list: [{ decimal }], text: "kept" } });
  await channel.waitForConfirms();
  const { broker } = await startRejecting();
  const found = await readStream();
  await waitFor(() => found.length === 1);
  const { headers } = found[0]!.properties;
  assert.equal(headers?.text, "kept");
  assert.ok(!("decimal" in headers) && !("list" in headers));
  await broker.close();
});

test("a dead letter that the broker does not confirm is sent again, and abandoned when its channel is lost", async () => {
  const life = new AbortController();
  const sent: unknown[] = [];
  let attempts = 0;
  const letters = createDeadLetters({
    queue,
    send: async (messages) => messages.map(() => (++attempts === 2 ? "confirmed" : "failed")),
    onSent: (some) => sent.push(...some),
    onReturned: () => {},
    lost: life.signal,
    log: silent,
  });
  const first = message("first");
  letters.put([first]);
  await letters.finish();
  assert.deepEqual(sent, [first]);
  letters.put([message("second")]);
  await waitFor(() => attempts === 3);
  life.abort();
  await letters.finish();
  assert.deepEqual(sent, [first]);
});

test("a message that is rejected just when all others have been sent is sent as well", async () => {
  for (let ticks = 0; ticks < 12; ticks++) {
    const sent: unknown[] = [];
    const letters = createDeadLetters({
      queue,
      send: async (messages) => messages.map(() => "confirmed" as const),
      onSent: (some) => sent.push(...some),
      onReturned: () => {},
      lost: new AbortController().signal,
      log: silent,
    });
    letters.put([message("first")]);
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
    letters.put([message("second")]);
    await letters.finish();
    assert.equal(sent.length, 2, `after ${ticks} ticks`);
  }
});

test("from version 3.12 on, RabbitMQ dead-letters by itself", () => {
  for (const version of ["3.9.29", "3.10.8", "3.11.0"]) assert.ok(losesDeadLetters(version), version);
  for (const version of ["3.12.0", "3.13.7", "4.0.1", "4.10.0"]) assert.ok(!losesDeadLetters(version), version);
});
