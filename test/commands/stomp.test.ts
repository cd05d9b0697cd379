/** The commands of the gateway, as processes of their own. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import amqp from "amqplib";
import { bodies, sendFrame, withMember } from "../gateway/messages.ts";
import {
  clientCredentials,
  createServerCertificate,
  createTestNode,
  PEER_ID,
  serverCredentials,
} from "../gateway/nodes.ts";
import { connectRaw, listenRaw } from "../gateway/raw-peer.ts";
import { CONNECTED, receiptFrame, STOMP } from "../stomp/frames.ts";
import { findFreePort, runCommand, startCommand } from "../support/command.ts";
import { hasIpv6 } from "../support/ipv6.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { baseEnvironment } from "./environment.ts";

const QUEUE = `da.${PEER_ID}`;

const host = await createTestVirtualHost();
const connection = await amqp.connect(host.url);
const channel = await connection.createConfirmChannel();
await channel.assertExchange("debtors_in", "topic");
await channel.assertQueue("incoming");
await channel.bindQueue("incoming", "debtors_in", "#");
const node = await createTestNode();
after(async () => {
  await connection.close();
  await host.close();
  await node[Symbol.asyncDispose]();
});

/** None of these commands needs a database, nor the interval of debtor IDs. */
const environment = {
  SWPT_NODEDATA_URL: `file://${node.directory}`,
  SWPT_SERVER_CERT: node.certificateFile,
  SWPT_SERVER_KEY: node.keyFile,
  PROTOCOL_BROKER_URL: host.url,
  APP_LOG_LEVEL: "info",
};

test("configure-queue declares the queue, its dead-letter queue and what leads there, and may be repeated", async () => {
  await rm(node.peerFile("ACTIVE"));
  for (let time = 0; time < 2; time++) {
    const args = ["configure-queue", PEER_ID, QUEUE, "--no-random-exchange", "--activate"];
    const { code, output } = await runCommand(args, environment);
    assert.equal(code, 0, output);
    assert.match(output, /^The queue da\.1234abcd gets the messages for 1234abcd, which is active\.\n$/);
  }
  assert.ok(existsSync(node.peerFile("ACTIVE")));
  await channel.assertQueue(QUEUE, {
    arguments: { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": `${QUEUE}.XQ` },
  });
  await channel.assertQueue(`${QUEUE}.XQ`);
  channel.publish("debtors_out", "", Buffer.from("x"));
  await channel.waitForConfirms();
  await waitFor(() => channel.get(QUEUE, { noAck: true }));
});

for (const [what, args, prepare, problem] of [
  ["an unknown peer", ["99999999", "da.99999999"], async () => async () => {}, /no registered peer "99999999"/],
  ["a path instead of a peer", ["../x", "da.x"], async () => async () => {}, /no registered peer "\.\.\/x"/],
  [
    "a deactivated peer",
    [PEER_ID, QUEUE],
    async () => {
      await writeFile(node.peerFile("DEACTIVATED"), "2026-11-26\n");
      return () => rm(node.peerFile("DEACTIVATED"));
    },
    /has been deactivated/,
  ],
] as const) {
  test(`configure-queue: ${what} is one line and exit code 1`, async () => {
    const undo = await prepare();
    const { code, output } = await runCommand(["stomp", "configure-queue", ...args], environment);
    await undo();
    assert.equal(code, 1);
    assert.match(output, problem);
    assert.match(output, /^[^\n]+\n$/);
  });
}

test("without the broker's plugin configure-queue either works or says what to do", async () => {
  const { code, output } = await runCommand(["stomp", "configure-queue", PEER_ID, "da.random"], environment);
  if (code !== 0) assert.match(output, /^[^\n]*rabbitmq_random_exchange, or use --no-random-exchange\.\n$/);
});

test("drain: only for a deactivated peer", async () => {
  const { code, output } = await runCommand(["swpt-drainer", PEER_ID, QUEUE], environment);
  assert.equal(code, 1);
  assert.match(output, /^The peer 1234abcd has not been deactivated\.\n$/);
});

test("serve: what is wrong with the node's data or the port is one line and exit code 1", async () => {
  await using taken = await listenRaw(serverCredentials(node.peer));
  for (const [change, problem] of [
    [{ SWPT_NODEDATA_URL: "file:///nowhere" }, /nowhere/],
    [{ SWPT_SERVER_CERT: "/nowhere.crt" }, /nowhere\.crt/],
    [{ SWPT_SERVER_PORT: String(taken.port) }, /another program uses this port .*check SWPT_SERVER_PORT/],
  ] as const) {
    const { code, output } = await runCommand(["stomp", "serve"], {
      ...environment,
      APP_LOG_LEVEL: "error",
      ...change,
    });
    assert.equal(code, 1);
    assert.match(output, problem);
    assert.match(output, /^[^\n]+\n$/);
  }
});

test("serve and send: messages go both ways, readiness reports the session, and SIGTERM ends both with exit code 0", async () => {
  await using peer = await listenRaw(serverCredentials(node.peer));
  await node.setServers([`127.0.0.1:${peer.port}`]);
  const metricsPort = String(await findFreePort());
  await using server = startCommand(
    ["swpt-server", "-p", "0", "-b", "10", "-n", environment.SWPT_NODEDATA_URL],
    environment,
  );
  await using client = startCommand(["swpt-client", "-b", "10", PEER_ID, QUEUE], {
    ...environment,
    METRICS_PORT: metricsPort,
  });
  const port = Number((await server.outputMatching(/Listening for peers port=(\d+)/))[1]);

  await using received = await connectRaw(port, clientCredentials(node.peer, node.own));
  received.send(STOMP);
  await received.expect(CONNECTED);
  received.send(sendFrame("m1", bodies.AccountPurge));
  await received.expect(receiptFrame("m1"));
  const message = await waitFor(() => channel.get("incoming", { noAck: true }));
  assert.equal(message.content.toString(), bodies.AccountPurge);

  const sent = await peer.accept();
  await sent.expect(STOMP);
  const ready = async (): Promise<Response> => fetch(`http://127.0.0.1:${metricsPort}/ready`);
  assert.deepEqual(await (await ready()).json(), {
    ready: false,
    unreadyReasons: [`${QUEUE}: No session with the peer yet`],
  });
  sent.send(CONNECTED);
  channel.publish("debtors_out", "", Buffer.from(withMember("ConfigureAccount", "seqnum", "77")), {
    type: "ConfigureAccount",
    contentType: "application/json",
    persistent: true,
  });
  assert.match(await sent.nextFrame(), /"seqnum":77/);
  sent.send(receiptFrame(1));
  await waitFor(async () => (await ready()).status === 200);
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  assert.match(
    metrics,
    /swpt_debtors_stomp_messages_total\{[^}]*direction="out",type="ConfigureAccount",outcome="confirmed"\} 1\n/,
  );
  assert.match(metrics, /swpt_debtors_stomp_certificate_expiry_timestamp_seconds\{[^}]*which="sub_ca"\} \d+/);

  client.kill("SIGTERM");
  await sent.expect("DISCONNECT\nreceipt:bye\n\n\0");
  sent.send(receiptFrame("bye"));
  assert.deepEqual(await client.exit, { code: 0, signal: null });
  server.kill("SIGTERM");
  await received.expect("ERROR\nmessage:The connection has been closed by the server.\n\n\0");
  assert.deepEqual(await server.exit, { code: 0, signal: null });
  assert.equal((await channel.checkQueue(QUEUE)).messageCount, 0);
});

test("serve: peers reach it by IPv4 and by IPv6", { skip: !hasIpv6() }, async () => {
  await using server = startCommand(["stomp", "serve", "-p", "0"], environment);
  const port = Number((await server.outputMatching(/Listening for peers port=(\d+)/))[1]);
  for (const address of ["127.0.0.1", "::1"]) {
    await using peer = await connectRaw(port, clientCredentials(node.peer, node.own), { host: address });
    peer.send(STOMP);
    await peer.expect(CONNECTED);
  }
});

test("check: one line per server, and exit code 0 only when all answer", async () => {
  await using server = startCommand(["stomp", "serve", "-p", "0"], environment);
  await server.outputMatching(/Listening for peers/);
  await using peer = await listenRaw(serverCredentials(node.peer));
  await node.setServers([`127.0.0.1:${peer.port}`, "127.0.0.1:1"]);
  const checked = runCommand(["stomp", "check", PEER_ID], { ...environment, APP_LOG_LEVEL: "error" });
  const session = await peer.accept();
  await session.expect(STOMP);
  session.send(CONNECTED);
  await session.expect("DISCONNECT\nreceipt:bye\n\n\0");
  session.send(receiptFrame("bye"));
  const { code, output } = await checked;
  assert.equal(code, 1);
  assert.equal(output.split("\n")[0], `127.0.0.1:${peer.port} answers`);
  assert.match(output.split("\n")[1]!, /^127\.0\.0\.1:1 does not answer: nothing listens there \(.*ECONNREFUSED.*\)$/);
});

test("check: one line in words for whatever answers in the place of a peer's server", async () => {
  await using stack = new AsyncDisposableStack();
  const listen = async (server: Server): Promise<string> => {
    const sockets = new Set<Socket>();
    server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
    await once(server.listen(0, "127.0.0.1"), "listening");
    stack.defer(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const { certificate: cert, key } = serverCredentials(node.peer);
  const expected = new Map([
    [await listen(createServer()), /^no answer in time \(No connection within 5 s\)$/],
    [
      await listen(createServer((socket) => socket.end())),
      /^the server closed the connection during the TLS handshake/,
    ],
    [
      await listen(createServer((socket) => socket.once("data", () => socket.resetAndDestroy()))),
      /^the server hangs up \(.*ECONNRESET\)$/,
    ],
    [await listen(createServer((socket) => socket.end("220 mail"))), /^the server does not speak TLS on this port$/],
    [
      await listen(createTlsServer({ cert, key, maxVersion: "TLSv1.2" })),
      /^the server does not speak this version of TLS$/,
    ],
    ["nowhere.invalid:1", /^the host name cannot be resolved \(.*\)$/],
  ]);
  await node.setServers([...expected.keys()]);
  const { code, output } = await runCommand(["stomp", "check", PEER_ID], { ...environment, APP_LOG_LEVEL: "error" });
  assert.equal(code, 1);
  const lines = output.trimEnd().split("\n");
  assert.equal(lines.length, expected.size, output);
  for (const [i, [server, reason]] of [...expected].entries()) {
    const [, name, text] = /^(\S+) does not answer: (.*)$/.exec(lines[i]!)!;
    assert.equal(name, server);
    assert.match(text!, reason);
  }
});

test("under all SIGHUP makes the gateway look for a new certificate, and ends nothing", async () => {
  await using all = startCommand(["all"], {
    ...baseEnvironment,
    ...environment,
    SWPT_SERVER_PORT: "0",
    PROTOCOL_BROKER_PROCESSES: "0",
    FLUSH_PROCESSES: "0",
  });
  await all.outputMatching(/Listening for peers/);
  await node.setServerCertificate(createServerCertificate(node.own));
  all.kill("SIGHUP");
  await all.outputMatching(/Using a new certificate for new connections/);
  assert.deepEqual(await all.stop(), { code: 0, signal: null });
});
