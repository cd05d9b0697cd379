/** Receiving from peers: who may connect, what may pass, and when it is confirmed. Spec: stomp, "Server: states of a connection". */

import type { Broker } from "../broker/broker.ts";
import { isNodeId } from "../node-data/node-id.ts";
import type { Subnet } from "../node-data/subnet.ts";
import type { Logger } from "../runtime/log.ts";
import type { RepeatedEvents } from "../runtime/repeated-events.ts";
import {
  INTERNAL_SERVER_ERROR,
  type ReceivedMessage,
  type ServerSession,
  type ServerSessionOptions,
} from "../stomp/server-session.ts";
import type { CertificateSubject } from "../stomp/tls-credentials.ts";
import { now } from "../values/timestamp.ts";
import { errorReason } from "./error-reason.ts";
import { createIncomingQueue } from "./incoming-queue.ts";
import type { GatewayMetrics } from "./metrics.ts";
import type { NodeDirectory } from "./node-directory.ts";
import { serialNumberOf } from "./peer-identity.ts";
import type { GatewayRole } from "./role.ts";
import { formatId, RefusedMessageError } from "./validation.ts";

export interface GatewayServerOptions {
  readonly broker: Pick<Broker, "publish" | "isConnected">;
  readonly nodes: NodeDirectory;
  readonly role: GatewayRole;
  /** How many messages of one connection may be unconfirmed. */
  readonly unconfirmedMax: number;
  readonly connectionsPerPeerMax: number;
  /** How long the broker may take to confirm a message, attempts to publish it again included. */
  readonly confirmMillisMax: number;
  /** How long a peer that connects waits for the broker. */
  readonly brokerMillisMax: number;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  /** For events that clients can cause in any number. */
  readonly events: RepeatedEvents;
}

/** What the gateway decides of a session; the rest is the connection's. */
export type SessionHandlers = Omit<ServerSessionOptions, "socket" | "heartBeats">;

/** A connection of a client with a valid certificate. */
export interface IncomingConnection {
  readonly subject: CertificateSubject;
  /** For the log. */
  readonly address: string;
  /** Starts the session. */
  readonly start: (handlers: SessionHandlers) => ServerSession;
  /** Closes the connection instead. */
  readonly refuse: () => void;
}

/** The receiving side of the gateway. */
export interface GatewayServer {
  accept(connection: IncomingConnection): void;
  /** Ends the connections of peers that are not active any more. */
  checkPeers(): Promise<void>;
  /** Ends all connections, after what they have sent is confirmed, within the given time. */
  stop(millisMax: number): Promise<void>;
}

interface Connection {
  readonly peer: string;
  readonly session: ServerSession;
  isOpen: boolean;
}

const BROKER_LOOK_MILLIS = 100;
const LOG_PAUSE_MILLIS = 60_000;

/** Makes the receiving side. */
export function createGatewayServer(options: GatewayServerOptions): GatewayServer {
  const {
    broker,
    nodes,
    role,
    unconfirmedMax,
    connectionsPerPeerMax,
    confirmMillisMax,
    brokerMillisMax,
    metrics,
    log,
    events,
  } = options;
  const connections = new Set<Connection>();
  /** How many connections of a peer are open or being opened. */
  const openCounts = new Map<string, number>();
  let onEmpty = (): void => {};
  let delayLoggedAt = Number.NEGATIVE_INFINITY;

  function accept({ subject, address, start, refuse }: IncomingConnection): void {
    const serialNumber = serialNumberOf(subject);
    const peer = serialNumber !== undefined && isNodeId(serialNumber) ? serialNumber : undefined;
    const label = peer ?? "unknown";
    const silentCount = [...connections].filter((other) => other.peer === label && !other.isOpen).length;
    if (silentCount >= connectionsPerPeerMax) {
      const message = "Closed a connection: too many others of this peer have no session";
      events.report({ level: "warn", message, kind: { peer: label }, details: { address } });
      refuse();
      return;
    }
    const acceptedAt = performance.now();
    let messageCount = 0;
    let isCounted = false;
    let subnet: Subnet | undefined;

    async function admit(): Promise<string | undefined> {
      if (serialNumber === undefined) return "Invalid certificate subject.";
      if (peer === undefined || !(await nodes.isActive(peer))) return "Unknown peer serial number.";
      const openCount = openCounts.get(peer) ?? 0;
      if (openCount >= connectionsPerPeerMax) return "Too many connections from one peer.";
      openCounts.set(peer, openCount + 1);
      isCounted = true;
      subnet = await nodes.subnetOf(peer);
      return (await isBrokerThere()) ? undefined : INTERNAL_SERVER_ERROR;
    }

    function onMessage(message: ReceivedMessage): string | undefined {
      try {
        const checked = role.checkReceived(message, subnet!, now());
        messageCount++;
        metrics.addUnconfirmed("in", label, 1);
        queue.add({
          type: checked.type,
          publication: role.publicationOf(checked),
          receivedAt: performance.now(),
        });
        return undefined;
      } catch (error) {
        if (!(error instanceof RefusedMessageError)) throw error;
        const { type, receipt } = message;
        const debtorId = error.debtorId === undefined ? undefined : formatId(error.debtorId);
        const reason = error.cause instanceof Error ? error.cause.message : undefined;
        const kind = { peer: label, type, text: error.message, reason };
        events.report({ level: "warn", message: "Refused a message", kind, details: { debtorId, receipt } });
        log.debug({ peer: label, receipt, body: message.body.toString("utf8") }, "The body of the refused message");
        const isKnown = !/^(?:Unsupported content|Invalid message) type/.test(error.message);
        metrics.countMessage("in", isKnown ? type : "unknown", "refused");
        return error.message;
      }
    }

    const queue = createIncomingQueue({
      broker,
      confirmMillisMax,
      onConfirmed: (messages) => {
        for (const { type, publication, receivedAt } of messages) {
          metrics.countMessage("in", type, publication === undefined ? "ignored" : "confirmed");
          metrics.observeConfirmation("in", (performance.now() - receivedAt) / 1000);
        }
        metrics.addUnconfirmed("in", label, -messages.length);
        session.confirm(messages.length);
      },
      onDelay: logDelay,
      onGivenUp: (reason, count) => {
        log.error(
          { peer: label, reason, count },
          "Received messages could not be published; the peer sends them again",
        );
        metrics.addUnconfirmed("in", label, -count);
        session.abort(INTERNAL_SERVER_ERROR);
      },
      log,
    });

    const session = start({
      destination: role.destination,
      unconfirmedMax,
      admit: () =>
        admit().catch((error: unknown) => {
          log.error({ err: error, peer: label }, "A connection cannot be served");
          throw error;
        }),
      onOpen: () => {
        connection.isOpen = true;
        metrics.addConnections("in", label, 1);
        log.info({ peer: label, address, connections: openCounts.get(label) }, "Opened a connection of a peer");
      },
      onMessage,
      onError: (text) => {
        const reason = errorReason(text);
        metrics.countError("in", reason);
        const kind = { peer: label, reason };
        const details = { serialNumber, address, text };
        const level = reason === "stopping" ? "info" : "warn";
        events.report({ level, message: "Ending a connection with an error", kind, details });
      },
      onClose: (reason) => {
        connections.delete(connection);
        if (isCounted) openCounts.set(label, openCounts.get(label)! - 1);
        if (connection.isOpen) metrics.addConnections("in", label, -1);
        const seconds = Math.round(performance.now() - acceptedAt) / 1000;
        const level = connection.isOpen ? "info" : "debug";
        log[level](
          { peer: serialNumber, address, seconds, messages: messageCount, reason },
          "Closed a connection of a peer",
        );
        if (connections.size === 0) onEmpty();
      },
    });
    const connection: Connection = { peer: label, session, isOpen: false };
    connections.add(connection);
  }

  /** Once a minute, however many connections wait. */
  function logDelay(reason: string): void {
    if (performance.now() - delayLoggedAt < LOG_PAUSE_MILLIS) return;
    delayLoggedAt = performance.now();
    log.warn({ reason }, "Received messages cannot be published yet; trying again");
  }

  async function isBrokerThere(): Promise<boolean> {
    const deadline = performance.now() + brokerMillisMax;
    while (!broker.isConnected()) {
      if (performance.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, BROKER_LOOK_MILLIS));
    }
    return true;
  }

  async function checkPeers(): Promise<void> {
    const open = [...connections].filter(({ isOpen }) => isOpen);
    for (const [peer, those] of Map.groupBy(open, (connection) => connection.peer)) {
      try {
        if (await nodes.isActiveNow(peer)) continue;
        for (const { session } of those) session.end("The peer has been deactivated.");
      } catch (error) {
        log.error({ err: error, peer }, "The data of a peer cannot be read");
      }
    }
  }

  async function stop(millisMax: number): Promise<void> {
    if (connections.size === 0) return;
    const { promise: empty, resolve } = Promise.withResolvers<void>();
    onEmpty = resolve;
    for (const { session, isOpen } of connections) {
      if (isOpen) session.end(CLOSED_BY_SERVER);
      else session.destroy("Stopping");
    }
    const timer = setTimeout(() => {
      for (const { session } of connections) session.abort(CLOSED_BY_SERVER);
    }, millisMax);
    await empty;
    clearTimeout(timer);
  }

  return { accept, checkPeers, stop };
}

const CLOSED_BY_SERVER = "The connection has been closed by the server.";
