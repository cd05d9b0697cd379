/** Connecting to a server of a peer. Spec: stomp, "Client: states". */
import type { Peer } from "../node-data/read.ts";
import type { ServerAddress } from "../node-data/stomp-toml.ts";
import { startClientSession } from "../stomp/client-session.ts";
import { connectTls, TlsConnectError } from "../stomp/tls-client.ts";
import type { TlsCredentials } from "../stomp/tls-credentials.ts";
import { describeNetworkProblem } from "../values/network-problem.ts";
import { describeTlsProblem } from "../values/tls-problem.ts";
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
  }).catch((error: unknown) => {
    throw new Error(describeFailure(error), { cause: error });
  });
  const serialNumber = serialNumberOf(subject);
  if (serialNumber !== nodeId) {
    socket.destroy();
    throw new Error(`The server ${host}:${port} belongs to another node: ${JSON.stringify(serialNumber ?? "unknown")}`);
  }
  return { startSession: (handlers) => startClientSession({ ...handlers, socket }) };
}

/** What the system and OpenSSL say, in words; what is wrong with a certificate is in words already. */
function describeFailure(error: unknown): string {
  const { cause, message } = error as TlsConnectError;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const isAboutCertificate = code !== undefined && !code.startsWith("E");
  if (!(error instanceof TlsConnectError) || isAboutCertificate) return message;
  return describeTlsProblem(cause, FILES) ?? describeNetworkProblem(cause) ?? message;
}

const FILES = {
  authority: "the peer's root-ca.crt",
  certificate: "SWPT_SERVER_CERT",
  key: "SWPT_SERVER_KEY",
  keyPassword: "its password",
};
