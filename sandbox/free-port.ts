/** Ports for the sandbox's web servers. */
import { once } from "node:events";
import { createServer } from "node:net";
import { UsageError } from "../src/commands/command.ts";
import { CommandError } from "../src/runtime/command-error.ts";

const TRIES_MAX = 100;

/** The first port of the loopback address that is free, from the wanted one on. Throws a UsageError when a hundred are taken. */
export async function findFreePort(wanted: number): Promise<number> {
  for (let port = wanted; port < Math.min(wanted + TRIES_MAX, 65_536); port++) {
    if (await isFree(port)) return port;
  }
  throw new UsageError(`No port is free from ${wanted} on.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host: "127.0.0.1", port, exclusive: true });
    await once(server, "listening");
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE" || code === "EACCES") return false;
    throw new CommandError(`Cannot listen on 127.0.0.1 (${code}); the sandbox needs the IPv4 loopback interface.`);
  } finally {
    server.close();
  }
}
