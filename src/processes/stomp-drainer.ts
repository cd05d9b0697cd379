/** The process that empties the queue of a deactivated peer. */
import { QueueNotFoundError } from "../broker/broker.ts";
import { connectRabbitMq } from "../broker/rabbitmq.ts";
import type { Config } from "../config.ts";
import { drainQueue } from "../gateway/drainer.ts";
import { createNodeDirectory } from "../gateway/node-directory.ts";
import { debtorsAgent } from "../gateway/role.ts";
import { CommandError } from "../runtime/command-error.ts";
import { createLogger } from "../runtime/log.ts";
import { formatMetrics } from "../runtime/metrics.ts";
import { startMonitoring } from "../runtime/monitoring.ts";
import { closeBroker, collectUnreadyReasons } from "./alone.ts";
import { explain } from "./gateway.ts";
import { createGatewayMetrics } from "./gateway-metrics.ts";
import { collectMetrics, createMetricsRegistry } from "./metrics.ts";

export interface DrainerProcessOptions {
  readonly config: Config;
  readonly peerId: string;
  readonly queue: string;
}

/** Drains until the signal is aborted. It needs no certificate: nobody is connected to. */
export async function runDrainer({ config, peerId, queue }: DrainerProcessOptions, signal: AbortSignal): Promise<void> {
  const name = "stomp_drainer";
  const log = createLogger({ ...config.log, command: name });
  const registry = createMetricsRegistry();
  const broker = await connectRabbitMq({ url: config.broker.url, connectionName: `swpt_debtors ${name}`, log });
  const monitoring = await startMonitoring({
    port: config.metricsPort,
    log,
    metrics: async () =>
      formatMetrics([{ labels: { process_type: name, process: "1" }, metrics: await collectMetrics(registry) }]),
    readiness: async () => ({ unreadyReasons: collectUnreadyReasons(broker, []) }),
  });
  try {
    const drained = drainQueue(
      {
        broker,
        nodes: createNodeDirectory(config.nodeDataDirectory, config.gateway.peersCacheSeconds * 1000),
        role: debtorsAgent,
        peerId,
        queue,
        prefetchCount: config.gateway.clientUnconfirmedMax,
        confirmMillisMax: config.gateway.confirmSeconds * 1000,
        metrics: createGatewayMetrics(registry),
        log,
      },
      signal,
    );
    await explain(drained).catch((error: unknown) => {
      throw error instanceof QueueNotFoundError ? new CommandError(error.message, { cause: error }) : error;
    });
  } finally {
    await closeBroker(broker, log);
    await monitoring.close();
  }
}
