/** Every recorded session in which the Python program received, replayed. */
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { after, test } from "node:test";
import type { ConsumeMessage } from "amqplib";
import { parseJson } from "../../src/values/json.ts";
import { createTestLog, startServer } from "../gateway/gateway-fixture.ts";
import {
  clientCredentials,
  createIdentity,
  createServerCertificate,
  createTestNode,
  issueSubCa,
  type TestIdentity,
} from "../gateway/nodes.ts";
import { connectRaw, type RawConnection } from "../gateway/raw-peer.ts";
import { CONNECTED, errorFrame, receiptFrame, STOMP } from "../stomp/frames.ts";
import { connect } from "../support/amqp.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { bytesOf, type RecordedSession, readSessions, substituteMoments } from "./stomp-sessions.ts";

// Loaded after the change to amqplib that shows the headers exactly.
const { connectRabbitMq } = await import("../../src/broker/rabbitmq.ts");
const host = await createTestVirtualHost();
const amqp = await connect(host.url);
const channel = await amqp.createChannel();
await channel.assertExchange("debtors_in", "topic");
await channel.assertQueue("received");
await channel.bindQueue("received", "debtors_in", "#");
let published: ConsumeMessage[] = [];
await channel.consume("received", (message) => published.push(message!), { noAck: true });

const broker = await connectRabbitMq({ url: host.url, connectionName: "test", log: createTestLog().log });
const node = await createTestNode();
// Peers are looked up again, since sessions change their state.
const server = await startServer({ node, broker, environment: { APP_PEERS_CACHE_SECONDS: "0" } });
const credentials = clientCredentials(node.peer, node.own);
after(async () => {
  await server.stop();
  await broker.close();
  await amqp.close();
  await host.close();
  await node[Symbol.asyncDispose]();
});

/** Sessions in which this program deliberately says something else than what was recorded. */
const differences: Readonly<Record<string, (sent: string) => readonly string[]>> = {
  "in-float-as-string": (sent) => [CONNECTED, rejection("RejectedConfig", "f2", sent)],
  "in-int-5000-digits": (sent) => [CONNECTED, rejection("RejectedTransfer", "m1", sent)],
  "in-json-deep": (sent) => [CONNECTED, rejection("AccountPurge", "m1", sent)],
  "err-ts-naive": (sent) => [CONNECTED, rejection("AccountPurge", "m1", sent)],
  "err-json-surrogate": () => [CONNECTED, receiptFrame("m1")],
  "in-content-length-not-a-number": () => [CONNECTED, errorFrame("Invalid header.")],
  "dos-negative-content-length": () => [CONNECTED, receiptFrame("k1"), errorFrame("Invalid header.")],
  "lim-eleventh-connection": () => [errorFrame("Too many connections from one peer.")],
  "peer-deactivated": () => [errorFrame("Unknown peer serial number.")],
  "peer-not-active": () => [errorFrame("Unknown peer serial number.")],
};

/** How many messages are published, where that is not as it was recorded. */
const publishedCounts: Readonly<Record<string, number>> = {
  "in-float-as-string": 0,
  "in-json-deep": 0,
  "in-content-length-not-a-number": 0,
  "in-send-AccountTransfer": 0,
  "err-second-message-bad": 1,
  "err-json-surrogate": 1,
  "dos-negative-content-length": 1,
};

/** What has to be there before a session; returns how to undo it. */
const preparations: Readonly<Record<string, () => Promise<() => Promise<void>>>> = {
  "peer-deactivated": async () => {
    await writeFile(node.peerFile("DEACTIVATED"), "2026-11-26\n");
    return () => rm(node.peerFile("DEACTIVATED"));
  },
  "peer-not-active": async () => {
    await rm(node.peerFile("ACTIVE"));
    return () => writeFile(node.peerFile("ACTIVE"), "");
  },
  "lim-eleventh-connection": async () => {
    const others = await Promise.all(Array.from({ length: 10 }, () => connectRaw(server.port, credentials)));
    for (const other of others) {
      other.send(STOMP);
      await other.expect(CONNECTED);
    }
    return async () => {
      for (const other of others) other.socket.destroy();
    };
  },
};

const sessions = await readSessions("server");
const isReplayedElsewhere = ({ name }: RecordedSession): boolean => name.startsWith("tls-") || name.startsWith("hb-");

for (const session of sessions.filter((one) => !isReplayedElsewhere(one))) {
  test(`${session.name}: ${session.title}`, async () => {
    published = [];
    const undo = await preparations[session.name]?.();
    await using connection = await connectRaw(server.port, credentials);
    await replay(session, connection);
    await comparePublications(session);
    await undo?.();
  });
}

test("tls-…: a rejected certificate ends the connection without a frame, and the log says why", async () => {
  const { own, peer } = node;
  const stranger = createIdentity("Accounting Authorities", "99999999");
  // A leaf that the peer has issued to somebody else than itself.
  const misnamed = createServerCertificate({ root: stranger.root, rootKey: peer.rootKey });
  const subCa = issueSubCa(own, peer).toString();
  for (const [shown, reason] of [
    [{}, /no certificate/],
    [{ ...credentials, certificate: peer.serverCertificate.toString() }, /has not been sent/],
    [chainOf(peer, stranger), /another root/],
    [{ certificate: misnamed.serverCertificate.toString() + subCa, key: keyOf(misnamed) }, /name constraint|UNABLE_TO/],
    [expired(peer, own), /expired/],
  ] as const) {
    await using connection = await connectRaw(server.port, { ...shown, root: own.root.toString() });
    connection.send(STOMP);
    assert.equal(await connection.end(), "", String(reason));
    const isLogged = (): boolean =>
      server.log.some((line) => line.includes("Refused the certificate") && reason.test(line));
    await waitFor(isLogged, { what: () => `${reason} in ${server.log.slice(-3).join("")}` });
  }
});

test("tls-version-12: only TLS 1.3 is accepted", async () => {
  await assert.rejects(connectRaw(server.port, credentials, { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" }));
});

test("tls-unknown-peer…, tls-self, tls-bad-organisation: a valid chain that does not belong to a peer", async () => {
  for (const [nodeId, text] of [
    ["99999999", "Unknown peer serial number."],
    [node.own.nodeId, "Unknown peer serial number."],
    ["../../1234abcd", "Unknown peer serial number."],
  ] as const) {
    const somebody = createIdentity("Accounting Authorities", nodeId);
    await using connection = await connectRaw(server.port, clientCredentials(somebody, node.own));
    connection.send(STOMP);
    await connection.expect(errorFrame(text));
    assert.equal(await connection.end(), "");
  }
});

/** Acts as the client, and compares what the server sends. */
async function replay(session: RecordedSession, connection: RawConnection): Promise<void> {
  const { name, steps } = session;
  const sent = steps.flatMap((step) => (step.from === "client" ? (bytesOf(step)?.toString() ?? []) : []));
  const recorded = steps.filter((step) => step.from === "server").flatMap((step) => bytesOf(step)?.toString() ?? []);
  const expected = [...(differences[name]?.(sent.findLast((bytes) => bytes.startsWith("SEND")) ?? "") ?? recorded)];
  const isClosed = differences[name]
    ? expected.at(-1)!.startsWith("ERROR")
    : steps.some(({ from, close }) => from === "server" && close);
  for (const [index, step] of steps.entries()) {
    const bytes = bytesOf(step);
    if (step.from === "client" && bytes) {
      if (!connection.hasEnded()) connection.send(substituteMoments(name, bytes));
    } else if (bytes) {
      // Receipts may stand for others: only the last one before the client goes on has to come.
      const isReceipt = (other: (typeof steps)[number] | undefined): boolean =>
        other !== undefined && other.from === "server" && (bytesOf(other)?.toString().startsWith("RECEIPT") ?? false);
      if (isReceipt(step) && isReceipt(steps[index + 1])) expected.shift();
      else await expectFrame(connection, expected, name);
    }
  }
  while (expected.length > 0) await expectFrame(connection, expected, name);
  if (isClosed) assert.equal(await connection.end(), "");
}

async function expectFrame(connection: RawConnection, expected: string[], name: string): Promise<void> {
  const wanted = expected.shift();
  if (wanted === undefined) return;
  for (;;) {
    const frame = await connection.nextFrame();
    if (frame.startsWith("RECEIPT") && frame !== wanted) continue;
    if (name === "err-ts-future" && wanted.startsWith("ERROR"))
      assert.match(frame, /timestamp is 1080[0-1] seconds|timestamp is 1079\d seconds/);
    else assert.equal(frame, wanted);
    return;
  }
}

async function comparePublications({ name, amqp: recorded = [] }: RecordedSession): Promise<void> {
  const count = publishedCounts[name] ?? recorded.length;
  await waitFor(() => published.length >= count, { what: () => `${count} messages, got ${published.length}` });
  assert.equal(published.length, count);
  for (const [index, expected] of recorded.slice(0, count).entries()) {
    const { fields, properties, content } = published[index]!;
    assert.equal(fields.exchange, expected.exchange);
    assert.equal(fields.routingKey, expected.routingKey);
    assert.equal(properties.deliveryMode, Number(expected.deliveryMode));
    assert.equal(properties.type, expected.type);
    assert.equal(properties.contentType, expected.contentType);
    assert.equal(properties.appId, expected.appId);
    assert.match(properties.messageId as string, /^[0-9a-f]{32}$/);
    assert.deepEqual({ ...properties.headers }, { ...expected.headers });
    const body = parseJson(expected.body);
    assert.deepEqual(
      parseJson(content.toString()),
      isAboutNow(name) ? { ...(body as object), ts: tsOf(content) } : body,
    );
    assert.doesNotMatch(content.toString(), /": |, "/);
  }
}

const isAboutNow = (name: string): boolean => name === "in-ts-119-minutes";
const tsOf = (content: Buffer): unknown => (parseJson(content.toString()) as { ts: unknown }).ts;

/** The `ERROR` that gives back the last message that was sent. */
function rejection(type: string, id: string, sent: string): string {
  const body = sent.slice(sent.indexOf("\n\n") + 2, -1);
  const length = Buffer.byteLength(body);
  const headers = `receipt-id:${id}\ntype:${type}\ncontent-type:application/json\ncontent-length:${length}`;
  return `ERROR\nmessage:Invalid ${type} message.\n${headers}\n\n${body}\0`;
}

const keyOf = ({ serverKey }: Pick<TestIdentity, "serverKey">): string =>
  serverKey.export({ type: "pkcs8", format: "pem" }) as string;

/** A chain that ends in the root of `issuer`. */
function chainOf(subject: TestIdentity, issuer: TestIdentity): { certificate: string; key: string } {
  const { certificate, key } = clientCredentials(subject, issuer);
  return { certificate, key };
}

/** The peer with a leaf of the past. */
const expired = (peer: TestIdentity, own: TestIdentity): { certificate: string; key: string } =>
  chainOf({ ...peer, ...createServerCertificate(peer, -1) }, own);
