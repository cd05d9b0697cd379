/** `stomp configure-queue` and `check`: setting up and trying the way to a peer. Spec: stomp, "Commands". */
import { configurePeerQueue, NoRandomExchangeError } from "../broker/declare-topology.ts";
import { readConfig } from "../config.ts";
import { checkServer } from "../gateway/check-server.ts";
import { openCredentials } from "../gateway/credentials.ts";
import { noMetrics } from "../gateway/metrics.ts";
import { createNodeDirectory } from "../gateway/node-directory.ts";
import { readNodeData, readPeer } from "../node-data/read.ts";
import { activatePeer } from "../node-data/register-peer.ts";
import { explain } from "../processes/with-gateway.ts";
import { CommandError } from "../runtime/command-error.ts";
import { createLogger } from "../runtime/log.ts";
import { printResult } from "../runtime/output.ts";
import type { Command } from "./command.ts";
import { adviceOnLimit, onBroker } from "./queue.ts";
import { oneTry, whenBrokerIsUp } from "./server-wait.ts";
import { requirePeer } from "./stomp.ts";
import { brokerOption, certificateOptions, nodeOptions, peerArgument, queueArgument } from "./stomp-options.ts";

export const configureQueue: Command = {
  name: "stomp configure-queue",
  summary: "Declare the queue of the messages for a peer, and route them there",
  help: "Does nothing where all is there already. Needs no database.",
  positionals: [peerArgument, queueArgument],
  options: {
    ...nodeOptions,
    ...brokerOption,
    activate: { type: "boolean", meaning: "Mark the peer as active, so that traffic may start" },
    "no-random-exchange": {
      type: "boolean",
      meaning: "For one queue per peer: do without RabbitMQ's plugin rabbitmq_random_exchange",
    },
  },
  async run({ environment, positionals, values, signal }) {
    const config = readConfig(environment, []);
    const [peerId, queue] = positionals as [string, string];
    const { isDeactivated } = await requirePeer(config.nodeDataDirectory, peerId);
    if (isDeactivated) throw new CommandError(`The peer ${peerId} has been deactivated.`);
    const useRandomExchange = values["no-random-exchange"] !== true;
    const work = () =>
      configurePeerQueue({ url: config.broker.url, queue, peerId, useRandomExchange }).catch(adviseOnPlugin);
    const { deliveries } = await onBroker(whenBrokerIsUp(work, oneTry("stomp_peer", config, signal)));
    if (values.activate === true) {
      await explain(activatePeer(await explain(readNodeData(config.nodeDataDirectory)), peerId));
    }
    printResult(
      `The queue ${queue} gets the messages for ${peerId}${values.activate === true ? ", which is active" : ""}.\n`,
    );
    if (deliveries === "limited") printResult(adviceOnLimit(config.broker.url, queue));
    return 0;
  },
};

function adviseOnPlugin(error: unknown): never {
  if (!(error instanceof NoRandomExchangeError)) throw error;
  throw new CommandError(`${error.message}. Enable its plugin rabbitmq_random_exchange, or use --no-random-exchange.`, {
    cause: error,
  });
}

export const check: Command = {
  name: "stomp check",
  summary: "Try to reach the servers of a peer",
  help: `Reads the node's data and certificates, and opens and ends a session with every server of the peer. Prints one line
per server; the exit code is 0 when all of them answer. Needs neither a database nor a broker.`,
  positionals: [peerArgument],
  options: { ...certificateOptions, ...nodeOptions },
  async run({ environment, positionals, signal }) {
    const { nodeDataDirectory, gateway, log: logConfig } = readConfig(environment, []);
    const [peerId] = positionals as [string];
    const log = createLogger({ ...logConfig, command: "stomp_check" });
    const nodes = createNodeDirectory(nodeDataDirectory, 0);
    await requirePeer(nodeDataDirectory, peerId);
    const { nodeId } = await explain(nodes.node());
    const peer = (await explain(readPeer(nodeDataDirectory, peerId)))!;
    const { certificateFile, keyFile } = gateway;
    const credentials = await explain(openCredentials({ certificateFile, keyFile, nodes, metrics: noMetrics, log }));
    let failureCount = 0;
    for (const server of peer.stomp.servers) {
      const reason = await checkServer(credentials.forClient(peer), peer, nodeId, server, signal);
      if (reason !== undefined) failureCount++;
      const host = server.host.includes(":") ? `[${server.host}]` : server.host;
      printResult(`${host}:${server.port} ${reason === undefined ? "answers" : `does not answer: ${reason}`}\n`);
    }
    return failureCount === 0 ? 0 : 1;
  },
};
