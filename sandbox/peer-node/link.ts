/** One end of the link between an agent and the sandbox's accounting authority: STOMP over TLS in both directions. */
import type { Broker } from "../../src/broker/broker.ts";
import type { Config } from "../../src/config.ts";
import { noMetrics } from "../../src/gateway/metrics.ts";
import type { GatewayRole } from "../../src/gateway/role.ts";
import { runStompClient } from "../../src/processes/stomp-client.ts";
import { runStompServer } from "../../src/processes/stomp-server.ts";
import { withGateway } from "../../src/processes/with-gateway.ts";
import { runTogether } from "../../src/runtime/lifetime.ts";
import type { Logger } from "../../src/runtime/log.ts";

export interface LinkEndOptions {
  /** With the port to listen on, and the certificate. */
  readonly config: Config["gateway"];
  readonly nodeDataDirectory: string;
  readonly broker: Broker;
  readonly role: GatewayRole;
  readonly peerId: string;
  /** The queue of the messages for the peer. */
  readonly queue: string;
  readonly log: Logger;
}

/** Receives and sends until the signal is aborted. */
export async function runLinkEnd({ peerId, queue, ...options }: LinkEndOptions, signal: AbortSignal): Promise<void> {
  await withGateway({ ...options, metrics: noMetrics }, (gateway) =>
    runTogether(
      [
        (stop) => runStompServer(gateway, stop),
        (stop) => runStompClient({ gateway, peerId, queue, addUnreadyReason: () => {} }, stop),
      ],
      signal,
    ),
  );
}
