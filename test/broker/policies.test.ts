/** What policies do to messages that RabbitMQ has confirmed, and the policy with which the manual prevents it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import amqp from "amqplib";
import { configurePeerQueue, subscribe } from "../../src/broker/declare-topology.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";

const host = await createTestVirtualHost();
const connection = await amqp.connect(host.url);
const channel = await connection.createChannel();
after(async () => {
  await connection.close();
  await host.close();
});
await subscribe({ url: host.url, queue: "swpt_debtors", routingKey: "#" });
await configurePeerQueue({ url: host.url, queue: "da.peer", peerId: "peer", useRandomExchange: false });
const QUEUES = ["swpt_debtors", "da.peer", "da.peer.XQ"];

/** The command of the manual that keeps other policies away. */
const manual = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
const [, priority, pattern, definition] =
  /set_policy --vhost \/ --priority (\d+) keep-messages '(.*?)' '(.*?)' --apply-to queues/.exec(manual)!;

const setPolicy = (name: string, priority: number, pattern: string, definition: object): Promise<void> =>
  host.set("policies", name, { pattern, definition, priority, "apply-to": "queues" });

const countIn = async (queue: string): Promise<number> => (await channel.checkQueue(queue)).messageCount;

/** Publishes messages, and resolves to how many of them the broker has confirmed. */
async function publish(queue: string, count: number): Promise<number> {
  const publisher = await connection.createConfirmChannel();
  const send = (): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    publisher.sendToQueue(queue, Buffer.from("x"), { persistent: true }, (error) => resolve(error === null));
    return promise;
  };
  const outcomes = await Promise.all(Array.from({ length: count }, send));
  await publisher.close();
  return outcomes.filter((isConfirmed) => isConfirmed).length;
}

test("policies of others lose confirmed messages, and none with the manual's policy", async () => {
  await channel.assertQueue("unprotected");
  await setPolicy("everywhere", 10, ".*", { "message-ttl": 1, "max-length": 1 });
  assert.equal(await publish("unprotected", 1), 1);
  await waitFor(async () => (await countIn("unprotected")) === 0);

  await setPolicy("keep-messages", Number(priority), pattern!, JSON.parse(definition!));
  for (const queue of QUEUES) assert.equal(await publish(queue, 5), 5, queue);
  assert.equal(await publish("unprotected", 1), 1);
  await waitFor(async () => (await countIn("unprotected")) === 0);
  for (const queue of QUEUES) await waitFor(async () => (await countIn(queue)) === 5, { what: () => queue });
});

test("with the manual's policy a length that an operator policy limits rejects messages, and loses none", async () => {
  await host.set("operator-policies", "short", {
    pattern: ".*",
    definition: { "max-length": 10 },
    priority: 0,
    "apply-to": "queues",
  });
  for (const queue of QUEUES) {
    let kept = await countIn(queue);
    let rejected = 0;
    await waitFor(
      async () => {
        const confirmed = await publish(queue, 10);
        kept += confirmed;
        rejected += 10 - confirmed;
        return rejected > 0;
      },
      { what: () => `a rejection by ${queue}` },
    );
    await waitFor(async () => (await countIn(queue)) === kept, { what: () => `${kept} messages in ${queue}` });
  }
});
