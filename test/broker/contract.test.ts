/** What every implementation of `Broker` promises: the same tests for RabbitMQ and for the one in memory. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import amqp from "amqplib";
import { pino } from "pino";
import { agentTopology, INCOMING_EXCHANGE, OUTGOING_EXCHANGE } from "../../src/broker/agent-topology.ts";
import {
  type Broker,
  type ConsumeOptions,
  type Consumer,
  type Delivery,
  type Publication,
  QueueNotFoundError,
} from "../../src/broker/broker.ts";
import { subscribe } from "../../src/broker/declare-topology.ts";
import { createMemoryBroker } from "../../src/broker/memory.ts";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";

const QUEUE = "test_queue";

interface TestBroker extends AsyncDisposable {
  readonly broker: Broker;
  deadLetterCount(): Promise<number>;
  deleteQueue(): Promise<void>;
}

const host = await createTestVirtualHost();
after(() => host.close());

async function openRabbitMq(): Promise<TestBroker> {
  const connection = await amqp.connect(host.url);
  const channel = await connection.createChannel();
  for (const name of [QUEUE, `${QUEUE}.XQ`]) await channel.deleteQueue(name);
  await subscribe({ url: host.url, queue: QUEUE, routingKey: "1.#" });
  const broker = await connectRabbitMq({ url: host.url, connectionName: "test", log: pino({ level: "silent" }) });
  return {
    broker,
    deadLetterCount: async () => (await channel.checkQueue(`${QUEUE}.XQ`)).messageCount,
    deleteQueue: async () => void (await channel.deleteQueue(QUEUE)),
    [Symbol.asyncDispose]: async () => {
      await broker.close();
      await connection.close();
    },
  };
}

async function openMemory(): Promise<TestBroker> {
  const broker = createMemoryBroker(agentTopology(QUEUE, "1.#"));
  return {
    broker,
    deadLetterCount: async () => broker.messagesIn(`${QUEUE}.XQ`).length,
    deleteQueue: async () => broker.deleteQueue(QUEUE),
    [Symbol.asyncDispose]: () => broker.close(),
  };
}

const incoming = (body: string, routingKey = "1.0.1"): Publication => ({
  exchange: INCOMING_EXCHANGE,
  routingKey,
  type: "Something",
  appId: "test",
  headers: { "debtor-id": 1n },
  body: JSON.stringify(body),
});

/** A consumer that remembers what it got. */
async function collect(broker: Broker, options: Partial<ConsumeOptions> = {}) {
  const deliveries: Delivery[] = [];
  const ends: Error[] = [];
  const consumer: Consumer = await broker.consume({
    queue: QUEUE,
    prefetchCount: 0,
    prefetchSize: 0,
    onDelivery: (delivery) => deliveries.push(delivery),
    onEnd: (reason) => ends.push(reason),
    ...options,
  });
  const bodies = (): string[] => deliveries.map(({ body }) => JSON.parse(body.toString()));
  const received = (count: number): Promise<unknown> => waitFor(() => deliveries.length >= count);
  return { consumer, deliveries, bodies, received, ends };
}

for (const [name, open] of [
  ["RabbitMQ", openRabbitMq],
  ["the broker in memory", openMemory],
] as const) {
  describe(name, () => {
    test("delivers what was confirmed, in order, with its type, content type and exact body", async () => {
      await using it = await open();
      const outcomes = await it.broker.publish(["a", "é\u{1f600}", "c"].map((body) => incoming(body)));
      assert.deepEqual(outcomes, ["confirmed", "confirmed", "confirmed"]);
      const { consumer, deliveries, bodies, received } = await collect(it.broker);
      await received(3);
      assert.deepEqual(bodies(), ["a", "é\u{1f600}", "c"]);
      const { type, contentType, redelivered } = deliveries[1]!;
      assert.deepEqual(
        { type, contentType, redelivered },
        { type: "Something", contentType: "application/json", redelivered: false },
      );
      await consumer.close();
    });

    test("tells apart which messages of a batch no queue is bound for", async () => {
      await using it = await open();
      const batch = [incoming("a"), incoming("b", "0.1"), incoming("b"), incoming("b", "0.1"), incoming("c", "1")];
      const expected = ["confirmed", "returned", "confirmed", "returned", "confirmed"];
      assert.deepEqual(await it.broker.publish(batch), expected);
      assert.deepEqual(await it.broker.publish([{ ...incoming("d"), exchange: OUTGOING_EXCHANGE }]), ["returned"]);
    });

    test("publishes several batches at a time, and an empty one", async () => {
      await using it = await open();
      const batches = [300, 0, 1, 500].map((count) =>
        Array.from({ length: count }, (_, i) => incoming(`${count} ${i}`)),
      );
      const outcomes = await Promise.all(batches.map((batch) => it.broker.publish(batch)));
      assert.deepEqual(
        outcomes,
        batches.map((batch) => batch.map(() => "confirmed")),
      );
      const { received, consumer } = await collect(it.broker);
      await received(801);
      await consumer.close();
    });

    test("fails messages for an exchange that does not exist, and continues with the next", async () => {
      await using it = await open();
      assert.deepEqual(await it.broker.publish([{ ...incoming("a"), exchange: "nowhere" }]), ["failed"]);
      assert.deepEqual(await it.broker.publish([incoming("b")]), ["confirmed"]);
    });

    test("redelivers what a closed consumer did not acknowledge, and only that", async () => {
      await using it = await open();
      await it.broker.publish(["a", "b", "c", "d"].map((body) => incoming(body)));
      const first = await collect(it.broker);
      await first.received(4);
      first.consumer.acknowledge([first.deliveries[2]!, first.deliveries[0]!]);
      await first.consumer.close();
      const second = await collect(it.broker);
      await second.received(2);
      assert.deepEqual(second.bodies(), ["b", "d"]);
      assert.ok(second.deliveries.every(({ redelivered }) => redelivered));
      second.consumer.acknowledge(second.deliveries);
      await second.consumer.close();
      await assert.doesNotReject(async () => second.consumer.acknowledge(second.deliveries));
    });

    test("dead-letters what is rejected", async () => {
      await using it = await open();
      await it.broker.publish(["a", "b", "c"].map((body) => incoming(body)));
      const { consumer, deliveries, received } = await collect(it.broker);
      await received(3);
      consumer.reject([deliveries[1]!]);
      consumer.acknowledge([deliveries[0]!, deliveries[2]!]);
      await waitFor(async () => (await it.deadLetterCount()) === 1);
      await consumer.close();
    });

    test("delivers no more than the prefetch count until something is acknowledged", async () => {
      await using it = await open();
      await it.broker.publish(["a", "b", "c"].map((body) => incoming(body)));
      const { consumer, deliveries, bodies, received } = await collect(it.broker, { prefetchCount: 2 });
      await received(2);
      await it.broker.publish([incoming("d")]);
      assert.deepEqual(bodies(), ["a", "b"]);
      consumer.acknowledge([deliveries[0]!]);
      await received(3);
      assert.deepEqual(bodies(), ["a", "b", "c"]);
      await consumer.close();
    });

    test("delivers nothing after a cancellation, but still accepts acknowledgements", async () => {
      await using it = await open();
      await it.broker.publish([incoming("a")]);
      const first = await collect(it.broker);
      await first.received(1);
      await first.consumer.cancel();
      await it.broker.publish([incoming("b")]);
      first.consumer.acknowledge(first.deliveries);
      await first.consumer.close();
      const second = await collect(it.broker);
      await second.received(1);
      assert.deepEqual(second.bodies(), ["b"]);
      assert.deepEqual(first.bodies(), ["a"]);
      await second.consumer.close();
    });

    test("rejects the consumer of a queue that does not exist", async () => {
      await using it = await open();
      await assert.rejects(collect(it.broker, { queue: "nowhere" }), QueueNotFoundError);
    });

    test("notifies a consumer that its queue has been deleted", async () => {
      await using it = await open();
      const { ends, consumer } = await collect(it.broker);
      await it.deleteQueue();
      await waitFor(() => ends.length > 0);
      assert.ok(ends[0] instanceof QueueNotFoundError);
      await consumer.close();
    });

    test("shares the messages between several consumers of a queue", async () => {
      await using it = await open();
      const first = await collect(it.broker, { prefetchCount: 1 });
      const second = await collect(it.broker, { prefetchCount: 1 });
      await it.broker.publish(["a", "b"].map((body) => incoming(body)));
      await Promise.all([first.received(1), second.received(1)]);
      assert.deepEqual([...first.bodies(), ...second.bodies()].sort(), ["a", "b"]);
      await first.consumer.close();
      await second.consumer.close();
    });
  });
}
