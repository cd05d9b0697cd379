/** A TCP relay whose connections a test can break, as a failing network or broker does. */
import { once } from "node:events";
import net from "node:net";

export interface BreakableConnection extends AsyncDisposable {
  /** The URL that leads through the relay. */
  readonly url: string;
  /** How many connections stand. */
  connectionCount(): number;
  /** Breaks the connections that stand; new ones are accepted. */
  breakAll(): void;
  /** Breaks the connections, and refuses new ones until it is called with `true`. */
  setReachable(isReachable: boolean): void;
  /** Whether what the server sends gets through; held back until it does again. */
  setAnswering(isAnswering: boolean): void;
}

/** `onSent` sees what the client sends. */
export async function makeBreakable(
  targetUrl: string,
  onSent: (data: Buffer) => void = () => {},
): Promise<BreakableConnection> {
  const target = new URL(targetUrl);
  const sockets = new Set<net.Socket>();
  const upstreams = new Set<net.Socket>();
  let isReachable = true;
  let isAnswering = true;

  const track = (socket: net.Socket, other: net.Socket): void => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      upstreams.delete(socket);
      other.destroy();
    });
  };
  const server = net.createServer((client) => {
    if (!isReachable) {
      client.destroy();
      return;
    }
    const upstream = net.connect(Number(target.port || 5672), target.hostname);
    track(client, upstream);
    track(upstream, client);
    upstreams.add(upstream);
    client.on("data", (data: Buffer) => {
      onSent(data);
      upstream.write(data);
    });
    upstream.on("data", (data) => client.write(data));
    if (!isAnswering) upstream.pause();
  });
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(targetUrl);
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as net.AddressInfo).port);
  return {
    url: url.href,
    connectionCount: () => upstreams.size,
    breakAll,
    setReachable: (value) => {
      isReachable = value;
      if (!value) breakAll();
    },
    setAnswering: (value) => {
      isAnswering = value;
      for (const upstream of upstreams) isAnswering ? upstream.resume() : upstream.pause();
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      breakAll();
      await once(server, "close");
    },
  };
}
