/** The gateway as one process of `all`. */
import { connectRabbitMq } from "../broker/rabbitmq.ts";
import { readConfig } from "../config.ts";
import { answerSupervisor } from "../runtime/child-process.ts";
import { closeBroker, collectUnreadyReasons } from "./alone.ts";
import { runGateway, withGateway } from "./gateway.ts";
import { createGatewayMetrics } from "./gateway-metrics.ts";
import { collectMetrics, createMetricsRegistry } from "./metrics.ts";
import type { ProcessInput } from "./process-input.ts";

/** Receives and sends until the signal is aborted. */
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
    const { gateway, nodeDataDirectory } = config;
    const metrics = createGatewayMetrics(registry);
    await withGateway({ config: gateway, nodeDataDirectory, broker, metrics, log }, (opened) =>
      runGateway(opened, (find) => unreadyReasons.push(find), signal),
    );
  } finally {
    await closeBroker(broker, log);
  }
}
