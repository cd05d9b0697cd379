/** A relay to the database that can be muted: then nothing comes through, and no connection is closed, as when a server hangs. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface MutableLine extends AsyncDisposable {
  /** The URL that leads through the relay. */
  readonly url: string;
  /** How many connections have been made so far. */
  callerCount(): number;
  /** `andHangUp`: new callers are not even accepted. */
  mute(andHangUp?: boolean): void;
  unmute(): void;
}

/** Opens a relay to the server of the URL. */
export async function openMutableLine(url: string): Promise<MutableLine> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let isMuted = false;
  let isHangingUp = false;
  let callerCount = 0;
  const server = createServer((caller) => {
    callerCount++;
    if (isHangingUp) {
      caller.destroy();
      return;
    }
    const callee = connect(Number(port || 5432), hostname);
    for (const [from, to] of [
      [caller, callee],
      [callee, caller],
    ] as const) {
      sockets.add(from);
      from.on("data", (data) => {
        if (!isMuted) to.write(data);
      });
      from.on("close", () => to.destroy());
      from.on("error", () => {});
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const here = Object.assign(new URL(url), { host: `127.0.0.1:${(server.address() as AddressInfo).port}` });
  return {
    url: here.href,
    callerCount: () => callerCount,
    mute: (andHangUp = false) => {
      isMuted = true;
      isHangingUp = andHangUp;
    },
    unmute: () => {
      isMuted = false;
      isHangingUp = false;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
