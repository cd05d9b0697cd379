/** Trying the servers of a peer. Spec: stomp, "Commands". */
import type { Peer } from "../node-data/read.ts";
import type { ServerAddress } from "../node-data/stomp-toml.ts";
import type { TlsCredentials } from "../stomp/tls-credentials.ts";
import { connectToPeer } from "./connect-to-peer.ts";
import { identityOf } from "./peer-server.ts";

/** Opens a session and ends it again. Resolves to the reason why that was not possible, or to `undefined`. */
export async function checkServer(
  credentials: TlsCredentials,
  peer: Peer,
  nodeId: string,
  server: ServerAddress,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const connection = await connectToPeer(credentials, peer, server, signal);
    const { promise: closed, resolve } = Promise.withResolvers<string>();
    let isOpen = false;
    let error: string | undefined;
    const session = connection.startSession({
      identity: identityOf(peer, nodeId),
      onOpen: () => {
        isOpen = true;
        session.disconnect();
      },
      onDrain: () => {},
      onReceipt: () => {},
      onStrayReceipt: () => {},
      onError: ({ text }) => {
        error = text;
      },
      onClose: resolve,
    });
    const stop = (): void => session.destroy("Stopped");
    signal.addEventListener("abort", stop, { once: true });
    const reason = await closed;
    signal.removeEventListener("abort", stop);
    return isOpen && error === undefined ? undefined : (error ?? reason);
  } catch (error) {
    return (error as Error).message;
  }
}
