import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import amqp from "amqplib";
import { pino } from "pino";
import { INCOMING_EXCHANGE } from "../../src/broker/agent-topology.ts";
import {
  configurePeerQueue,
  deleteQueue,
  subscribe,
  TopologyConflictError,
  unsubscribe,
} from "../../src/broker/declare-topology.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";

const host = await createTestVirtualHost();
const connection = await amqp.connect(host.url);
const channel = await connection.createChannel();
after(async () => {
  await connection.close();
  await host.close();
});
const queue = "a_queue";
const binding = { url: host.url, queue, routingKey: "0.1.#" };
beforeEach(async () => {
  for (const name of [queue, `${queue}.XQ`, `${queue}.MK`]) await channel.deleteQueue(name);
});

const isLimiting = Number.parseInt(String(connection.connection.serverProperties.version), 10) >= 4;
const quorumArguments = (): Record<string, unknown> => ({
  "x-queue-type": "quorum",
  overflow: "reject-publish",
  "x-dead-letter-exchange": "",
  "x-dead-letter-routing-key": `${queue}.XQ`,
  ...(isLimiting && { "x-delivery-limit": -1 }),
});

const messageCount = async (): Promise<number> => (await channel.checkQueue(queue)).messageCount;
/** Publishes a message that is for the queue, and resolves to whether it is there now. */
async function isRouted(): Promise<boolean> {
  const confirming = await connection.createConfirmChannel();
  let isReturned = false;
  confirming.on("return", () => {
    isReturned = true;
  });
  confirming.publish(INCOMING_EXCHANGE, "0.1.1.0", Buffer.from("{}"), { mandatory: true });
  await confirming.waitForConfirms();
  await confirming.close();
  return !isReturned;
}

/** Takes a message out of the queue, if there still is one. */
async function takeOne(): Promise<void> {
  const taking = await connection.createChannel();
  taking.on("error", () => {});
  const taken = await taking.get(queue, { noAck: true }).catch(() => undefined);
  if (taken !== undefined) await taking.close();
}
const publish = (routingKey: string): boolean => channel.publish(INCOMING_EXCHANGE, routingKey, Buffer.from("{}"));

test("subscribe declares the objects of existing installations, and may be repeated", async () => {
  await subscribe(binding);
  await subscribe(binding);
  // These reject when an argument differs.
  await channel.assertExchange("debtors_in", "topic", { durable: true });
  await channel.assertExchange("debtors_out", "fanout", { durable: true });
  await channel.assertQueue(`${queue}.XQ`, { durable: true, arguments: { "x-queue-type": "stream" } });
  await channel.assertQueue(queue, { durable: true, arguments: quorumArguments() });
  publish("0.1.1.0");
  publish("1.1.1.0");
  await waitFor(async () => (await messageCount()) === 1);
});

test("a queue with other arguments is an error that says what differs and what to do", async () => {
  await channel.assertQueue(queue, { durable: true });
  await assert.rejects(subscribe(binding), (error: Error) => {
    assert.ok(error instanceof TopologyConflictError);
    assert.match(error.message, /queue a_queue exists, but its "x-[a-z-]+" is \S+, where '.*' is needed/);
    assert.match(error.message, /PROTOCOL_BROKER_QUEUE/);
    return true;
  });
  await channel.deleteQueue(queue);
  await channel.deleteQueue(`${queue}.XQ`);
  await channel.assertQueue(`${queue}.XQ`, { durable: true, arguments: { "x-message-ttl": 604800000 } });
  await assert.rejects(subscribe(binding), /queue a_queue\.XQ exists, but its "/);
});

test("unsubscribe removes the binding and nothing else, and may be repeated", async () => {
  await subscribe(binding);
  publish("0.1");
  await waitFor(async () => (await messageCount()) === 1);
  await unsubscribe(binding);
  await unsubscribe(binding);
  publish("0.1");
  assert.equal(await messageCount(), 1);
  await channel.deleteQueue(queue);
  await unsubscribe(binding);
});

test("delete_queue waits until the queue has no messages and no consumers, and succeeds when there is no queue", async () => {
  await subscribe(binding);
  await unsubscribe(binding);
  channel.sendToQueue(queue, Buffer.from("{}"));
  await waitFor(async () => (await messageCount()) === 1);
  const logged: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void logged.push(JSON.parse(line).msg) });
  const { signal } = new AbortController();
  const deleting = deleteQueue({ ...binding, signal, log });
  await waitFor(() => logged.some((message) => /waiting/.test(message)));
  const { consumerTag } = await channel.consume(queue, (message) => message && channel.ack(message));
  await waitFor(async () => (await messageCount()) === 0);
  await channel.cancel(consumerTag);
  assert.equal(await deleting, "deleted");
  assert.equal(await deleteQueue({ ...binding, signal, log }), "missing");
});

test("delete_queue keeps the stream of marks, which flushers may still use, and the dead letters", async () => {
  await subscribe(binding);
  await unsubscribe(binding);
  const { signal } = new AbortController();
  assert.equal(await deleteQueue({ ...binding, signal, log: pino({ level: "silent" }) }), "deleted");
  for (const name of [`${queue}.MK`, `${queue}.XQ`]) await channel.checkQueue(name);
});

test("delete_queue removes a forgotten binding before the queue, so that nothing comes in between", async () => {
  const isKept = async (): Promise<boolean> => {
    await subscribe(binding);
    const stopper = new AbortController();
    const deleting = deleteQueue({ ...binding, signal: stopper.signal, log: pino({ level: "silent" }) });
    while (await isRouted()) await takeOne();
    stopper.abort();
    return (await deleting) === "kept";
  };
  // Between the binding and the queue there is a second, which a busy machine may miss.
  await waitFor(isKept, { what: "a queue without a binding" });
  assert.equal(await messageCount(), 0);
});

test("delete_queue says what it waits for, also where warnings alone are logged", async () => {
  await subscribe(binding);
  publish("0.1.1.0");
  await waitFor(async () => (await messageCount()) === 1);
  const warned: { msg: string; messageCount: number }[] = [];
  const log = pino({ level: "warn" }, { write: (line: string) => void warned.push(JSON.parse(line)) });
  const stopper = new AbortController();
  const deleting = deleteQueue({ ...binding, signal: stopper.signal, log });
  await waitFor(() => warned.length > 0);
  assert.match(warned[0]!.msg, /waiting until it is empty and has no consumers/);
  assert.equal(warned[0]!.messageCount, 1);
  stopper.abort();
  assert.equal(await deleting, "kept");
});

test("messages are kept however often they are delivered, also where queues are quorum queues by default", async () => {
  // A message is dead-lettered after 20 deliveries by RabbitMQ 4, unless a queue was declared otherwise.
  await using quorum = await createTestVirtualHost(undefined, "quorum");
  for (const url of [host.url, quorum.url]) {
    assert.deepEqual(await subscribe({ ...binding, url }), { deliveries: "unlimited" });
    const peer = { url, queue: "da.peer", peerId: "peer", useRandomExchange: false };
    for (let times = 1; times <= 2; times++) {
      assert.deepEqual(await configurePeerQueue(peer), { deliveries: "unlimited" });
    }
    const other = await amqp.connect(url);
    const publisher = await other.createConfirmChannel();
    for (const name of [queue, peer.queue]) {
      publisher.sendToQueue(name, Buffer.from("{}"), { persistent: true });
      await publisher.waitForConfirms();
      for (let deliveries = 1; deliveries <= 25; deliveries++) {
        const message = await waitFor(() => publisher.get(name));
        publisher.nack(message);
      }
      await waitFor(() => publisher.get(name));
    }
    await other.close();
  }
});

test("a queue that was declared with a limit is kept as it is, which is said", async () => {
  const { "x-delivery-limit": _, ...old } = quorumArguments();
  await channel.assertQueue(`${queue}.XQ`, { arguments: { "x-queue-type": "stream" } });
  await channel.assertQueue(queue, { arguments: old });
  assert.deepEqual(await subscribe(binding), { deliveries: isLimiting ? "limited" : "unlimited" });
});

test("a limit on the number of queues is told in the broker's words, without the advice to delete a queue", async () => {
  await using limited = await createTestVirtualHost();
  await limited.set("vhost-limits", "max-queues", { value: 1 });
  await assert.rejects(subscribe({ ...binding, url: limited.url }), (error: Error) => {
    assert.ok(error instanceof TopologyConflictError);
    assert.match(
      error.message,
      /^The queue a_queue\.MK cannot be declared: .*queue limit in vhost .* is reached.*\. Raise this limit .*set_vhost_limits/,
    );
    assert.doesNotMatch(error.message, /delete/);
    return true;
  });
});
