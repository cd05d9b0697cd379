/** The port of metrics, liveness and readiness, apart from the one that serves clients. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { Logger } from "./log.ts";
import { METRICS_CONTENT_TYPE } from "./metrics.ts";

export interface MonitoringOptions {
  /** 0 for none. */
  readonly port: number;
  readonly log: Logger;
  /** In Prometheus' exposition format. */
  readonly metrics: () => Promise<string>;
  /** Why the program is not ready for work, in words; empty when it is. */
  readonly unreadyReasons: () => Promise<readonly string[]>;
}

/**
 * Serves `/metrics`, `/live` (200 as long as this process runs) and `/ready` (200, or 503 with the reasons). A port that
 * is taken is logged and nothing more: two commands on one machine must not keep each other from working.
 */
export async function startMonitoring({ port, log, metrics, unreadyReasons }: MonitoringOptions): Promise<{
  close(): Promise<void>;
}> {
  if (port === 0) return { close: async () => {} };
  const routes: Readonly<Record<string, (response: ServerResponse) => Promise<void>>> = {
    "/live": async (response) => sendJson(response, 200, { live: true }),
    "/ready": async (response) => {
      const found = await unreadyReasons();
      sendJson(response, found.length === 0 ? 200 : 503, { ready: found.length === 0, unreadyReasons: found });
    },
    "/metrics": async (response) => {
      const text = await metrics();
      response.writeHead(200, { "content-type": METRICS_CONTENT_TYPE }).end(text);
    },
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0]!;
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) return sendJson(response, 404, { error: "The paths are /metrics, /live and /ready" });
    if (request.method !== "GET" && request.method !== "HEAD") return sendJson(response, 405, { error: "GET only" });
    route(response).catch((error: unknown) => {
      log.error({ err: error, path }, "Monitoring failed");
      if (!response.headersSent) sendJson(response, 500, { error: "See the log" });
    });
  });
  server.on("error", (error) => log.warn({ err: error, port }, "There is no monitoring on this port"));
  server.listen(port);
  await Promise.race([once(server, "listening"), once(server, "error")]).catch(() => {});
  return {
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
