/** The gateway of a test's node, in this process. */
import type { Broker } from "../../src/broker/broker.ts";
import { readConfig } from "../../src/config.ts";
import { type GatewayMetrics, noMetrics } from "../../src/gateway/metrics.ts";
import { runStompClient } from "../../src/processes/stomp-client.ts";
import { runStompClients } from "../../src/processes/stomp-clients.ts";
import { runStompServer } from "../../src/processes/stomp-server.ts";
import { type Gateway, withGateway } from "../../src/processes/with-gateway.ts";
import { createLogger, type Logger } from "../../src/runtime/log.ts";
import type { TestNode } from "./nodes.ts";

export interface GatewayFixtureOptions {
  readonly node: TestNode;
  readonly broker: Broker;
  readonly environment?: Readonly<Record<string, string>>;
  readonly metrics?: GatewayMetrics;
  readonly gateway?: Partial<Gateway>;
}

/** Something that runs. `await using` stops it. */
export interface Running extends AsyncDisposable {
  /** The lines of the log. */
  readonly log: readonly string[];
  stop(): Promise<void>;
  /** Resolves when it has ended by itself or after `stop`. */
  readonly ended: Promise<void>;
}

/** A logger that keeps what it is told. */
export function createTestLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    log: createLogger({ level: "debug", format: "text", command: "test", write: (line) => lines.push(line) }),
  };
}

/** Starts a STOMP server on a free port. */
export async function startServer(options: GatewayFixtureOptions): Promise<Running & { readonly port: number }> {
  const { promise: listening, resolve } = Promise.withResolvers<number>();
  const running = start(options, (gateway, signal) => runStompServer(gateway, signal, resolve));
  const port = await Promise.race([listening, running.ended.then(() => Promise.reject(new Error("ended")))]);
  return { ...running, port };
}

/** Starts a STOMP client. */
export function startClient(
  options: GatewayFixtureOptions & { readonly queue: string },
): Running & { unreadyReason(): string | undefined } {
  let unreadyReason = (): string | undefined => "not started";
  const running = start(options, (gateway, signal) =>
    runStompClient(
      {
        gateway,
        peerId: options.node.peer.nodeId,
        queue: options.queue,
        addUnreadyReason: (find) => {
          unreadyReason = find;
        },
      },
      signal,
    ),
  );
  return { ...running, unreadyReason: () => unreadyReason() };
}

/** Starts a client for each queue of the peer, as `all` does. */
export const startClients = (options: GatewayFixtureOptions): Running =>
  start(options, (gateway, signal) => runStompClients(gateway, () => {}, signal));

function start(
  { node, broker, environment = {}, metrics = noMetrics, gateway: overrides = {} }: GatewayFixtureOptions,
  work: (gateway: Gateway, signal: AbortSignal) => Promise<void>,
): Running {
  const { log, lines } = createTestLog();
  const stop = new AbortController();
  const { gateway: config, nodeDataDirectory } = readConfig(
    {
      SWPT_NODEDATA_URL: `file://${node.directory}`,
      SWPT_SERVER_CERT: node.certificateFile,
      SWPT_SERVER_KEY: node.keyFile,
      SWPT_SERVER_PORT: "0",
      ...environment,
    },
    [],
  );
  const ended = withGateway({ config, nodeDataDirectory, broker, metrics, log }, (gateway) =>
    work({ ...gateway, ...overrides }, stop.signal),
  );
  ended.catch(() => {});
  const end = async (): Promise<void> => {
    stop.abort();
    await ended;
  };
  return { log: lines, stop: end, ended, [Symbol.asyncDispose]: () => end().catch(() => {}) };
}
