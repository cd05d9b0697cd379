/** An agent and an accounting authority as nodes of their own, and the unreliable connection between them. */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { agentLinkQueue, authorityLinkQueue } from "../../sandbox/accounting-authority/topology.ts";
import { createNodePair, type PairedNode } from "../../sandbox/peer-node/node-pair.ts";
import { configurePeerQueue } from "../../src/broker/declare-topology.ts";
import { findFreePort, startCommand, startProgram } from "../support/command.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { type ManagedProcess, manageProcess } from "./processes.ts";
import type { SeededRandom } from "./random.ts";
import { startUnreliableRelay } from "./unreliable-relay.ts";

/** The gateways of both nodes. */
export interface Link extends AsyncDisposable {
  /** The broker of the authority. */
  readonly authorityUrl: string;
  /** What is to be sent, on the broker of the agent and on that of the authority. */
  readonly agentQueue: string;
  readonly authorityQueue: string;
  readonly processes: readonly ManagedProcess[];
  /** A debtor of the agent. */
  readonly drawDebtorId: (random: SeededRandom) => bigint;
  /** From now on everything passes at once. */
  heal(): void;
}

export interface LinkOptions {
  /** The broker of the agent, past everything that a test breaks. */
  readonly agentUrl: string;
  /** The environment of the agent's processes. */
  readonly environment: Readonly<Record<string, string>>;
  readonly random: SeededRandom;
}

const AUTHORITY_ID = "1234abcd";
/** There are several of each, so that a queue has two consumers and a peer several connections. */
const CLIENT_COUNT = 2;
const peerProgram = fileURLToPath(new URL("./peer-node.ts", import.meta.url));

/** Makes both nodes and starts their gateways. */
export async function startLink({ agentUrl, environment, random }: LinkOptions): Promise<Link> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-chaos-nodes-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const authorityHost = stack.use(await createTestVirtualHost());
  const [agentPort, authorityPort] = [await findFreePort(), await findFreePort()];
  const toAgent = stack.use(await startUnreliableRelay(agentPort, random.next));
  const toAuthority = stack.use(await startUnreliableRelay(authorityPort, random.next));
  const { agent, authority, subnet } = await createNodePair({
    folder,
    authorityId: AUTHORITY_ID,
    agentServer: `127.0.0.1:${toAgent.port}`,
    authorityServer: `127.0.0.1:${toAuthority.port}`,
  });
  const [agentQueue, authorityQueue] = [agentLinkQueue(authority.nodeId), authorityLinkQueue(agent.nodeId)];
  const peerQueue = { url: agentUrl, queue: agentQueue, peerId: authority.nodeId };
  await configurePeerQueue({ ...peerQueue, useRandomExchange: false });

  const agentEnvironment = { ...environment, ...gatewayEnvironment(agent, agentPort) };
  const authorityEnvironment = {
    ...gatewayEnvironment(authority, authorityPort),
    APP_LOG_LEVEL: "warning",
    PROTOCOL_BROKER_URL: authorityHost.url,
    PEER_ID: agent.nodeId,
    PEER_QUEUE: authorityQueue,
  };
  const send = ["stomp", "send", authority.nodeId, agentQueue];
  const processes = [
    manageProcess("STOMP server", () => startCommand(["stomp", "serve"], agentEnvironment)),
    ...Array.from({ length: CLIENT_COUNT }, (_, index) =>
      manageProcess(`STOMP client ${index + 1}`, () => startCommand(send, agentEnvironment)),
    ),
    manageProcess("peer", () => startProgram(peerProgram, [], authorityEnvironment)),
  ];
  const resources = stack.move();
  return {
    authorityUrl: authorityHost.url,
    agentQueue,
    authorityQueue,
    processes,
    drawDebtorId: (random) =>
      subnet.minDebtorId + (BigInt.asUintN(64, random.int64()) % (subnet.maxDebtorId - subnet.minDebtorId + 1n)),
    heal: () => {
      toAgent.heal();
      toAuthority.heal();
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Small buffers, so that they fill. */
const gatewayEnvironment = ({ directory, certificateFile, keyFile }: PairedNode, port: number) => ({
  SWPT_NODEDATA_URL: `file://${directory}`,
  SWPT_SERVER_CERT: certificateFile,
  SWPT_SERVER_KEY: keyFile,
  SWPT_SERVER_PORT: String(port),
  SWPT_CLIENT_BUFFER: "20",
  SWPT_SERVER_BUFFER: "20",
  APP_STOMP_RECONNECT_MAX_SECONDS: "1",
});
