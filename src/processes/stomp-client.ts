/** The sending process of the gateway. */
import { connectToPeer } from "../gateway/connect-to-peer.ts";
import { createSender } from "../gateway/sender.ts";
import type { AddUnreadyReason, Gateway } from "./with-gateway.ts";

export interface StompClientOptions {
  readonly gateway: Gateway;
  readonly peerId: string;
  readonly queue: string;
  /** Receives a function that returns why the client cannot send. */
  readonly addUnreadyReason: AddUnreadyReason;
}

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
    connect: (peer, server, stop) => connectToPeer(credentials.forClient(peer), peer, server, stop),
    metrics,
    log,
  });
  addUnreadyReason(() => {
    const unreadyReason = sender.unreadyReason();
    return unreadyReason === undefined ? undefined : `${queue}: ${unreadyReason}`;
  });
  await sender.run(signal);
}
