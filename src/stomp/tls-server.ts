/** Accepting TLS connections. Spec: stomp, "TLS". */
import type { Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import {
  type CertificateSubject,
  describeRefusal,
  KEEP_ALIVE_MILLIS,
  secureContextOptions,
  subjectOf,
  type TlsCredentials,
} from "./tls-credentials.ts";

/** A connection whose client has a valid certificate; whose it is has not been checked. */
export interface TlsConnection {
  readonly socket: TLSSocket;
  readonly subject: CertificateSubject;
  /** `address:port` of the client. */
  readonly address: string;
}

export interface TlsServerOptions {
  /** 0 for any free one. */
  readonly port: number;
  readonly credentials: TlsCredentials;
  readonly handshakeMillisMax: number;
  readonly backlog: number;
  /** Connections at a time, hand-shakes included; others are closed at once. */
  readonly connectionsMax: number;
  readonly onConnection: (connection: TlsConnection) => void;
  /** The client has shown no valid certificate, or none at all. */
  readonly onRefused: (address: string, reason: string) => void;
  /** The client did not speak TLS 1.3, or sent nothing. */
  readonly onHandshakeError: (address: string, reason: string) => void;
  /** A connection was closed because there were too many. */
  readonly onDropped: () => void;
}

/** A server that listens. */
export interface TlsServer {
  readonly port: number;
  /** For connections to come; open ones go on. Throws when the key does not fit the certificate. */
  setCredentials(credentials: TlsCredentials): void;
  /** Accepts nothing more; open connections go on. */
  stopListening(): void;
}

/**
 * Maximum number of hand-shakes in progress; beyond it the oldest is closed. A genuine one takes some
 * milliseconds, so a flood of silent connections does not displace it.
 */
const HANDSHAKES_MAX = 500;

/** Listens on IPv4 and IPv6. Rejects when the port is taken, or the credentials are not usable. */
export async function startTlsServer(options: TlsServerOptions): Promise<TlsServer> {
  const { port, credentials, handshakeMillisMax, backlog, connectionsMax } = options;
  const { onConnection, onRefused, onHandshakeError, onDropped } = options;
  const server = createServer({
    ...secureContextOptions(credentials),
    requestCert: true,
    // Otherwise the reason would not be known; checked first below.
    rejectUnauthorized: false,
    handshakeTimeout: handshakeMillisMax,
  });
  // As for the web server.
  Object.assign(server, { maxConnections: connectionsMax, dropMaxConnection: true });
  server.on("drop", onDropped);
  const handshakes = new Map<string, Socket>();

  server.on("connection", (socket: Socket) => {
    const address = addressOf(socket);
    handshakes.set(address, socket);
    socket.once("close", () => handshakes.delete(address));
    if (handshakes.size <= HANDSHAKES_MAX) return;
    const [[oldest, itsSocket]] = handshakes as unknown as [[string, Socket]];
    handshakes.delete(oldest);
    itsSocket.destroy();
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    onHandshakeError(addressOf(socket), error.code ?? error.message);
    socket.destroy();
  });
  server.on("secureConnection", (socket) => {
    const address = addressOf(socket);
    handshakes.delete(address);
    socket.on("error", () => {}); // The new owner of the connection listens as well.
    const certificate = socket.getPeerCertificate();
    if (!socket.authorized) {
      const hasCertificate = Object.keys(certificate).length > 0;
      onRefused(address, describeRefusal(String(socket.authorizationError), hasCertificate));
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MILLIS);
    onConnection({ socket, subject: subjectOf(certificate.subject), address });
  });

  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ port, backlog }, resolve);
  await listening;
  server.off("error", reject);
  // Accepting may fail for a moment, when there are no more file descriptors.
  server.on("error", (error) => onHandshakeError("", error.message));
  return {
    port: (server.address() as { port: number }).port,
    setCredentials: (changed) => server.setSecureContext(secureContextOptions(changed)),
    stopListening: () => {
      server.close();
    },
  };
}

const addressOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress ?? "unknown"}:${remotePort ?? 0}`;
