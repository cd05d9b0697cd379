/** The gateway as one process of `all`. */
import { connectRabbitMq } from "../broker/rabbitmq.ts";
import { readConfig } from "../config.ts";
import { answerSupervisor } from "../runtime/child-process.ts";
import { runTogether, STOP_MILLIS_MAX } from "../runtime/lifetime.ts";
import { createGatewayMetrics } from "./gateway-metrics.ts";
import { collectMetrics, createMetricsRegistry } from "./metrics.ts";
import type { ProcessInput } from "./process-input.ts";
import { runStompClients } from "./stomp-clients.ts";
import { runStompServer } from "./stomp-server.ts";
import { closeBroker, collectUnreadyReasons, withGateway } from "./with-gateway.ts";

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
      runTogether(
        [
          (stop) => runStompServer(opened, stop),
          (stop) => runStompClients(opened, (find) => unreadyReasons.push(find), stop),
        ],
        signal,
      ),
    );
  } finally {
    await closeBroker(broker, log);
  }
}
