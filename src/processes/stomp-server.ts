/** The receiving process of the gateway. */
import { createGatewayServer } from "../gateway/server.ts";
import { CommandError } from "../runtime/command-error.ts";
import { untilAborted } from "../runtime/lifetime.ts";
import { describeListenProblem } from "../runtime/listen-problem.ts";
import { clientConnectionsMax, droppedConnection } from "../runtime/open-files.ts";
import { createRepeatedEvents } from "../runtime/repeated-events.ts";
import { startServerSession } from "../stomp/server-session.ts";
import { startTlsServer } from "../stomp/tls-server.ts";
import type { Gateway } from "./with-gateway.ts";

/** One to the broker, and under `all` one for each queue of the accounting authority, of which there are at most 99. */
const OTHER_CONNECTIONS_MAX = 100;

/** Serves until the signal is aborted; then confirms what was received, tells the peers, and resolves. */
export async function runStompServer(
  gateway: Gateway,
  signal: AbortSignal,
  onListening?: (port: number) => void,
): Promise<void> {
  const { config, broker, nodes, credentials, role, metrics, log } = gateway;
  const events = createRepeatedEvents(log);
  const server = createGatewayServer({
    broker,
    nodes,
    role,
    unconfirmedMax: config.serverUnconfirmedMax,
    connectionsPerPeerMax: config.connectionsPerPeerMax,
    confirmMillisMax: config.confirmSeconds * 1000,
    brokerMillisMax: config.brokerConnectSeconds * 1000,
    metrics,
    log,
    events,
  });
  const connectionsMax = clientConnectionsMax(OTHER_CONNECTIONS_MAX);
  const tls = await startTlsServer({
    port: config.port,
    credentials: credentials.forServer(),
    handshakeMillisMax: config.handshakeSeconds * 1000,
    backlog: config.backlog,
    connectionsMax,
    onConnection: ({ socket, subject, address }) => {
      if (signal.aborted) socket.destroy();
      else {
        server.accept({
          subject,
          address,
          start: (handlers) => startServerSession({ ...handlers, socket }),
          refuse: () => socket.destroy(),
        });
      }
    },
    onRefused: (address, reason) => {
      metrics.countError("in", "certificate");
      const message = "Refused the certificate of a client";
      events.report({ level: "warn", message, kind: { reason }, details: { address } });
    },
    onDropped: () => events.report(droppedConnection(connectionsMax)),
    onHandshakeError: (address, reason) => log.debug({ address, reason }, "A connection did not become TLS"),
  }).catch((error: Error) => {
    const problem = `${describeListenProblem(error)}; check SWPT_SERVER_PORT`;
    throw new CommandError(`The STOMP server cannot listen on port ${config.port}: ${problem}`, { cause: error });
  });
  const stopWatching = credentials.onChange(() => tls.setCredentials(credentials.forServer()));
  const check = setInterval(() => void server.checkPeers(), config.peersCheckSeconds * 1000);
  try {
    log.info({ port: tls.port, nodeId: (await nodes.node()).nodeId }, "Listening for peers");
    onListening?.(tls.port);
    await untilAborted(signal);
  } finally {
    clearInterval(check);
    stopWatching();
    tls.stopListening();
    await server.stop(config.stopSeconds * 1000);
    events.flush();
  }
}
