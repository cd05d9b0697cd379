/** Running a part of the gateway as the command's own process: it needs no database and no supervisor. */
import type { Broker } from "../broker/broker.ts";
import { connectRabbitMq } from "../broker/rabbitmq.ts";
import type { Config } from "../config.ts";
import { finishWithin } from "../runtime/lifetime.ts";
import { createLogger, type Logger } from "../runtime/log.ts";
import { formatMetrics } from "../runtime/metrics.ts";
import { startMonitoring } from "../runtime/monitoring.ts";
import { type Gateway, withGateway } from "./gateway.ts";
import { createGatewayMetrics } from "./gateway-metrics.ts";
import { collectMetrics, createMetricsRegistry } from "./metrics.ts";

export interface AloneOptions {
  /** Shown in the log, by the broker and in the metrics. */
  readonly name: string;
  readonly config: Config;
  readonly work: (gateway: Gateway, addUnreadyReason: AddUnreadyReason) => Promise<void>;
}

/** Receives a function that returns why a part of the process cannot work. */
export type AddUnreadyReason = (find: () => string | undefined) => void;

const CLOSE_MILLIS_MAX = 1_500;

/** Connects to the broker, serves monitoring, does the work, and closes. */
export async function runAlone({ name, config, work }: AloneOptions): Promise<void> {
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
    const { gateway, nodeDataDirectory, debtorIds } = config;
    const metrics = createGatewayMetrics(registry);
    await withGateway({ config: gateway, nodeDataDirectory, debtorIds, broker, metrics, log }, (opened) =>
      work(opened, (find) => unreadyReasons.push(find)),
    );
  } finally {
    await closeBroker(broker, log);
    await monitoring.close();
  }
}

/** What keeps a process of the gateway from its work, in words. */
export const collectUnreadyReasons = (
  broker: Broker,
  unreadyReasons: readonly (() => string | undefined)[],
): string[] => [
  ...(broker.isConnected() ? [] : ["there is no connection to the broker"]),
  ...unreadyReasons.map((find) => find()).filter((unreadyReason) => unreadyReason !== undefined),
];

/** Closes the connection to the broker, in bounded time. */
export const closeBroker = (broker: Broker, log: Logger): Promise<void> =>
  finishWithin(CLOSE_MILLIS_MAX, "closing the connection to the broker", broker.close(), log);
