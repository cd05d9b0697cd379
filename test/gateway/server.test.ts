/** Receiving from a peer: what happens to connections and confirms when things go wrong. */
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { after, test } from "node:test";
import { CONNECTED, errorFrame, receiptFrame, STOMP } from "../stomp/frames.ts";
import { waitFor } from "../support/wait.ts";
import { startServer } from "./gateway-fixture.ts";
import { bodies, purgeOf, sendFrame, withMember } from "./messages.ts";
import { clientCredentials, createIdentity, createServerCertificate, createTestNode } from "./nodes.ts";
import { connectRaw, type RawConnection } from "./raw-peer.ts";
import { createTestBroker } from "./test-broker.ts";

const { broker, relay, received, bindIncoming, unbindIncoming } = await createTestBroker();
const node = await createTestNode();
after(() => node[Symbol.asyncDispose]());
const credentials = clientCredentials(node.peer, node.own);
const environment = {
  APP_PEERS_CACHE_SECONDS: "0",
  APP_PEERS_CHECK_SECONDS: "0.1",
  APP_RMQ_CONFIRMATION_TIMEOUT_SECONDS: "2",
};

async function open(port: number): Promise<RawConnection> {
  const connection = await connectRaw(port, credentials);
  connection.send(STOMP);
  await connection.expect(CONNECTED);
  return connection;
}

test("an open connection ends when the peer is deactivated, though nothing is sent on it", async (t) => {
  await using server = await startServer({ node, broker, environment });
  await using connection = await open(server.port);
  await writeFile(node.peerFile("DEACTIVATED"), "2026-11-26\n");
  t.after(() => rm(node.peerFile("DEACTIVATED")));
  await connection.expect(errorFrame("The peer has been deactivated."));
  await connection.end();
});

test("a connection may take the place of one that is gone", async () => {
  await using server = await startServer({
    node,
    broker,
    environment: { ...environment, APP_MAX_CONNECTIONS_PER_PEER: "2" },
  });
  const [first] = [await open(server.port), await open(server.port)];
  await using third = await connectRaw(server.port, credentials);
  third.send(STOMP);
  await third.expect(errorFrame("Too many connections from one peer."));
  first.socket.destroy();
  await waitFor(async () => {
    await using fourth = await connectRaw(server.port, credentials);
    fourth.send(STOMP);
    return (await fourth.nextFrame()) === CONNECTED;
  });
});

test("a peer whose connections say nothing gets no more of them, and others are not disturbed", async () => {
  await using server = await startServer({
    node,
    broker,
    environment: { ...environment, APP_MAX_CONNECTIONS_PER_PEER: "3" },
  });
  const silent = await Promise.all(Array.from({ length: 8 }, () => connectRaw(server.port, credentials)));
  await waitFor(() => silent.filter((connection) => connection.hasEnded()).length === 5);
  for (const connection of silent) connection.socket.destroy();
  await waitFor(async () => {
    await using connection = await connectRaw(server.port, credentials);
    connection.send(STOMP);
    return (await connection.nextFrame().catch(() => "")) === CONNECTED;
  });
});

test("many connections without TLS, and some that never speak, do not keep the peer out", async () => {
  await using server = await startServer({
    node,
    broker,
    environment: { ...environment, APP_SSL_HANDSHAKE_TIMEOUT: "0.2" },
  });
  const sockets = Array.from({ length: 700 }, (_, index) => {
    const socket = connectTcp(server.port, "127.0.0.1");
    socket.on("error", () => {}).resume();
    if (index % 2 === 0) socket.write("GET / HTTP/1.1\r\n\r\n");
    return socket;
  });
  await using connection = await open(server.port);
  connection.send(sendFrame("m1", bodies.AccountPurge));
  await connection.expect(receiptFrame("m1"));
  for (const socket of sockets) socket.destroy();
});

test("a connection that never becomes TLS ends without a byte, and is no more than a debug line", async () => {
  await using server = await startServer({
    node,
    broker,
    environment: { ...environment, APP_SSL_HANDSHAKE_TIMEOUT: "0.2" },
  });
  const socket = connectTcp(server.port, "127.0.0.1");
  let received = 0;
  socket.on("data", (bytes) => {
    received += bytes.length;
  });
  socket.on("error", () => {});
  await waitFor(() => socket.closed);
  assert.equal(received, 0);
  assert.ok(server.log.some((line) => line.includes(" debug ") && line.includes("did not become TLS")));
});

test("what the broker loses is published again, and confirmed on the same connection", async () => {
  await using server = await startServer({
    node,
    broker,
    environment: { ...environment, APP_RMQ_CONFIRMATION_TIMEOUT_SECONDS: "20" },
  });
  await using connection = await open(server.port);
  connection.send(sendFrame("1", purgeOf(1)));
  await connection.expect(receiptFrame("1"));
  relay.setReachable(false);
  connection.send(sendFrame("2", purgeOf(2)));
  await waitFor(() => !broker.isConnected());
  relay.setReachable(true);
  await connection.expect(receiptFrame("2"));
  await waitFor(() => received.includes(purgeOf(2)));
});

test("a broker that stays unavailable is an internal error; the server lives, and serves again when it is back", async () => {
  await using server = await startServer({
    node,
    broker,
    environment: { ...environment, APP_RMQ_CONNECTION_TIMEOUT_SECONDS: "0.5" },
  });
  await using connection = await open(server.port);
  relay.setReachable(false);
  connection.send(sendFrame("lost", purgeOf(3)));
  await connection.expect(errorFrame("Internal server error."));
  await using refused = await connectRaw(server.port, credentials);
  refused.send(STOMP);
  await refused.expect(errorFrame("Internal server error."));
  relay.setReachable(true);
  await waitFor(() => broker.isConnected());
  await using next = await open(server.port);
  next.send(sendFrame("4", purgeOf(4)));
  await next.expect(receiptFrame("4"));
});

test("a message that no queue takes is never confirmed", async (t) => {
  await unbindIncoming();
  t.after(bindIncoming);
  await using server = await startServer({ node, broker, environment });
  await using connection = await open(server.port);
  connection.send(sendFrame("1", purgeOf(5)));
  await connection.expect(errorFrame("Internal server error."));
  assert.ok(server.log.some((line) => line.includes("no queue is bound")));
});

test("a message that no queue takes is confirmed once one does", async (t) => {
  await unbindIncoming();
  t.after(bindIncoming);
  await using server = await startServer({
    node,
    broker,
    environment: { ...environment, APP_RMQ_CONFIRMATION_TIMEOUT_SECONDS: "20" },
  });
  await using connection = await open(server.port);
  connection.send(sendFrame("1", purgeOf(6)));
  await waitFor(() => server.log.some((line) => line.includes("no queue is bound")));
  await bindIncoming();
  await connection.expect(receiptFrame("1"));
});

test("a stop confirms what was received, tells the peer, and takes nothing more", async () => {
  await using server = await startServer({ node, broker, environment });
  await using connection = await open(server.port);
  received.length = 0;
  for (let number = 1; number <= 50; number++) connection.send(sendFrame(String(number), purgeOf(1000 + number)));
  const stopped = server.stop();
  const frames = (await connection.end()).split("\0").slice(0, -1);
  await stopped;
  assert.equal(frames.at(-1), "ERROR\nmessage:The connection has been closed by the server.\n\n");
  const confirmed = Number(/receipt-id:(\d+)/.exec(frames.at(-2) ?? "")?.[1] ?? 0);
  await waitFor(() => received.length >= confirmed);
  await assert.rejects(connectRaw(server.port, credentials));
});

test("a stop does not wait for a broker that is unavailable", async (t) => {
  const server = await startServer({
    node,
    broker,
    environment: { ...environment, APP_STOMP_STOP_SECONDS: "0.3", APP_RMQ_CONFIRMATION_TIMEOUT_SECONDS: "20" },
  });
  await using connection = await open(server.port);
  relay.setReachable(false);
  t.after(async () => {
    relay.setReachable(true);
    await waitFor(() => broker.isConnected());
  });
  connection.send(sendFrame("1", purgeOf(7)));
  await waitFor(() => !broker.isConnected());
  await server.stop();
  assert.match(await connection.end(), /closed by the server/);
});

test("thousands of messages do not pile up in a slow gateway", { timeout: 120_000 }, async () => {
  let published = 0;
  let under = 0;
  let most = 0;
  const slow = {
    ...broker,
    publish: async (publications: readonly unknown[]) => {
      under += publications.length;
      most = Math.max(most, under);
      await new Promise((resolve) => setTimeout(resolve, 2));
      under -= publications.length;
      published += publications.length;
      return publications.map(() => "confirmed" as const);
    },
  };
  await using server = await startServer({ node, broker: slow, environment });
  await using connection = await open(server.port);
  const count = 20_000;
  const batch = Buffer.concat(Array.from({ length: 100 }, (_, index) => sendFrame(String(index), bodies.AccountPurge)));
  for (let sent = 0; sent < count; sent += 100) {
    if (connection.socket.write(batch)) continue;
    await new Promise((resolve) => connection.socket.once("drain", resolve));
  }
  connection.send("DISCONNECT\nreceipt:bye\n\n\0");
  assert.match(await connection.end(), /RECEIPT\nreceipt-id:bye\n\n\0$/);
  assert.equal(published, count);
  assert.ok(most <= 100, `${most} under way`);
});

test("a new certificate is shown to new connections, and one that does not fit is not used", async () => {
  await using server = await startServer({ node, broker, environment });
  await using old = await open(server.port);
  const renewed = createServerCertificate(node.own);
  await node.setServerCertificate(renewed);
  process.emit("SIGHUP", "SIGHUP");
  const serialNumber = renewed.serverCertificate.serialNumber;
  await waitFor(async () => {
    await using next = await connectRaw(server.port, credentials);
    return next.socket.getPeerCertificate().serialNumber === serialNumber;
  });
  old.send(sendFrame("1", bodies.AccountPurge));
  await old.expect(receiptFrame("1"));

  const { serverKey } = createServerCertificate(node.own);
  await node.setServerCertificate({ ...renewed, serverKey });
  process.emit("SIGHUP", "SIGHUP");
  await waitFor(() => server.log.some((line) => line.includes("The changed certificate is not used")));
  await using last = await connectRaw(server.port, credentials);
  assert.equal(last.socket.getPeerCertificate().serialNumber, serialNumber);
  await node.setServerCertificate(node.own);
});

test("the log says what was refused and why, and shows neither the body nor a key", async () => {
  await using server = await startServer({ node, broker, environment });
  await using connection = await open(server.port);
  connection.send(sendFrame("b1", withMember("RejectedConfig", "config_data", "5"), "RejectedConfig"));
  await connection.end();
  const refused = server.log.find((line) => line.includes("Refused a message"))!;
  assert.match(refused, /warning .*peer="1234abcd".*type="RejectedConfig".*config_data must be a string.*receipt="b1"/);
  assert.ok(!server.log.some((line) => line.includes("PRIVATE KEY")));
  assert.ok(!server.log.some((line) => !line.includes(" debug ") && line.includes("rejection_code")));
});

test("messages that are refused for the same reason are one line of the log", async () => {
  await using server = await startServer({ node, broker, environment });
  for (const receipt of ["b1", "b2", "b3"]) {
    await using connection = await open(server.port);
    connection.send(sendFrame(receipt, withMember("RejectedConfig", "config_data", "5"), "RejectedConfig"));
    await connection.end();
  }
  assert.equal(server.log.filter((line) => line.includes("Refused a message")).length, 1);
});

test("a peer of the wrong organization is told so", async () => {
  const somebody = createIdentity("Accounting Authorities", "99999999");
  await using server = await startServer({ node, broker, environment });
  await using connection = await connectRaw(server.port, clientCredentials(somebody, node.own));
  connection.send(STOMP);
  await connection.expect(errorFrame("Unknown peer serial number."));
});
