/** Connecting to a server of a peer. Spec: stomp, "Client: states". */
import type { Peer } from "../node-data/read.ts";
import type { ServerAddress } from "../node-data/stomp-toml.ts";
import { startClientSession } from "../stomp/client-session.ts";
import { connectTls } from "../stomp/tls-client.ts";
import type { TlsCredentials } from "../stomp/tls-credentials.ts";
import { serialNumberOf } from "./peer-identity.ts";
import type { PeerConnection } from "./sender.ts";

/** For TCP and TLS together. */
const CONNECT_MILLIS_MAX = 5_000;

/** Connects to a server of a peer. Rejects when it belongs to another node, before anything is sent. */
export async function connectToPeer(
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
