/** What only a real RabbitMQ can show: losses of the connection, and what exactly goes over the wire. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import amqp from "amqplib";
import { pino } from "pino";
import { OUTGOING_EXCHANGE } from "../../src/broker/agent-topology.ts";
import type { Delivery, Publication } from "../../src/broker/broker.ts";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { makeBreakable } from "./breakable-connection.ts";

const log = pino({ level: "silent" });
const host = await createTestVirtualHost();
const connection = await amqp.connect(host.url);
const channel = await connection.createChannel();
await channel.assertExchange(OUTGOING_EXCHANGE, "fanout");
after(async () => {
  await connection.close();
  await host.close();
});

/** A quorum queue that gets all that is published. */
async function declareQueue(name: string): Promise<string> {
  await channel.assertQueue(name, { arguments: { "x-queue-type": "quorum" } });
  await channel.bindQueue(name, OUTGOING_EXCHANGE, "");
  return name;
}

const publication = (body: string, headers: Publication["headers"] = {}): Publication => ({
  exchange: OUTGOING_EXCHANGE,
  routingKey: "",
  type: "Something",
  appId: "test",
  headers,
  body: JSON.stringify(body),
});

test("a message has the agreed properties and no others, and its headers are exact 64-bit integers", async () => {
  const queue = await declareQueue("wire");
  // amqplib rounds the integers it receives, so the bytes are looked at on their way.
  const chunks: Buffer[] = [];
  await using relay = await makeBreakable(host.url, (data) => chunks.push(data));
  const broker = await connectRabbitMq({ url: relay.url, connectionName: "test", log });
  const headers = { "message-type": "Something", least: INT64_MIN, most: INT64_MAX, zero: 0n, odd: 2n ** 53n + 1n };
  assert.deepEqual(await broker.publish([publication("a", headers)]), ["confirmed"]);
  const bytes = Buffer.concat(chunks);
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== "bigint") continue;
    const field = Buffer.concat([Buffer.from([name.length]), Buffer.from(`${name}l`), Buffer.alloc(8)]);
    field.writeBigInt64BE(value, name.length + 2);
    assert.ok(bytes.includes(field), name);
  }
  const message = await waitFor(() => channel.get(queue, { noAck: true }));
  const properties = Object.entries(message.properties).filter(([, value]) => value !== undefined);
  assert.deepEqual(Object.fromEntries(properties.filter(([name]) => name !== "headers")), {
    contentType: "application/json",
    deliveryMode: 2,
    type: "Something",
    appId: "test",
  });
  assert.equal(message.content.toString(), '"a"');
  await broker.close();
  await channel.deleteQueue(queue);
});

test("messages that were not confirmed when the connection broke have failed, and all others are in the queue", async () => {
  const queue = await declareQueue("broken");
  await using relay = await makeBreakable(host.url);
  const broker = await connectRabbitMq({ url: relay.url, connectionName: "test", log });
  await broker.publish([publication("first")]);
  relay.setAnswering(false);
  const publishing = broker.publish(Array.from({ length: 500 }, (_, i) => publication(String(i))));
  await waitFor(async () => (await channel.checkQueue(queue)).messageCount > 1);
  relay.breakAll();
  relay.setAnswering(true);
  const outcomes = await publishing;
  assert.ok(outcomes.every((outcome) => outcome === "failed"));
  await waitFor(() => broker.isConnected());
  assert.deepEqual(await broker.publish([publication("again")]), ["confirmed"]);
  await broker.close();
  await channel.deleteQueue(queue);
});

test("a message that the queue rejects has failed", async () => {
  const queue = "full";
  await channel.assertQueue(queue, { maxLength: 1, overflow: "reject-publish" });
  await channel.bindQueue(queue, OUTGOING_EXCHANGE, "");
  const broker = await connectRabbitMq({ url: host.url, connectionName: "test", log });
  assert.deepEqual(await broker.publish([publication("a")]), ["confirmed"]);
  const outcomes = await broker.publish(["b", "c", "d"].map((body) => publication(body)));
  assert.ok(outcomes.includes("failed"));
  await broker.close();
  await channel.deleteQueue(queue);
});

test("an exchange that is missing is said once, and used as soon as it is there", async () => {
  const lines: { readonly level: number; readonly reason: string }[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
  const broker = await connectRabbitMq({ url: host.url, connectionName: "test", log });
  const toMissing = { ...publication("a"), exchange: "missing" };
  for (let i = 0; i < 3; i++) assert.deepEqual(await broker.publish([toMissing]), ["failed"]);
  const [warning, ...others] = lines.filter(({ level }) => level > pino.levels.values.info!);
  assert.match(warning!.reason, /no exchange 'missing'/);
  assert.deepEqual(others, []);
  assert.match(
    broker.refusalReason("missing")!,
    /^The broker does not take messages: .*no exchange 'missing'.*Run `swpt-debtors subscribe`/,
  );
  const queue = await declareQueue("later");
  await channel.assertExchange("missing", "fanout");
  await channel.bindQueue(queue, "missing", "");
  assert.deepEqual(await broker.publish([toMissing]), ["confirmed"]);
  assert.equal(broker.refusalReason("missing"), undefined);
  await broker.close();
  await channel.deleteQueue(queue);
});

test("a connection without a channel to publish is said at once, with what to change", async () => {
  const queue = "only one channel";
  await channel.assertQueue(queue, { arguments: { "x-queue-type": "stream" } });
  const broker = await connectRabbitMq({ url: `${host.url}?channel_max=1`, connectionName: "test", log });
  await waitFor(() => broker.isConnected());
  const reason = /^The broker does not take messages: No channels left to allocate\. Remove channel_max /;
  // The reader has the channel.
  await assert.rejects(broker.readStream(queue), { message: reason });
  const consuming = await broker.consume({
    queue: await declareQueue("consumed"),
    prefetchCount: 1,
    prefetchSize: 0,
    onDelivery: () => {},
    onEnd: () => {},
  });
  assert.deepEqual(await broker.publish([publication("a")]), ["failed"]);
  assert.match(broker.refusalReason(OUTGOING_EXCHANGE)!, reason);
  await consuming.close();
  assert.deepEqual(await broker.publish([publication("a")]), ["confirmed"]);
  assert.equal(broker.refusalReason(OUTGOING_EXCHANGE), undefined);
  await broker.close();
  for (const name of [queue, "consumed"]) await channel.deleteQueue(name);
});

// In place of a cluster that loses the leader of a quorum queue, where the old channel may be rejected for as long as that
// server is away (test/failover): a queue that is full.
test("after a rejection the next messages go through a new channel", async () => {
  const queue = "full at first";
  await channel.assertQueue(queue, { maxLength: 1, overflow: "reject-publish" });
  await channel.bindQueue(queue, OUTGOING_EXCHANGE, "");
  const chunks: Buffer[] = [];
  await using relay = await makeBreakable(host.url, (data) => chunks.push(data));
  const broker = await connectRabbitMq({ url: relay.url, connectionName: "test", log });
  const openedCount = (): number => Buffer.concat(chunks).toString("latin1").split("\0\x14\0\x0a").length - 1;
  assert.deepEqual(await broker.publish([publication("a")]), ["confirmed"]);
  assert.ok((await broker.publish(["b", "c"].map((body) => publication(body)))).includes("failed"));
  assert.equal(openedCount(), 1, "a channel is kept as long as nothing is rejected");
  await channel.purgeQueue(queue);
  assert.deepEqual(await broker.publish([publication("d")]), ["confirmed"]);
  assert.equal(openedCount(), 2);
  await broker.close();
  await channel.deleteQueue(queue);
});

test("what is sent to one exchange and not confirmed costs the others none of their channels", async () => {
  await declareQueue("confirms");
  const chunks: Buffer[] = [];
  await using relay = await makeBreakable(host.url, (data) => chunks.push(data));
  const broker = await connectRabbitMq({ url: relay.url, connectionName: "test", log });
  const toQueue = { ...publication("a"), exchange: "", routingKey: "confirms" };
  assert.deepEqual(await broker.publish([publication("a")]), ["confirmed"]);
  assert.deepEqual(await broker.publish([toQueue]), ["confirmed"]);
  assert.deepEqual(await broker.publish([toQueue], { signal: AbortSignal.abort() }), ["failed"]);
  assert.deepEqual(await broker.publish([publication("a")]), ["confirmed"]);
  const frames = Buffer.concat(chunks).toString("latin1").matchAll(PUBLISH);
  const channels = Map.groupBy(frames, ([, , exchange]) => exchange);
  assert.equal(new Set(channels.get(OUTGOING_EXCHANGE)!.map(([, number]) => number)).size, 1);
  await broker.close();
  await channel.deleteQueue("confirms");
});

/** The channel and the exchange of a basic.publish. */
const PUBLISH = new RegExp(`\\x01([^]{2})[^]{4}\\0\\x3c\\0\\x28\\0\\0(?:\\0|[^]{1}(${OUTGOING_EXCHANGE}))`, "g");

test("a consumer continues after a lost connection, and receives again what was not acknowledged", async () => {
  const queue = await declareQueue("resumed");
  await using relay = await makeBreakable(host.url);
  const broker = await connectRabbitMq({ url: relay.url, connectionName: "test", log });
  const deliveries: Delivery[] = [];
  const onEnd = (reason: Error): void => assert.fail(reason);
  const onDelivery = (delivery: Delivery): void => void deliveries.push(delivery);
  const consumer = await broker.consume({ queue, prefetchCount: 10, prefetchSize: 0, onDelivery, onEnd });
  channel.publish(OUTGOING_EXCHANGE, "", Buffer.from("a"), { persistent: true });
  channel.publish(OUTGOING_EXCHANGE, "", Buffer.from("b"), { persistent: true });
  await waitFor(() => deliveries.length === 2);
  relay.setReachable(false);
  await waitFor(() => !broker.isConnected());
  consumer.acknowledge(deliveries.slice(0, 1));
  consumer.reject(deliveries.slice(1, 2));
  relay.setReachable(true);
  await waitFor(() => deliveries.length === 4);
  assert.ok(deliveries.slice(2).every(({ redelivered }) => redelivered));
  consumer.acknowledge(deliveries);
  await consumer.cancel();
  await consumer.close();
  assert.equal((await channel.checkQueue(queue)).messageCount, 0);
  await broker.close();
  await channel.deleteQueue(queue);
});

test("a broker that is unavailable at the start is waited for", async () => {
  const queue = await declareQueue("late");
  await using relay = await makeBreakable(host.url);
  relay.setReachable(false);
  const broker = await connectRabbitMq({ url: relay.url, connectionName: "test", log });
  assert.equal(broker.isConnected(), false);
  const publishing = broker.publish([publication("a")]);
  relay.setReachable(true);
  assert.deepEqual(await publishing, ["confirmed"]);
  await broker.close();
  await channel.deleteQueue(queue);
});

test("a byte limit that the broker does not support is rejected with a reason", async () => {
  const queue = await declareQueue("sized");
  const broker = await connectRabbitMq({ url: host.url, connectionName: "test", log });
  const options = { queue, prefetchCount: 1, prefetchSize: 1000, onDelivery: () => {}, onEnd: () => {} };
  await assert.rejects(broker.consume(options), /set the size to 0/);
  await broker.close();
  await channel.deleteQueue(queue);
});

test("closing does not wait for a broker that no longer answers", async () => {
  await using relay = await makeBreakable(host.url);
  const broker = await connectRabbitMq({ url: relay.url, connectionName: "test", log });
  await waitFor(() => broker.isConnected());
  relay.setAnswering(false);
  await broker.close();
});
