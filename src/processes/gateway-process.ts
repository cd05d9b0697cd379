/** The gateway as one process of `all`. */
import { connectRabbitMq } from "../broker/rabbitmq.ts";
import { readConfig } from "../config.ts";
import { listPeerIds, readPeerState, readQueueCount } from "../node-data/read.ts";
import { answerSupervisor } from "../runtime/child-process.ts";
import { runTogether, STOP_MILLIS_MAX, untilAborted } from "../runtime/lifetime.ts";
import {
  type AddUnreadyReason,
  closeBroker,
  collectUnreadyReasons,
  explain,
  type Gateway,
  withGateway,
} from "./gateway.ts";
import { createGatewayMetrics } from "./gateway-metrics.ts";
import { collectMetrics, createMetricsRegistry } from "./metrics.ts";
import type { ProcessInput } from "./process-input.ts";
import { runStompClient } from "./stomp-client.ts";
import { runStompServer } from "./stomp-server.ts";

/** The rest of the time that a process has is for closing the connection to the broker. */
const STOP_SECONDS_MAX = STOP_MILLIS_MAX / 1000 - 2;

/** Receives and sends, with a connection to the broker of its own, until the signal is aborted. */
export async function gatewayProcess({ name, environment, log, signal }: ProcessInput): Promise<void> {
  const config = readConfig(environment, []);
  const registry = createMetricsRegistry();
  const unreadyReasons: (() => string | undefined)[] = [];
  const broker = await connectRabbitMq({ url: config.broker.url, connectionName: `swpt_debtors ${name}`, log });
  answerSupervisor({
    metrics: () => collectMetrics(registry),
    unreadyReasons: async () => collectUnreadyReasons(broker, unreadyReasons),
  });
  try {
    const { nodeDataDirectory, debtorIds } = config;
    const gateway = { ...config.gateway, stopSeconds: Math.min(config.gateway.stopSeconds, STOP_SECONDS_MAX) };
    const metrics = createGatewayMetrics(registry);
    await withGateway({ config: gateway, nodeDataDirectory, debtorIds, broker, metrics, log }, (opened) =>
      runGateway(opened, (find) => unreadyReasons.push(find), signal),
    );
  } finally {
    await closeBroker(broker, log);
  }
}

/** The queue that holds the messages for a peer; with a number above 1 a further one of several. */
const peerQueue = (peerId: string, number = 1): string => `da.${peerId}${number === 1 ? "" : `.${number}`}`;

/** Serves, and sends each queue of each active peer, until the signal is aborted. */
async function runGateway(gateway: Gateway, addUnreadyReason: AddUnreadyReason, signal: AbortSignal): Promise<void> {
  const { nodes, log } = gateway;
  const works = [(stop: AbortSignal) => runStompServer(gateway, stop)];
  for (const peerId of await explain(listPeerIds(nodes.directory))) {
    const state = await explain(readPeerState(nodes.directory, peerId));
    if (state === undefined || state.isDeactivated) continue;
    const queueCount = await explain(readQueueCount(nodes.directory, peerId));
    for (let number = 1; number <= queueCount; number++) {
      const queue = peerQueue(peerId, number);
      works.push((stop) => runStompClient({ gateway, peerId, queue, addUnreadyReason }, stop));
    }
  }
  if (works.length === 1) log.warn("No peer is registered: nothing is sent");
  // A client ends by itself when its peer is deactivated; the others go on.
  works.push(untilAborted);
  await runTogether(works, signal);
}
