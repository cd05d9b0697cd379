/** The process that empties the queue of a deactivated peer. */
import type { Config } from "../config.ts";
import { drainQueue } from "../gateway/drainer.ts";
import { createNodeDirectory } from "../gateway/node-directory.ts";
import { debtorsAgent } from "../gateway/role.ts";
import { runStandalone } from "./standalone.ts";
import { explain } from "./with-gateway.ts";

export interface DrainerProcessOptions {
  readonly config: Config;
  readonly peerId: string;
  readonly queue: string;
}

/** Drains until the signal is aborted. It needs no certificate, since it connects to no peer. */
export async function runDrainer({ config, peerId, queue }: DrainerProcessOptions, signal: AbortSignal): Promise<void> {
  const { peersCacheSeconds, clientUnconfirmedMax, confirmSeconds } = config.gateway;
  await runStandalone({ name: "stomp_drainer", config }, async ({ broker, metrics, log }) => {
    const drained = drainQueue(
      {
        broker,
        nodes: createNodeDirectory(config.nodeDataDirectory, peersCacheSeconds * 1000),
        role: debtorsAgent,
        peerId,
        queue,
        prefetchCount: clientUnconfirmedMax,
        confirmMillisMax: confirmSeconds * 1000,
        metrics,
        log,
      },
      signal,
    );
    await explain(drained);
  });
}
