/** Messages whose headers are nested so deep that reading them takes more stack than V8 has by default. */
import assert from "node:assert/strict";
import { once } from "node:events";
import test, { after } from "node:test";
import { Worker } from "node:worker_threads";
import * as amqp from "../support/amqp.ts";
import { runCommand, startCommand } from "../support/command.ts";
import { createTestDatabase } from "../support/database.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { baseEnvironment } from "./environment.ts";

const [database, virtualHost] = await Promise.all([createTestDatabase(), createTestVirtualHost()]);
const connection = await amqp.connect(virtualHost.url);
after(async () => {
  await connection.close();
  await Promise.all([database.close(), virtualHost.close()]);
});

/** As deep as amqplib, whose own buffer limits it, can send them. */
const LEVELS = 13_000;

/** Publishes to a queue, from a thread with enough stack to write the headers. */
async function publishNested(url: string, queue: string): Promise<void> {
  const text = `
    const amqp = require("amqplib");
    const { url, queue, levels } = require("node:worker_threads").workerData;
    let nested = [];
    for (let level = 1; level < levels; level++) nested = [nested];
    (async () => {
      const connection = await amqp.connect(url);
      const channel = await connection.createConfirmChannel();
      channel.sendToQueue(queue, Buffer.from("{}"), { type: "Nonsense", headers: { nested } });
      await channel.waitForConfirms();
      await connection.close();
    })();`;
  const workerData = { url, queue, levels: LEVELS };
  const worker = new Worker(text, { eval: true, workerData, resourceLimits: { stackSizeMb: 64 } });
  const [code] = await once(worker, "exit");
  assert.equal(code, 0);
}

test("a message with headers that are nested thousands of levels deep is dead-lettered, and those behind it are not kept", async () => {
  const environment = {
    ...baseEnvironment,
    POSTGRES_URL: database.url,
    PROTOCOL_BROKER_URL: virtualHost.url,
    PROTOCOL_BROKER_QUEUE: "q",
  };
  assert.equal((await runCommand(["subscribe"], environment)).code, 0);
  await publishNested(virtualHost.url, "q");
  const channel = await connection.createChannel();
  channel.sendToQueue("q", Buffer.from("{}"), { type: "Nonsense" });
  await using consumer = startCommand(["consume_messages"], environment);
  await waitFor(async () => (await channel.checkQueue("q.XQ")).messageCount === 2, {
    what: () => `two dead letters:\n${consumer.output()}`,
  });
  assert.deepEqual(await consumer.stop(), { code: 0, signal: null });
  assert.equal((await channel.checkQueue("q")).messageCount, 0);
});
