import assert from "node:assert/strict";
import { test } from "node:test";
import { sandboxTopology } from "../../sandbox/accounting-authority/topology.ts";
import { createDirectBroker } from "../../sandbox/direct-broker.ts";
import { marksOf } from "../../src/broker/agent-topology.ts";
import type { Broker, Consumer, Delivery, Publication } from "../../src/broker/broker.ts";
import { waitFor } from "../support/wait.ts";

const publication = (body: string, exchange = "debtors_out"): Publication => ({
  exchange,
  routingKey: "",
  type: "ConfigureAccount",
  appId: "test",
  headers: {},
  body,
});

async function consume(broker: Broker): Promise<{ consumer: Consumer; deliveries: Delivery[] }> {
  const deliveries: Delivery[] = [];
  const consumer = await broker.consume({
    queue: "authority",
    prefetchCount: 0,
    prefetchSize: 0,
    onDelivery: (delivery) => deliveries.push(delivery),
    onEnd: () => {},
  });
  return { consumer, deliveries };
}

test("a message counts as sent when its consumer has acknowledged or rejected it, not before", async () => {
  const broker = createDirectBroker(sandboxTopology("agent", "authority"));
  const { consumer, deliveries } = await consume(broker);
  let isSent = false;
  const sending = broker.publish(["{}", "{}", "[]"].map((body) => publication(body))).then((outcomes) => {
    isSent = true;
    return outcomes;
  });
  await waitFor(() => deliveries.length === 3);

  consumer.acknowledge(deliveries.slice(0, 2));
  await new Promise(setImmediate);
  assert.equal(isSent, false);
  consumer.reject(deliveries.slice(2));

  assert.deepEqual(await sending, ["confirmed", "confirmed", "confirmed"]);
  await broker.close();
});

test("a message that no consumer has acknowledged does not count as sent when the broker closes", async () => {
  const broker = createDirectBroker(sandboxTopology("agent", "authority"));
  const { deliveries } = await consume(broker);
  const sending = broker.publish([publication("{}")]);
  await waitFor(() => deliveries.length === 1);

  await broker.close();

  assert.deepEqual(await sending, ["failed"]);
});

test("a message to an exchange that does not exist is not sent", async () => {
  const broker = createDirectBroker(sandboxTopology("agent", "authority"));

  assert.deepEqual(await broker.publish([publication("{}", "elsewhere")]), ["failed"]);
  await broker.close();
});

test("a mark of the flushers, which no consumer takes, counts as sent when it is in its queue", async () => {
  const broker = createDirectBroker(sandboxTopology("agent", "authority"));
  const mark = { ...publication("{}", ""), routingKey: marksOf("agent"), type: "mark" };
  assert.deepEqual(await broker.publish([mark]), ["confirmed"]);
  assert.equal((await broker.readStream(marksOf("agent")))?.length, 1);
  await broker.close();
});
