/** Opening TLS connections. Spec: stomp, "TLS". */
import { connect, type TLSSocket } from "node:tls";
import {
  type CertificateSubject,
  describeRefusal,
  KEEP_ALIVE_MILLIS,
  secureContextOptions,
  subjectOf,
  type TlsCredentials,
} from "./tls-credentials.ts";

export interface TlsClientOptions {
  readonly host: string;
  readonly port: number;
  readonly credentials: TlsCredentials;
  /** For TCP and TLS together. */
  readonly connectMillisMax: number;
  readonly signal: AbortSignal;
}

/** A connection to a server whose certificate is valid; whose it is has not been checked. */
export interface TlsServerConnection {
  readonly socket: TLSSocket;
  readonly subject: CertificateSubject;
}

/** The connection could not be established; the message says why. */
export class TlsConnectError extends Error {
  override readonly name = "TlsConnectError";
}

/** Connects. Rejects with TlsConnectError, also when the signal is aborted. Nothing has been sent but the hand-shake. */
export async function connectTls(options: TlsClientOptions): Promise<TlsServerConnection> {
  const { host, port, credentials, connectMillisMax, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({
    host,
    port,
    ...secureContextOptions(credentials),
    // There are no host names in the certificates: who it is stands in the subject.
    checkServerIdentity: () => undefined,
  });
  socket.on("error", reject);
  socket.once("close", () => reject(new Error("The connection has been closed")));
  socket.once("secureConnect", resolve);
  const timer = setTimeout(
    () => reject(new Error(`No connection within ${connectMillisMax / 1000} s`)),
    connectMillisMax,
  );
  const onAbort = (): void => reject(new Error("Stopping"));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await promise;
  } catch (error) {
    socket.destroy();
    throw new TlsConnectError(describe(error as NodeJS.ErrnoException), { cause: error });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MILLIS);
  return { socket, subject: subjectOf(socket.getPeerCertificate().subject) };
}

/** A refused connection to a name with several addresses has no message of its own. */
const describe = (error: NodeJS.ErrnoException): string =>
  error.code !== undefined && !error.code.startsWith("E")
    ? describeRefusal(error.code, true)
    : error.message || (error.code ?? error.name);
