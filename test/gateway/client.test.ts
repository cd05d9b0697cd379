/** Sending to a peer that refuses, vanishes, or has another identity; and with a broker that becomes unavailable. */
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { after, test } from "node:test";
import type { Broker } from "../../src/broker/broker.ts";
import { chooseServer } from "../../src/gateway/peer-server.ts";
import { CONNECTED, receiptFrame, STOMP } from "../stomp/frames.ts";
import { connect } from "../support/amqp.ts";
import { waitFor } from "../support/wait.ts";
import { startClient } from "./gateway-fixture.ts";
import { bodies, withMember } from "./messages.ts";
import { createIdentity, createTestNode, serverCredentials } from "./nodes.ts";
import { listenRaw, type RawConnection } from "./raw-peer.ts";
import { createTestBroker, type QueuedMessage } from "./test-broker.ts";

const DISCONNECT = "DISCONNECT\nreceipt:bye\n\n\0";

const { broker, relay, url, put, depth, deleteQueue, untilDepth, takeAll } = await createTestBroker();
const node = await createTestNode();
const server = await listenRaw(serverCredentials(node.peer));
await node.setServers([`127.0.0.1:${server.port}`]);
after(async () => {
  await server[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});
const environment = {
  APP_STOMP_RECONNECT_MAX_SECONDS: "1",
  APP_PEERS_CACHE_SECONDS: "0",
  APP_PEERS_CHECK_SECONDS: "0.1",
};

/** A message that can be told from others by its sequence number. */
const configure = (seqnum: number): QueuedMessage => ({
  type: "ConfigureAccount",
  contentType: "application/json",
  body: withMember("ConfigureAccount", "seqnum", String(seqnum)),
});

/** Accepts a session. */
async function accept(): Promise<RawConnection> {
  const connection = await server.accept();
  await connection.expect(STOMP);
  connection.send(CONNECTED);
  return connection;
}

/** The next message: its sequence number and its receipt. */
async function nextMessage(connection: RawConnection): Promise<{ seqnum: number; id: number }> {
  const frame = await connection.nextFrame();
  const [, id] = /^SEND\n[\s\S]*\nreceipt:(\d+)\n/.exec(frame) ?? assert.fail(`No message: ${frame}`);
  return { seqnum: Number(/"seqnum":(\d+)/.exec(frame)![1]), id: Number(id) };
}

/** Ends a client whose messages are all confirmed. */
async function stop(client: { stop(): Promise<void> }, connection: RawConnection): Promise<void> {
  const stopped = client.stop();
  await connection.expect(DISCONNECT);
  connection.send(receiptFrame("bye"));
  await stopped;
}

test("without a receipt nothing is acknowledged: the messages are sent again in the next session, in order", async () => {
  const queue = "da.again";
  await put(queue, [1, 2, 3].map(configure));
  await using client = startClient({ node, broker, queue, environment });
  const first = await accept();
  for (const seqnum of [1, 2, 3]) assert.equal((await nextMessage(first)).seqnum, seqnum);
  first.send(receiptFrame(1));
  first.socket.end();
  const second = await accept();
  assert.deepEqual(
    [await nextMessage(second), await nextMessage(second)],
    [
      { seqnum: 2, id: 1 },
      { seqnum: 3, id: 2 },
    ],
  );
  second.send(receiptFrame(2));
  await stop(client, second);
  assert.equal(await depth(queue), 0);
});

test("what is not confirmed goes back to the queue when the client stops", async () => {
  const queue = "da.stop";
  await put(queue, [1, 2, 3].map(configure));
  const shortStop = { ...environment, APP_STOMP_STOP_SECONDS: "1" };
  await using client = startClient({ node, broker, queue, environment: shortStop });
  const connection = await accept();
  for (const _ of [1, 2, 3]) await nextMessage(connection);
  connection.send(receiptFrame(2));
  await client.stop();
  await untilDepth(queue, 1);
});

test("a message that is refused once is sent again, last and alone, and nothing is dead-lettered", async () => {
  const queue = "da.once";
  await put(queue, [1, 2, 3].map(configure));
  await using client = startClient({ node, broker, queue, environment });
  const first = await accept();
  const messages = [await nextMessage(first), await nextMessage(first), await nextMessage(first)];
  first.send(`ERROR\nmessage:Bad\nreceipt-id:${messages[1]!.id}\n\n\0`);
  const second = await accept();
  assert.equal((await nextMessage(second)).seqnum, 1);
  assert.equal((await nextMessage(second)).seqnum, 3);
  second.send(receiptFrame(2));
  assert.deepEqual(await nextMessage(second), { seqnum: 2, id: 3 });
  second.send(receiptFrame(3));
  await stop(client, second);
  assert.deepEqual([await depth(queue), await depth(`${queue}.XQ`)], [0, 0]);
});

test("a message that is refused three times while others are taken goes to the dead-letter queue, with the reason", async () => {
  const queue = "da.always";
  await put(queue, [1, 2, 3].map(configure));
  await using client = startClient({ node, broker, queue, environment });
  const accepted: number[] = [];
  for (let refusals = 0; refusals < 3; refusals++) {
    const connection = await accept();
    let message = await nextMessage(connection);
    for (; message.seqnum !== 2; message = await nextMessage(connection)) {
      accepted.push(message.seqnum);
      connection.send(receiptFrame(message.id));
    }
    connection.send(`ERROR\nmessage:Invalid debtor\nreceipt-id:${message.id}\n\n\0`);
    await connection.end();
  }
  assert.deepEqual(accepted.sort(), [1, 3]);
  await untilDepth(`${queue}.XQ`, 1);
  const [dead] = await takeAll(`${queue}.XQ`);
  assert.equal(dead!.body, configure(2).body);
  assert.equal(dead!.headers["x-swpt-reason"], "Refused by the peer: Invalid debtor");
  const last = await accept();
  await waitFor(() => client.unreadyReason() === undefined);
  await stop(client, last);
  assert.equal(await depth(queue), 0);
});

test("when every message is refused, nothing is dead-lettered", async () => {
  const queue = "da.every";
  await put(queue, [1, 2].map(configure));
  await using client = startClient({ node, broker, queue, environment });
  for (let session = 0; session < 6; session++) {
    const connection = await accept();
    const { id } = await nextMessage(connection);
    connection.send(`ERROR\nmessage:Wrong subnet\nreceipt-id:${id}\n\n\0`);
    await connection.end();
  }
  assert.equal(await depth(`${queue}.XQ`), 0);
  await waitFor(() => /Wrong subnet/.test(client.unreadyReason() ?? ""));
  await client.stop();
  await untilDepth(queue, 2);
});

test("poison of every kind goes to the dead-letter queue, and the messages behind it are sent", async () => {
  const queue = "da.poison";
  const json = { contentType: "application/json" };
  const type = { type: "ConfigureAccount" };
  const poison: readonly QueuedMessage[] = [
    { ...json, ...type, body: withMember("ConfigureAccount", "debtor_id", "5") },
    { ...json, ...type, body: withMember("ConfigureAccount", "creditor_id", "3") },
    { ...json, ...type, body: "{" },
    { ...json, type: "AccountPurge", body: bodies.AccountPurge },
    { ...json, body: bodies.ConfigureAccount },
    { ...type, contentType: "text/plain", body: bodies.ConfigureAccount },
    { ...type, body: bodies.ConfigureAccount },
    { ...json, ...type, body: Buffer.from([0xff]) },
    { ...json, ...type, body: withMember("ConfigureAccount", "config_data", `"${"\\u0001".repeat(2000)}"`) },
  ];
  await put(
    queue,
    poison.flatMap((message, index) => [message, configure(index)]),
  );
  await using client = startClient({ node, broker, queue, environment });
  const connection = await accept();
  for (const index of poison.keys()) assert.equal((await nextMessage(connection)).seqnum, index);
  connection.send(receiptFrame(poison.length));
  await untilDepth(`${queue}.XQ`, poison.length);
  await stop(client, connection);
  assert.equal(await depth(queue), 0);
  const reasons = (await takeAll(`${queue}.XQ`)).map(({ headers }) => String(headers["x-swpt-reason"]));
  for (const reason of [/^Invalid debtor ID: 0x0000000000000005\./, /^Invalid creditor ID/, /8192 bytes/]) {
    assert.ok(
      reasons.some((text) => reason.test(text)),
      `${reason} in ${reasons.join("\n")}`,
    );
  }
});

test("a message that cannot be dead-lettered stays in the queue, and the others go on", async () => {
  const queue = "da.no-dead-letters";
  await put(queue, [{ type: "ConfigureAccount", contentType: "application/json", body: "{" }, configure(1)]);
  await deleteQueue(`${queue}.XQ`);
  await using client = startClient({ node, broker, queue, environment });
  const connection = await accept();
  assert.equal((await nextMessage(connection)).seqnum, 1);
  connection.send(receiptFrame(1));
  await waitFor(() => client.log.some((line) => line.includes("cannot be moved to the dead-letter queue")));
  await stop(client, connection);
  await untilDepth(queue, 1);
});

test("a server with another serial number is sent nothing", async () => {
  const stranger = createIdentity("Accounting Authorities", "99999999");
  await using impostor = await listenRaw({ ...serverCredentials(stranger), root: node.peer.root.toString() });
  await writeFile(node.peerFile("root-ca.crt"), stranger.root.toString());
  await node.setServers([`127.0.0.1:${impostor.port}`]);
  await using client = startClient({ node, broker, queue: "da.impostor", environment });
  await waitFor(() => client.log.some((line) => line.includes("belongs to another node")), {
    what: () => client.log.join(""),
  });
  // Whether the hand-shake is over on that side when this one hangs up depends on timing.
  if (impostor.connectionCount() > 0) assert.equal(await (await impostor.accept()).end(), "");
  await client.stop();
  await writeFile(node.peerFile("root-ca.crt"), node.peer.root.toString());
  await node.setServers([`127.0.0.1:${server.port}`]);
});

test("of two servers the reachable one is found, and of two reachable ones any is chosen", async () => {
  const queue = "da.two";
  await put(queue, [configure(1)]);
  await node.setServers([`127.0.0.1:${server.port}`, "127.0.0.1:1"]);
  await using client = startClient({ node, broker, queue, environment });
  const connection = await accept();
  assert.equal((await nextMessage(connection)).seqnum, 1);
  connection.send(receiptFrame(1));
  await stop(client, connection);
  await node.setServers([`127.0.0.1:${server.port}`]);

  const [a, b] = [
    { host: "a", port: 1 },
    { host: "b", port: 1 },
  ];
  const chosen = Array.from({ length: 1000 }, () => chooseServer([a, b], undefined));
  const count = chosen.filter((one) => one === a).length;
  assert.ok(count > 400 && count < 600, String(count));
  assert.equal(chooseServer([a, b], a), b);
  assert.equal(chooseServer([a], a), a);
});

test("when the broker is lost, the session ends with DISCONNECT, and there is another one when it is back", async () => {
  const queue = "da.broker";
  await put(queue, [configure(1)]);
  await using client = startClient({ node, broker, queue, environment });
  const first = await accept();
  assert.equal((await nextMessage(first)).seqnum, 1);
  relay.breakAll();
  await first.expect(DISCONNECT);
  first.socket.end();
  await first.end();
  const second = await accept();
  assert.equal((await nextMessage(second)).seqnum, 1);
  second.send(receiptFrame(1));
  await stop(client, second);
  assert.equal(await depth(queue), 0);
});

test("sending ends by itself when the peer is deactivated", async (t) => {
  const queue = "da.deactivated";
  await put(queue, [configure(1)]);
  await using client = startClient({ node, broker, queue, environment });
  const connection = await accept();
  await nextMessage(connection);
  connection.send(receiptFrame(1));
  await writeFile(node.peerFile("DEACTIVATED"), "2026-11-26\n");
  t.after(() => rm(node.peerFile("DEACTIVATED")));
  await connection.expect(DISCONNECT);
  connection.send(receiptFrame("bye"));
  await client.ended;
  assert.ok(client.log.some((line) => line.includes("The peer is deactivated")));
  assert.equal(client.unreadyReason(), undefined);
});

test("a peer that is not active yet is waited for", async () => {
  const queue = "da.inactive";
  await put(queue, [configure(1)]);
  await rm(node.peerFile("ACTIVE"));
  await using client = startClient({ node, broker, queue, environment });
  await waitFor(() => /not active/.test(client.unreadyReason() ?? ""));
  await writeFile(node.peerFile("ACTIVE"), "");
  const connection = await accept();
  await nextMessage(connection);
  connection.send(receiptFrame(1));
  await stop(client, connection);
});

test("a queue that does not exist or is deleted is waited for, and why the client is not ready", async () => {
  const queue = "da.later";
  await using client = startClient({ node, broker, queue, environment });
  const missing = /^da\.later: There is no queue da\.later; .*configure-queue/;
  const isMissing = (): boolean => missing.test(client.unreadyReason() ?? "");
  for (const seqnum of [1, 2]) {
    const connection = await accept();
    await waitFor(isMissing);
    await put(queue, [configure(seqnum)]);
    const message = await nextMessage(connection);
    assert.equal(message.seqnum, seqnum);
    await waitFor(() => client.unreadyReason() === undefined);
    connection.send(receiptFrame(message.id));
    await untilDepth(queue, 0);
    await deleteQueue(queue);
    await connection.expect(DISCONNECT);
    connection.send(receiptFrame("bye"));
    connection.socket.end();
  }
  const last = await accept();
  await waitFor(isMissing);
  await stop(client, last);
  assert.equal(client.log.filter((line) => line.includes("configure-queue")).length, 1, "said once a minute");
});

test("a queue that the broker does not let be consumed is why the client is not ready, although there is a session", async () => {
  const queue = "da.refused";
  await put(queue, [configure(1)]);
  const amqp = await connect(url);
  const channel = await amqp.createChannel();
  const { consumerTag } = await channel.consume(queue, () => {}, { exclusive: true });
  await using client = startClient({ node, broker, queue, environment });
  const connection = await accept();
  await waitFor(() => /The queue da\.refused cannot be consumed: .*ACCESS_REFUSED/.test(client.unreadyReason() ?? ""));
  await channel.cancel(consumerTag);
  await amqp.close();
  const { id } = await nextMessage(connection);
  await waitFor(() => client.unreadyReason() === undefined);
  connection.send(receiptFrame(id));
  await stop(client, connection);
  assert.equal(await depth(queue), 0);
});

test("a client that has ended is not unready, though the broker still refuses its queue", async (t) => {
  const queue = "da.refused-to-the-end";
  await put(queue, []);
  const amqp = await connect(url);
  t.after(() => amqp.close());
  await (await amqp.createChannel()).consume(queue, () => {}, { exclusive: true });
  let refusals = 0;
  const counting: Broker = {
    ...broker,
    consume: (options) => {
      const onRefused = (reason: string): void => {
        options.onRefused?.(reason);
        refusals++;
      };
      return broker.consume({ ...options, onRefused });
    },
  };
  await using client = startClient({ node, broker: counting, queue, environment });
  const connection = await accept();
  await waitFor(() => refusals > 0);
  await writeFile(node.peerFile("DEACTIVATED"), "2026-11-26\n");
  t.after(() => rm(node.peerFile("DEACTIVATED")));
  await connection.expect(DISCONNECT);
  connection.send(receiptFrame("bye"));
  await client.ended;
  const before = refusals;
  await waitFor(() => refusals > before);
  assert.equal(client.unreadyReason(), undefined);
});

test("two clients share a queue: every message arrives, and none is acknowledged without a receipt", async () => {
  const queue = "da.shared";
  const count = 300;
  await put(
    queue,
    Array.from({ length: count }, (_, index) => configure(index)),
  );
  const few = { ...environment, SWPT_CLIENT_BUFFER: "10" };
  await using one = startClient({ node, broker, queue, environment: few });
  await using other = startClient({ node, broker, queue, environment: few });
  const arrived = new Set<number>();
  const serve = async (connection: RawConnection, messagesMax: number): Promise<void> => {
    for (let number = 0; number < messagesMax; number++) {
      const message = await nextMessage(connection).catch(() => undefined);
      if (message === undefined) return;
      arrived.add(message.seqnum);
      connection.send(receiptFrame(message.id));
    }
    connection.socket.destroy();
  };
  // Sessions end in the middle, with messages under way.
  for (let session = 0; arrived.size < count; session++) {
    const connection = await Promise.race([accept(), waitFor(() => arrived.size === count)]);
    if (connection !== true) void serve(connection, session < 4 ? 20 : count);
  }
  await Promise.all([one.stop(), other.stop()]);
  assert.equal(await depth(queue), 0);
});
