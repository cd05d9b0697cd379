/** A peer that sends what a test wants it to send, over a real TLS connection. */
import { once } from "node:events";
import { connect, createServer, type TLSSocket } from "node:tls";
import { secureContextOptions, type TlsCredentials } from "../../src/stomp/tls-credentials.ts";
import { waitFor } from "../support/wait.ts";

/** One end of a connection. */
export interface RawConnection extends AsyncDisposable {
  readonly socket: TLSSocket;
  send(bytes: string | Buffer): void;
  /** All that has come and that `take` has not given, as Latin-1 text. */
  received(): string;
  /** Waits until exactly these bytes have come, takes them away, and fails as soon as others have. */
  expect(bytes: string | Buffer): Promise<void>;
  /** Waits for the next frame (or heart-beat), and takes it away. */
  nextFrame(): Promise<string>;
  /** Waits until the other side has closed; gives what came before. */
  end(): Promise<string>;
  hasEnded(): boolean;
}

/** Wraps a socket. */
export function rawConnection(socket: TLSSocket): RawConnection {
  let received = "";
  let hasEnded = false;
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
  });
  socket.on("error", () => {});
  for (const event of ["end", "close"]) {
    socket.on(event, () => {
      hasEnded = true;
    });
  }
  const show = (): string => JSON.stringify(received.slice(0, 300));
  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    received: () => received,
    expect: async (bytes) => {
      const expected = Buffer.from(bytes).toString("latin1");
      const what = (): string => `${JSON.stringify(expected)}, but got ${show()}`;
      await waitFor(
        () => {
          if (received.startsWith(expected)) return true;
          if (!expected.startsWith(received) || hasEnded) throw new Error(`Expected ${what()}`);
          return false;
        },
        { what },
      );
      received = received.slice(expected.length);
    },
    nextFrame: async () => {
      const frame = await waitFor(
        () => {
          if (/^\r?\n/.test(received)) return /^\r?\n/.exec(received)![0];
          const end = received.indexOf("\0");
          if (end >= 0) return received.slice(0, end + 1);
          if (hasEnded) throw new Error(`The connection has ended after ${show()}`);
          return undefined;
        },
        { what: () => `a frame, but got ${show()}` },
      );
      received = received.slice(frame.length);
      return Buffer.from(frame, "latin1").toString("utf8");
    },
    end: async () => {
      await waitFor(() => hasEnded, { what: () => `the end, but got ${show()}` });
      const rest = received;
      received = "";
      return rest;
    },
    hasEnded: () => hasEnded,
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
    },
  };
}

/** Connects as a client. Resolves when TLS is up, as far as the client knows. */
export async function connectRaw(port: number, credentials: Partial<TlsCredentials>, options: object = {}) {
  const { certificate, key, root } = credentials;
  const socket = connect({
    host: "127.0.0.1",
    port,
    cert: certificate,
    key,
    ca: root,
    minVersion: "TLSv1.3",
    checkServerIdentity: () => undefined,
    ...options,
  });
  const connection = rawConnection(socket);
  await once(socket, "secureConnect");
  return connection;
}

/** A server that hands each connection to the test. */
export interface RawServer extends AsyncDisposable {
  readonly port: number;
  /** Waits for the next connection that has not been returned yet. Rejects when the server is closed. */
  accept(): Promise<RawConnection>;
  connectionCount(): number;
}

/** Listens as a peer's server. */
export async function listenRaw(credentials: TlsCredentials): Promise<RawServer> {
  const waiting: RawConnection[] = [];
  const all = new Set<TLSSocket>();
  const server = createServer(
    { ...secureContextOptions(credentials), requestCert: true, rejectUnauthorized: true },
    (socket) => {
      all.add(socket);
      waiting.push(rawConnection(socket));
    },
  );
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as { port: number }).port,
    accept: () => {
      const next = (): RawConnection | undefined => {
        if (!server.listening) throw new Error("The server is closed");
        return waiting.shift();
      };
      return waitFor(next, { what: "a connection" });
    },
    connectionCount: () => all.size,
    [Symbol.asyncDispose]: async () => {
      for (const socket of all) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
