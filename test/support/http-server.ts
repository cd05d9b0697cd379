import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";

/** Lets the server listen on 127.0.0.1, by default on any free port. Returns the port. */
export async function listen(server: Server, port = 0): Promise<number> {
  server.listen({ port, host: "127.0.0.1" });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Closes the server after the requests under way. */
export const close = (server: Server): Promise<void> => promisify(server.close.bind(server))();
