/** The sending part of the gateway under `all`: a client for each queue of each peer. */
import { listPeerIds, readPeerState, readQueueCount } from "../node-data/read.ts";
import { pause } from "../runtime/backoff.ts";
import { runStompClient } from "./stomp-client.ts";
import { type AddUnreadyReason, explain, type Gateway } from "./with-gateway.ts";

/**
 * Sends until the signal is aborted. Peers and queues that are added later are found within APP_PEERS_CHECK_SECONDS. Rejects
 * with a CommandError when the peers cannot be read at the start.
 */
export async function runStompClients(
  gateway: Gateway,
  addUnreadyReason: AddUnreadyReason,
  signal: AbortSignal,
): Promise<void> {
  const { config, nodes, log } = gateway;
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const clients = new Map<string, Promise<void>>();

  async function startMissing(): Promise<void> {
    for (const { peerId, queue } of await listQueues(nodes.directory)) {
      if (clients.has(queue)) continue;
      // It ends by itself when its peer is deactivated; the others go on.
      const client = runStompClient({ gateway, peerId, queue, addUnreadyReason }, stop);
      clients.set(
        queue,
        client.catch((error: unknown) => failure.abort(error)),
      );
    }
  }

  await explain(startMissing());
  if (clients.size === 0) log.warn("No peer is registered: nothing is sent");
  let problem: string | undefined;
  for (;;) {
    await pause(config.peersCheckSeconds * 1000, stop);
    if (stop.aborted) break;
    try {
      await startMissing();
      problem = undefined;
    } catch (error) {
      // A directory that is being copied, for example.
      const { message } = error as Error;
      if (message !== problem) log.error({ reason: message }, "The peers cannot be read");
      problem = message;
    }
  }
  await Promise.all(clients.values());
  if (failure.signal.aborted) throw failure.signal.reason;
}

interface PeerQueue {
  readonly peerId: string;
  readonly queue: string;
}

/** The queues of all peers that are registered and not deactivated. */
async function listQueues(directory: string): Promise<readonly PeerQueue[]> {
  const queues: PeerQueue[] = [];
  for (const peerId of await listPeerIds(directory)) {
    const state = await readPeerState(directory, peerId);
    if (state === undefined || state.isDeactivated) continue;
    const count = await readQueueCount(directory, peerId);
    for (let number = 1; number <= count; number++) queues.push({ peerId, queue: peerQueue(peerId, number) });
  }
  return queues;
}

/** The queue that holds the messages for a peer; with a number above 1 a further one of several. */
const peerQueue = (peerId: string, number: number): string => `da.${peerId}${number === 1 ? "" : `.${number}`}`;
