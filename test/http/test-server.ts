import type { Server } from "node:http";
import net from "node:net";
import { pino } from "pino";
import { readConfig } from "../../src/config.ts";
import { createHttpServer } from "../../src/http/server.ts";
import type { ServerOptions } from "../../src/http/server-options.ts";
import { activateNewDebtor } from "../../src/operations/debtors.ts";
import { parseJson } from "../../src/values/json.ts";
import { parseShard } from "../../src/values/shard.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { close, listen } from "../support/http-server.ts";

/** A web server behind a trusted proxy, for the debtors 1 to 100, of which 7 and 8 are active. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly database: TestDatabase;
  /** What has been logged, one object an event. */
  readonly events: Record<string, unknown>[];
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Sends an object, or JSON text as it is. */
  send(method: string, path: string, body: string | object): Promise<Response>;
  readonly server: Server;
  /** Closes the server only. */
  closeServer(): Promise<void>;
  close(): Promise<void>;
}

export async function startTestServer(
  env: Record<string, string> = {},
  changes: Partial<ServerOptions> = {},
): Promise<TestServer> {
  const database = await createTestDatabase();
  const events: Record<string, unknown>[] = [];
  const log = pino({ level: "warn" }, { write: (line: string) => events.push(JSON.parse(line)) });
  const { limits, subjects } = readConfig(env, []);
  const server = createHttpServer({
    pool: database.pool,
    realm: { minDebtorId: 1n, maxDebtorId: 100n, shard: parseShard("#")! },
    limits,
    authentication: { mode: "trusted proxy", anonymousIsSuperuser: true },
    subjects,
    enableCors: true,
    trustForwardedHeaders: true,
    log,
    ...changes,
  });
  await activateNewDebtor(database.pool, 7n);
  await activateNewDebtor(database.pool, 8n);
  const port = await listen(server);
  const url = `http://127.0.0.1:${port}`;
  const fetchPath = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, { redirect: "manual", ...init });
  return {
    url,
    port,
    database,
    events,
    fetch: fetchPath,
    send: (method, path, body) =>
      fetchPath(path, {
        method,
        headers: { "content-type": "application/json" },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    server,
    closeServer: () => close(server),
    async close() {
      if (server.listening) await close(server);
      await database.close();
    },
  };
}

export interface RawAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends raw bytes, and reads until the server closes the connection. `undefined` when there is no answer. */
export async function exchange(port: number, ...parts: readonly (string | Buffer)[]): Promise<RawAnswer | undefined> {
  const socket = net.connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {}); // Being cut off while still sending is part of what is tested.
  const closed = new Promise((resolve) => socket.on("close", resolve));
  for (const part of parts) socket.write(part);
  await closed;
  const [head = "", ...rest] = Buffer.concat(chunks).toString("latin1").split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  if (!statusLine.startsWith("HTTP/1.1 ")) return undefined;
  const headers = lines.map((line) => [
    line.slice(0, line.indexOf(":")).toLowerCase(),
    line.slice(line.indexOf(":") + 1).trim(),
  ]);
  return {
    status: Number(statusLine.split(" ")[1]),
    headers: Object.fromEntries(headers),
    body: rest.join("\r\n\r\n"),
  };
}

/** A request of one connection, its target untouched. */
export const requestText = (method: string, target: string, headers: readonly string[] = [], body = ""): string =>
  [`${method} ${target} HTTP/1.1`, "Host: debtors.example", "Connection: close", ...headers, "", body].join("\r\n");

/** The exact value in a body. */
export const jsonOf = async (response: Response) => parseJson(await response.text());
