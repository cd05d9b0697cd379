/** Which queues `all` sends: those of the peers that are in the node's directory, and those that come later. */
import assert from "node:assert/strict";
import { rename, rm, writeFile } from "node:fs/promises";
import { after, test } from "node:test";
import { createGatewayMetrics } from "../../src/processes/gateway-metrics.ts";
import { createMetricsRegistry } from "../../src/processes/metrics.ts";
import { CONNECTED, receiptFrame } from "../stomp/frames.ts";
import { waitFor } from "../support/wait.ts";
import { startClients } from "./gateway-fixture.ts";
import { bodies } from "./messages.ts";
import { createTestNode, serverCredentials } from "./nodes.ts";
import { listenRaw, type RawConnection } from "./raw-peer.ts";
import { createTestBroker } from "./test-broker.ts";

const { broker, put, depth } = await createTestBroker();
const node = await createTestNode();
const server = await listenRaw(serverCredentials(node.peer));
await node.setServers([`127.0.0.1:${server.port}`]);
after(async () => {
  await server[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});
const message = { type: "ConfigureAccount", contentType: "application/json", body: bodies.ConfigureAccount };

/** Accepts a session, and confirms its first message. */
async function takeMessage(): Promise<RawConnection> {
  const connection = await server.accept();
  await connection.nextFrame();
  connection.send(CONNECTED);
  assert.match(await connection.nextFrame(), /^SEND\n/);
  connection.send(receiptFrame(1));
  return connection;
}

test("a peer that is registered later, and a queue that is added, are found without a restart", async () => {
  const [queue, second] = [`da.${node.peer.nodeId}`, `da.${node.peer.nodeId}.2`];
  for (const each of [queue, second]) await put(each, [message]);
  await rename(node.peerFile("sub-ca.crt"), node.peerFile("unregistered.crt"));
  await using clients = startClients({ node, broker, environment: { APP_PEERS_CHECK_SECONDS: "0.05" } });
  await waitFor(() => clients.log.some((line) => line.includes("No peer is registered")));

  await rename(node.peerFile("unregistered.crt"), node.peerFile("sub-ca.crt"));
  const first = await takeMessage();
  await waitFor(async () => (await depth(queue)) === 0);

  await writeFile(node.peerFile("queues.txt"), "two\n");
  await waitFor(() => clients.log.some((line) => /The peers cannot be read.*queues\.txt/.test(line)));
  await writeFile(node.peerFile("queues.txt"), "2\n");
  const other = await takeMessage();
  await waitFor(async () => (await depth(second)) === 0);

  await writeFile(node.peerFile("DEACTIVATED"), "2026-11-26\n");
  for (const connection of [first, other]) {
    await connection.expect("DISCONNECT\nreceipt:bye\n\n\0");
    connection.send(receiptFrame("bye"));
  }
  await waitFor(() => clients.log.filter((line) => line.includes("The peer is deactivated")).length === 2);
});

test("a peer that there never was a session with has 0 sessions in the metrics, and a deactivated one has none", async () => {
  await rm(node.peerFile("DEACTIVATED"), { force: true });
  await node.setServers(["127.0.0.1:1"]);
  const registry = createMetricsRegistry();
  const environment = { APP_PEERS_CHECK_SECONDS: "0.05" };
  await using clients = startClients({ node, broker, environment, metrics: createGatewayMetrics(registry) });
  await waitFor(() => clients.log.some((line) => line.includes("No session with the peer")));

  const sessions = async () =>
    /^swpt_debtors_stomp_connections\{direction="out",.*$/m.exec(await registry.metrics())?.[0];
  assert.equal(await sessions(), `swpt_debtors_stomp_connections{direction="out",peer="${node.peer.nodeId}"} 0`);
  await writeFile(node.peerFile("DEACTIVATED"), "2026-11-26\n");
  await waitFor(async () => (await sessions()) === undefined);
});
