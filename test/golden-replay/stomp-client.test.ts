/** Every recorded session in which the Python program sent, replayed: the test acts as the peer's server. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { parseJson } from "../../src/values/json.ts";
import { createTestLog, startClient } from "../gateway/gateway-fixture.ts";
import { createIdentity, createTestNode, serverCredentials } from "../gateway/nodes.ts";
import { listenRaw, type RawConnection } from "../gateway/raw-peer.ts";
import { CONNECTED, STOMP } from "../stomp/frames.ts";
import { connect } from "../support/amqp.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { bytesOf, type RecordedSession, readSessions } from "./stomp-sessions.ts";

const host = await createTestVirtualHost();
const amqp = await connect(host.url);
const channel = await amqp.createConfirmChannel();
const node = await createTestNode();
const broker = await connectRabbitMq({ url: host.url, connectionName: "test", log: createTestLog().log });
after(async () => {
  await broker.close();
  await amqp.close();
  await host.close();
  await node[Symbol.asyncDispose]();
});

const sessions = await readSessions("client");
/** About 30 and 45 seconds, and 10; see test/stomp. */
const isReplayedElsewhere = ({ name }: RecordedSession): boolean =>
  ["out-heart-beat", "out-no-connected"].includes(name);

for (const session of sessions.filter((one) => !isReplayedElsewhere(one) && one.amqpIn && isOrdinary(one))) {
  test(`${session.name}: ${session.title}`, async () => {
    await using server = await listenRaw(serverCredentials(node.peer));
    await node.setServers([`127.0.0.1:${server.port}`], identityOf(session.name));
    const queue = await declareQueue(session);
    await using client = startClient({ node, broker, queue });
    const connection = await server.accept();
    let lastReceipt = 0;
    for (const step of session.steps) {
      const bytes = bytesOf(step)?.toString("utf8");
      if (step.from === "server" && bytes) {
        connection.send(bytes);
        lastReceipt = Number(/^RECEIPT\nreceipt-id:([0-9]+)\n/.exec(bytes)?.[1] ?? lastReceipt);
      } else if (step.from === "client" && bytes) {
        compareFrames(await connection.nextFrame(), bytes);
      } else if (step.from === "operator") {
        void client.stop();
        await disconnect(connection);
      }
    }
    await client.stop();
    const left = session.amqpIn!.length - lastReceipt;
    await waitFor(async () => (await channel.checkQueue(queue)).messageCount === left, { what: `${left} messages` });
    assert.equal((await channel.checkQueue(`${queue}.XQ`)).messageCount, 0);
  });
}

for (const session of sessions.filter(({ name }) => name.startsWith("out-poison-"))) {
  test(`${session.name}: the message goes to the dead-letter queue, and the good one behind it is sent`, async () => {
    await using server = await listenRaw(serverCredentials(node.peer));
    await node.setServers([`127.0.0.1:${server.port}`]);
    const queue = await declareQueue(session);
    await using client = startClient({ node, broker, queue });
    const connection = await server.accept();
    await connection.expect(STOMP);
    connection.send(CONNECTED);
    assert.match(await connection.nextFrame(), /^SEND\n[\s\S]*type:PrepareTransfer\n[\s\S]*receipt:1\n/);
    connection.send("RECEIPT\nreceipt-id:1\n\n\0");
    const dead = await waitFor(async () => await channel.get(`${queue}.XQ`, { noAck: true }));
    const [poison] = session.amqpIn!;
    assert.equal(dead.content.toString(), poison!.body);
    assert.equal(dead.properties.type ?? null, poison!.type ?? null);
    assert.equal(dead.properties.contentType ?? null, poison!.contentType ?? null);
    assert.ok(String(dead.properties.headers?.["x-swpt-reason"]).length > 10);
    // A client that is stopped before it has acknowledged the message leaves it in the queue as well.
    await waitFor(() => client.log.some((line) => line.includes("Moved a message to the dead-letter queue")));
    void client.stop();
    await disconnect(connection);
    await client.stop();
    assert.equal((await channel.checkQueue(queue)).messageCount, 0);
  });
}

for (const session of sessions.filter(({ name }) => isClosedByClient(name))) {
  test(`${session.name}: the session ends, and there is another one`, async () => {
    await using server = await listenRaw(serverCredentials(node.peer));
    await node.setServers([`127.0.0.1:${server.port}`]);
    const queue = await declareQueue({ ...session, amqpIn: [] });
    await using client = startClient({ node, broker, queue });
    const connection = await server.accept();
    for (const step of session.steps) {
      if (step.from === "server") connection.send(bytesOf(step)!);
      else if (step.bytes) await connection.expect(step.bytes);
    }
    assert.equal(await connection.end(), "");
    const next = await server.accept();
    await next.expect(STOMP);
    assert.ok(client.unreadyReason());
  });
}

for (const session of sessions.filter(({ name }) => /^out-receipt-(zero|unknown|twice)$/.test(name))) {
  test(`${session.name}: a warning, and the session goes on`, async () => {
    await using server = await listenRaw(serverCredentials(node.peer));
    await node.setServers([`127.0.0.1:${server.port}`]);
    const queue = await declareQueue(session);
    await using client = startClient({ node, broker, queue });
    const connection = await server.accept();
    for (const step of session.steps) {
      const bytes = bytesOf(step)?.toString("utf8");
      if (step.from === "server" && bytes) connection.send(bytes);
      else if (step.from === "client" && bytes) compareFrames(await connection.nextFrame(), bytes);
    }
    const strayId = session.steps.findLast(({ from }) => from === "server")!.bytes!.match(/receipt-id:(.*)/)![1];
    await waitFor(() => client.log.some((line) => line.includes(`receiptId="${strayId}"`)), {
      what: () => client.log.slice(-5).join(""),
    });
    connection.send("RECEIPT\nreceipt-id:3\n\n\0");
    await waitFor(async () => client.unreadyReason() === undefined);
    void client.stop();
    await disconnect(connection);
    await client.stop();
    assert.equal((await channel.checkQueue(queue)).messageCount, 0);
  });
}

test("out-server-other-root: nothing is sent", async () => {
  const stranger = createIdentity("Accounting Authorities", "1234abcd");
  await using server = await listenRaw(serverCredentials(stranger));
  await node.setServers([`127.0.0.1:${server.port}`]);
  await using client = startClient({ node, broker, queue: await declareQueue(sessions[0]!) });
  await waitFor(() => client.log.some((line) => /No session with the peer.*another root/.test(line)), {
    what: () => client.log.join(""),
  });
  assert.equal(server.connectionCount(), 0);
});

/** Those in which the peer keeps to the protocol, and messages are sent. */
function isOrdinary({ name }: RecordedSession): boolean {
  return !/^out-(poison-|receipt-|server-|deactivated|connected-|garbage)/.test(name) && !isClosedByClient(name);
}

function isClosedByClient(name: string): boolean {
  return /^out-(connected-|garbage|receipt-before-connected|receipt-without-id)/.test(name);
}

/** `stomp.toml` of the session that has more in it than the others. */
const identityOf = (name: string): string | undefined =>
  name === "out-login"
    ? `host = "/\${NODE_ID}"\ndestination = "/exchange/x.\${NODE_ID}"\nlogin = "u:\${NODE_ID}"\npasscode = "p \${NODE_ID}"\n`
    : undefined;

/** Makes the queue of a session, with what is in it. */
async function declareQueue({ name, amqpIn = [] }: RecordedSession): Promise<string> {
  const queue = `da.${name}`;
  await channel.assertQueue(`${queue}.XQ`);
  await channel.assertQueue(queue);
  for (const { type, contentType, body = "" } of amqpIn) {
    channel.sendToQueue(queue, Buffer.from(body), {
      persistent: true,
      ...(type && { type }),
      ...(contentType && { contentType }),
    });
  }
  await channel.waitForConfirms();
  return queue;
}

/** The body as JSON, and with it its length; all other bytes as they were recorded. */
function compareFrames(frame: string, recorded: string): void {
  if (!recorded.startsWith("SEND")) {
    assert.equal(frame, recorded);
    return;
  }
  const [head, body] = split(frame);
  const [recordedHead, recordedBody] = split(recorded);
  assert.equal(head.replace(/content-length:\d+/, ""), recordedHead.replace(/content-length:\d+/, ""));
  assert.equal(Number(/content-length:(\d+)/.exec(head)![1]), Buffer.byteLength(body));
  assert.deepEqual(parseJson(body), parseJson(recordedBody));
  assert.doesNotMatch(body, /": |, "/);
}

function split(frame: string): [head: string, body: string] {
  const end = frame.indexOf("\n\n");
  return [frame.slice(0, end), frame.slice(end + 2, -1)];
}

/** What a client that stops sends last. */
async function disconnect(connection: RawConnection): Promise<void> {
  await connection.expect("DISCONNECT\nreceipt:bye\n\n\0");
  // The Python program would have lost what is not confirmed.
  connection.socket.end();
  await connection.end();
}
