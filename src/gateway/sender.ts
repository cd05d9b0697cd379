/** Sending one queue to a peer, through session after session. Spec: stomp, "Client: states". */
import { setTimeout as wait } from "node:timers/promises";
import type { Broker } from "../broker/broker.ts";
import { type Peer, readPeer, readPeerState } from "../node-data/read.ts";
import type { ServerAddress } from "../node-data/stomp-toml.ts";
import type { Subnet } from "../node-data/subnet.ts";
import { createBackoff, pause } from "../runtime/backoff.ts";
import type { Logger } from "../runtime/log.ts";
import { createRepeatedEvents } from "../runtime/repeated-events.ts";
import type { ClientIdentity, ClientSession, ClientSessionOptions } from "../stomp/client-session.ts";
import { errorText } from "../values/error-text.ts";
import { errorReason } from "./error-reason.ts";
import { createHeldMessages } from "./held-messages.ts";
import type { GatewayMetrics } from "./metrics.ts";
import type { NodeDirectory } from "./node-directory.ts";
import { createOutgoingQueue } from "./outgoing-queue.ts";
import { chooseServer, identityOf } from "./peer-server.ts";
import type { GatewayRole } from "./role.ts";

/** A connection to a server whose identity has been checked. */
export interface PeerConnection {
  startSession(handlers: Omit<ClientSessionOptions, "socket" | "heartBeats">): ClientSession;
}

export interface SenderOptions {
  readonly broker: Pick<Broker, "consume" | "isConnected">;
  readonly nodes: NodeDirectory;
  readonly role: GatewayRole;
  readonly peerId: string;
  readonly queue: string;
  /** How many messages may be sent and not confirmed. */
  readonly unconfirmedMax: number;
  readonly reconnectMillisMax: number;
  readonly peerCheckMillis: number;
  /** How long a graceful stop may take. */
  readonly stopMillisMax: number;
  /** Connects to a server of the peer, and makes sure of its identity. Rejects with the reason. */
  readonly connect: (peer: Peer, server: ServerAddress, signal: AbortSignal) => Promise<PeerConnection>;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
}

/** The sending of one queue. */
export interface Sender {
  /**
   * Sends until the signal is aborted, and then waits for messages in flight; also resolves early when the peer is
   * deactivated. What goes wrong is logged and tried again.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Why nothing is sent at this moment; `undefined` when a session is open, or sending has ended. */
  unreadyReason(): string | undefined;
}

const RECONNECT_MILLIS_MIN = 1_000;
/** A session that lasts so long counts as a success, though it may have had nothing to send. */
const LASTING_SESSION_MILLIS = 60_000;
/** RabbitMQ closes channels whose deliveries wait for 30 minutes. */
const UNSENT_MILLIS_MAX = 600_000;
const LAST_RECEIPT_MILLIS_MAX = 5_000;
const LOOK_MILLIS = 100;
/** As much of a receipt as is logged. */
const STRAY_RECEIPT_LENGTH_MAX = 50;
const NO_SESSION = "No session with the peer yet";
const BROKER_UNAVAILABLE = "The broker is not connected";

/** Makes a sender; `run` starts it. */
export function createSender(options: SenderOptions): Sender {
  const {
    broker,
    nodes,
    role,
    peerId,
    queue,
    unconfirmedMax,
    reconnectMillisMax,
    peerCheckMillis,
    stopMillisMax,
    connect,
    metrics,
    log,
  } = options;
  const held = createHeldMessages();
  const events = createRepeatedEvents(log);
  let session: ClientSession | undefined;
  let isStopping = false;
  let unreadyReason: string | undefined = NO_SESSION;
  let lastFailed: ServerAddress | undefined;
  const backoff = createBackoff({ minMillis: RECONNECT_MILLIS_MIN, maxMillis: reconnectMillisMax, factorMax: 1.5 });
  let release: NodeJS.Timeout | undefined;

  const outgoing = createOutgoingQueue({
    broker,
    queue,
    role,
    prefetchCount: unconfirmedMax,
    awaitsQueue: true,
    onMessage: (delivery, { type, body }) => {
      held.add({ delivery, type, body });
      send();
    },
    onInterrupted: () => {
      // What was delivered comes again; receipts for it would be for nothing.
      forget();
      session?.disconnect();
    },
    metrics,
    log,
  });

  function send(): void {
    while (!isStopping && session?.maySend()) {
      const message = held.next();
      if (message === undefined) return;
      held.markSent(session.send(message));
      metrics.addUnconfirmed("out", peerId, 1);
    }
  }

  function forget(): void {
    metrics.addUnconfirmed("out", peerId, -held.sentCount());
    held.clear();
  }

  function onReceipt(receipt: number): void {
    const confirmed = held.confirm(receipt);
    outgoing.acknowledge(confirmed.map(({ delivery }) => delivery));
    for (const { type, sentAt } of confirmed) {
      metrics.countMessage("out", type, "confirmed");
      metrics.observeConfirmation("out", (performance.now() - sentAt) / 1000);
    }
    metrics.addUnconfirmed("out", peerId, -confirmed.length);
    metrics.receiptArrived(peerId);
    deadLetterRefused();
    send();
  }

  function deadLetterRefused(): void {
    for (const { delivery, text } of held.takeRefused())
      void outgoing.deadLetter(delivery, `Refused by the peer: ${text}`);
  }

  async function run(signal: AbortSignal): Promise<void> {
    const deactivated = new AbortController();
    const end = AbortSignal.any([signal, deactivated.signal]);
    const check = setInterval(() => {
      readPeerState(nodes.directory, peerId).then(
        (state) => {
          if (state?.isDeactivated) deactivated.abort();
        },
        () => {}, // Read again before the next session, which says what is wrong.
      );
    }, peerCheckMillis);
    // A peer that there is never a session with must be seen as well.
    metrics.addConnections("out", peerId, 0);
    metrics.addUnconfirmed("out", peerId, 0);
    try {
      while (!end.aborted) {
        const isLastSession = await connectOnce(end);
        if (isLastSession || end.aborted) break;
        const pauseMillis = backoff.nextMillis();
        log.info(
          { peer: peerId, queue, pauseMillis: Math.round(pauseMillis), reason: unreadyReason },
          "Connecting again after a pause",
        );
        metrics.countReconnect(peerId);
        await pause(pauseMillis, end);
      }
      if (!signal.aborted) log.warn({ peer: peerId, queue }, "The peer is deactivated; sending has ended");
      unreadyReason = undefined;
    } finally {
      clearInterval(check);
      clearTimeout(release);
      events.flush();
      await outgoing.close();
      if (!signal.aborted) metrics.forgetReceiver(peerId);
    }
  }

  /** One attempt, with the session that comes of it. Resolves to true when there must not be another one. */
  async function connectOnce(end: AbortSignal): Promise<boolean> {
    try {
      const peer = await readPeer(nodes.directory, peerId);
      if (peer?.isDeactivated) return true;
      if (peer === undefined) throw new Error("The peer is not known");
      if (!peer.isActive) throw new Error("The peer is not active");
      const [{ nodeId }, subnet] = [await nodes.node(), await nodes.subnetOf(peerId)];
      await untilBrokerIsConnected(end);
      if (!end.aborted) await holdSession(peer, identityOf(peer, nodeId), subnet, end);
    } catch (error) {
      unreadyReason = errorText(error);
      if (!end.aborted) log.error({ peer: peerId, queue, reason: unreadyReason }, "No session with the peer");
    }
    return false;
  }

  async function untilBrokerIsConnected(end: AbortSignal): Promise<void> {
    while (!(broker.isConnected() && !outgoing.isInterrupted()) && !end.aborted) {
      unreadyReason = BROKER_UNAVAILABLE;
      await pause(LOOK_MILLIS, end);
    }
    if (unreadyReason === BROKER_UNAVAILABLE) unreadyReason = NO_SESSION;
  }

  async function holdSession(peer: Peer, identity: ClientIdentity, subnet: Subnet, end: AbortSignal): Promise<void> {
    const server = chooseServer(peer.stomp.servers, lastFailed);
    lastFailed = server;
    const connection = await connect(peer, server, end);
    const startedAt = performance.now();
    const address = `${server.host}:${server.port}`;
    const { promise: closed, resolve: onClosed } = Promise.withResolvers<string>();
    let isOpen = false;
    let confirmedCount = 0;
    let error: string | undefined;

    const current = connection.startSession({
      identity,
      onOpen: () => {
        isOpen = true;
        unreadyReason = undefined;
        lastFailed = undefined;
        clearTimeout(release);
        session = current;
        metrics.addConnections("out", peerId, 1);
        log.info({ peer: peerId, server: address, queue }, "Opened a session with the peer");
        metrics.addUnconfirmed("out", peerId, -held.sentCount());
        held.startSession();
        outgoing.open(subnet).catch((failure: Error) => {
          error = errorText(failure);
          current.disconnect();
        });
        send();
      },
      onDrain: send,
      onReceipt: (receipt) => {
        confirmedCount++;
        onReceipt(receipt);
      },
      onStrayReceipt: (receiptId) => {
        const message = "Ignored a receipt for no message under way";
        const kind = { peer: peerId, receiptId: receiptId.slice(0, STRAY_RECEIPT_LENGTH_MAX) };
        events.report({ level: "warn", message, kind });
      },
      onError: ({ text, receipt }) => {
        error = `The peer has sent an error: ${text}`;
        const reason = errorReason(text);
        metrics.countError("out", reason);
        // A server that stops says so, and there is nothing to be done.
        const level = reason === "stopping" ? "info" : "error";
        log[level]({ peer: peerId, server: address, text, receipt }, "The peer has sent an error");
        if (receipt !== undefined) held.refuse(receipt, text);
        deadLetterRefused();
      },
      onClose: onClosed,
    });
    const stop = (): void => void stopSession(current, closed);
    end.addEventListener("abort", stop, { once: true });
    if (end.aborted) stop();
    const reason = await closed;
    end.removeEventListener("abort", stop);

    session = undefined;
    unreadyReason = error ?? reason;
    if (isOpen) metrics.addConnections("out", peerId, -1);
    // Attempts that do not become a session must not put this off.
    if (isOpen) release = setTimeout(releaseMessages, UNSENT_MILLIS_MAX);
    const lastedMillis = performance.now() - startedAt;
    const seconds = Math.round(lastedMillis) / 1000;
    log.info(
      { peer: peerId, server: address, queue, seconds, reason: unreadyReason },
      "The session with the peer has ended",
    );
    const isSuccess = confirmedCount > 0 || (isOpen && lastedMillis >= LASTING_SESSION_MILLIS);
    if (isSuccess) backoff.reset();
    else lastFailed = server;
  }

  /** Another process may be able to reach the peer. */
  function releaseMessages(): void {
    log.warn({ peer: peerId, queue }, "No session with the peer for 10 minutes; giving the messages back to the queue");
    forget();
    void outgoing.close();
  }

  async function stopSession(current: ClientSession, closed: Promise<unknown>): Promise<void> {
    isStopping = true;
    const timer = setTimeout(() => current.destroy("The peer has not confirmed in time"), stopMillisMax);
    void closed.then(() => clearTimeout(timer));
    void outgoing.cancel();
    const deadline = performance.now() + LAST_RECEIPT_MILLIS_MAX;
    while (held.sentCount() > 0 && session === current && performance.now() < deadline) await wait(LOOK_MILLIS / 5);
    current.disconnect();
  }

  return {
    run,
    unreadyReason: () => (broker.isConnected() ? (outgoing.refusalReason() ?? unreadyReason) : BROKER_UNAVAILABLE),
  };
}
