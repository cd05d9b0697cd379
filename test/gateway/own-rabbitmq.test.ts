/** The gateway on a RabbitMQ of its own: whose disk is full, and which has the plugin that spreads messages over queues. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import amqp, { type ConfirmChannel } from "amqplib";
import { CONNECTED, receiptFrame, STOMP } from "../stomp/frames.ts";
import { findFreePort, runCommand, startCommand } from "../support/command.ts";
import { type OwnRabbitMq, startOwnRabbitMq, whyNoOwnRabbitMq } from "../support/own-rabbitmq.ts";
import { waitFor } from "../support/wait.ts";
import { bodies, sendFrame } from "./messages.ts";
import { clientCredentials, createTestNode, PEER_ID, type TestNode } from "./nodes.ts";
import { connectRaw } from "./raw-peer.ts";

const PLUGIN = "rabbitmq_random_exchange";

suite("on a RabbitMQ of its own", { skip: await whyNoOwnRabbitMq(PLUGIN) }, () => {
  const stack = new AsyncDisposableStack();
  let rabbitMq: OwnRabbitMq;
  let node: TestNode;
  let channel: ConfirmChannel;
  let environment: Record<string, string>;

  before(async () => {
    rabbitMq = stack.use(await startOwnRabbitMq([PLUGIN]));
    node = stack.use(await createTestNode());
    const connection = await amqp.connect(rabbitMq.url);
    stack.defer(() => connection.close());
    channel = await connection.createConfirmChannel();
    environment = {
      SWPT_NODEDATA_URL: `file://${node.directory}`,
      SWPT_SERVER_CERT: node.certificateFile,
      SWPT_SERVER_KEY: node.keyFile,
      PROTOCOL_BROKER_URL: rabbitMq.url,
      APP_LOG_LEVEL: "info",
    };
  });
  after(() => stack.disposeAsync());

  test("configure-queue spreads what is sent evenly over the queues of a peer, each message in one of them", async () => {
    const queues = [`da.${PEER_ID}`, `da.${PEER_ID}.2`];
    for (const queue of [...queues, queues[0]!]) {
      const { code, output } = await runCommand(["configure-queue", PEER_ID, queue], environment);
      assert.equal(code, 0, output);
    }
    for (let number = 0; number < 100; number++) channel.publish("debtors_out", "", Buffer.from("x"));
    await channel.waitForConfirms();
    const counts = await Promise.all(queues.map(async (queue) => (await channel.checkQueue(queue)).messageCount));
    assert.equal(counts[0]! + counts[1]!, 100);
    assert.ok(Math.min(...counts) > 20, String(counts));
    const bindings = await rabbitMq.control(
      "list_bindings",
      "--no-table-headers",
      "source_name",
      "destination_name",
      "routing_key",
    );
    const rows = bindings.split("\n").filter((row) => row.includes("da.x."));
    assert.deepEqual(rows.sort(), [
      ...queues.map((queue) => `da.x.${PEER_ID}\t${queue}\t${queue}`),
      `debtors_out\tda.x.${PEER_ID}\t`,
    ]);
  });

  test("while the disk of the broker is full the server waits and says so, and goes on by itself", async () => {
    await channel.assertExchange("debtors_in", "topic");
    await channel.assertQueue("incoming");
    await channel.bindQueue("incoming", "debtors_in", "#");
    const metricsPort = String(await findFreePort());
    await using server = startCommand(["stomp", "serve", "-p", "0"], { ...environment, METRICS_PORT: metricsPort });
    const port = Number((await server.outputMatching(/Listening for peers port=(\d+)/))[1]);
    const readiness = async (): Promise<string> => (await fetch(`http://127.0.0.1:${metricsPort}/ready`)).text();
    await using peer = await connectRaw(port, clientCredentials(node.peer, node.own));
    peer.send(STOMP);
    await peer.expect(CONNECTED);
    peer.send(sendFrame("m1", bodies.AccountPurge));
    await peer.expect(receiptFrame("m1"));
    assert.match(await readiness(), /"ready":true/);

    await rabbitMq.control("set_disk_free_limit", "1000000GB");
    peer.send(sendFrame("m2", bodies.AccountPurge));
    await server.outputMatching(/The broker is blocking publishers: low on disk/);
    assert.match(await readiness(), /"ready":false.*The broker is blocking publishers: low on disk/);
    assert.equal(peer.received(), "");

    await rabbitMq.control("set_disk_free_limit", "10MB");
    await peer.expect(receiptFrame("m2"));
    await waitFor(async () => /"ready":true/.test(await readiness()));
    assert.equal((await channel.checkQueue("incoming")).messageCount, 2);
  });
});
