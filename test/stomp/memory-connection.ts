/** Two ends of a connection in memory: one for a session, one for the test. */
import { type Duplex, duplexPair } from "node:stream";

export interface MemoryConnection {
  /** For the session. */
  readonly socket: Duplex;
  send(bytes: string): void;
  /** All that the session has written since the last call. */
  take(): string;
  hasEnded(): boolean;
  /** Lets everything happen that does not wait for a time. */
  settle(): Promise<void>;
}

// Kept from tests that replace the timers.
const { setImmediate: soon } = globalThis;

/** Makes a connection. */
export function createMemoryConnection(): MemoryConnection {
  const [socket, other] = duplexPair();
  let written = "";
  let hasEnded = false;
  other.on("data", (bytes: Buffer) => {
    written += bytes.toString();
  });
  other.on("end", () => {
    hasEnded = true;
    other.end();
  });
  other.on("close", () => {
    hasEnded = true;
  });
  other.on("error", () => {});
  return {
    socket,
    send: (bytes) => void other.write(bytes),
    take: () => {
      const taken = written;
      written = "";
      return taken;
    },
    hasEnded: () => hasEnded,
    settle: async () => {
      for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => soon(resolve));
    },
  };
}
