/** The sending process of the gateway. */
import { serialNumberOf } from "../gateway/peer-identity.ts";
import { createSender, type PeerConnection } from "../gateway/sender.ts";
import type { Peer } from "../node-data/read.ts";
import type { ServerAddress } from "../node-data/stomp-toml.ts";
import { startClientSession } from "../stomp/client-session.ts";
import { connectTls } from "../stomp/tls-client.ts";
import type { TlsCredentials } from "../stomp/tls-credentials.ts";
import type { AddUnreadyReason, Gateway } from "./gateway.ts";

export interface StompClientOptions {
  readonly gateway: Gateway;
  readonly peerId: string;
  readonly queue: string;
  /** Receives a function that returns why the client cannot send. */
  readonly addUnreadyReason: AddUnreadyReason;
}

/** For TCP and TLS together. */
const CONNECT_MILLIS_MAX = 5_000;

/** Sends one queue to a peer until the signal is aborted, or the peer is deactivated. */
export async function runStompClient(options: StompClientOptions, signal: AbortSignal): Promise<void> {
  const { gateway, peerId, queue, addUnreadyReason } = options;
  const { config, broker, nodes, credentials, role, metrics, log } = gateway;
  const sender = createSender({
    broker,
    nodes,
    role,
    peerId,
    queue,
    unconfirmedMax: config.clientUnconfirmedMax,
    reconnectMillisMax: config.reconnectSecondsMax * 1000,
    peerCheckMillis: config.peersCheckSeconds * 1000,
    stopMillisMax: config.stopSeconds * 1000,
    dial: (peer, server, stop) => dial(credentials.forClient(peer), peer, server, stop),
    metrics,
    log,
  });
  addUnreadyReason(() => {
    const unreadyReason = sender.unreadyReason();
    return unreadyReason === undefined ? undefined : `${queue}: ${unreadyReason}`;
  });
  await sender.run(signal);
}

/** Connects to a server of a peer. Rejects when it belongs to another node, before anything is sent. */
export async function dial(
  credentials: TlsCredentials,
  { nodeId }: Peer,
  { host, port }: ServerAddress,
  signal: AbortSignal,
): Promise<PeerConnection> {
  const { socket, subject } = await connectTls({
    host,
    port,
    credentials,
    connectMillisMax: CONNECT_MILLIS_MAX,
    signal,
  });
  const serialNumber = serialNumberOf(subject);
  if (serialNumber !== nodeId) {
    socket.destroy();
    throw new Error(`The server ${host}:${port} belongs to another node: ${JSON.stringify(serialNumber ?? "unknown")}`);
  }
  return { startSession: (handlers) => startClientSession({ ...handlers, socket }) };
}
