/** A process of the gateway that is a command of its own: it needs no database and no supervisor. */
import type { Broker } from "../broker/broker.ts";
import { connectRabbitMq } from "../broker/rabbitmq.ts";
import type { Config } from "../config.ts";
import type { GatewayMetrics } from "../gateway/metrics.ts";
import { createLogger, type Logger } from "../runtime/log.ts";
import { formatMetrics } from "../runtime/metrics.ts";
import { startMonitoring } from "../runtime/monitoring.ts";
import { createGatewayMetrics } from "./gateway-metrics.ts";
import { collectMetrics, createMetricsRegistry } from "./metrics.ts";
import {
  type AddUnreadyReason,
  closeBroker,
  collectUnreadyReasons,
  type Gateway,
  withGateway,
} from "./with-gateway.ts";

export interface StandaloneOptions {
  /** Shown in the log, by the broker and in the metrics. */
  readonly name: string;
  readonly config: Config;
}

/** What a standalone process works with. */
export interface StandaloneContext {
  readonly broker: Broker;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  readonly addUnreadyReason: AddUnreadyReason;
}

/** Connects to the broker, serves monitoring, does the work, and closes. */
export async function runStandalone(
  { name, config }: StandaloneOptions,
  work: (context: StandaloneContext) => Promise<void>,
): Promise<void> {
  const log = createLogger({ ...config.log, command: name });
  const registry = createMetricsRegistry();
  const unreadyReasons: (() => string | undefined)[] = [];
  const broker = await connectRabbitMq({ url: config.broker.url, connectionName: `swpt_debtors ${name}`, log });
  const monitoring = await startMonitoring({
    port: config.metricsPort,
    log,
    metrics: async () =>
      formatMetrics([{ labels: { process_type: name, process: "1" }, metrics: await collectMetrics(registry) }]),
    readiness: async () => ({ unreadyReasons: collectUnreadyReasons(broker, unreadyReasons) }),
  });
  try {
    const metrics = createGatewayMetrics(registry);
    await work({ broker, metrics, log, addUnreadyReason: (find) => unreadyReasons.push(find) });
  } finally {
    await closeBroker(broker, log);
    await monitoring.close();
  }
}

/** `runStandalone` for what connects to peers or accepts them, and so needs the node's certificate. */
export function runStandaloneGateway(
  options: StandaloneOptions,
  work: (gateway: Gateway, addUnreadyReason: AddUnreadyReason) => Promise<void>,
): Promise<void> {
  const { gateway, nodeDataDirectory, debtorIds } = options.config;
  return runStandalone(options, ({ addUnreadyReason, ...context }) =>
    withGateway({ config: gateway, nodeDataDirectory, debtorIds, ...context }, (opened) =>
      work(opened, addUnreadyReason),
    ),
  );
}
