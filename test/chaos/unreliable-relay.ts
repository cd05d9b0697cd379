/** A TCP relay that cuts, delays and splits what passes. */
import { once } from "node:events";
import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export interface UnreliableRelay extends AsyncDisposable {
  readonly port: number;
  /** From now on everything passes at once. */
  heal(): void;
}

const DELAY_MILLIS_MAX = 20;
const CUT_PROBABILITY = 0.02;
const PIECE_BYTES_MAX = 3_000;

/** Relays to a port of this machine. `random` gives numbers from 0 to 1. */
export async function startUnreliableRelay(targetPort: number, random: () => number): Promise<UnreliableRelay> {
  const sockets = new Set<net.Socket>();
  let isBad = true;

  async function pass(from: net.Socket, to: net.Socket): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        for (let start = 0; start < chunk.length; ) {
          const length = isBad ? 1 + Math.floor(random() * PIECE_BYTES_MAX) : chunk.length;
          to.write(chunk.subarray(start, start + length));
          start += length;
          if (isBad && random() < CUT_PROBABILITY) {
            from.destroy();
            to.destroy();
            return;
          }
          if (isBad) await pause(random() * DELAY_MILLIS_MAX);
        }
      }
      to.end();
    } catch {
      to.destroy();
    }
  }

  const server = net.createServer((client) => {
    const upstream = net.connect(targetPort, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    void pass(client, upstream);
    void pass(upstream, client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as net.AddressInfo).port,
    heal: () => {
      isBad = false;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
