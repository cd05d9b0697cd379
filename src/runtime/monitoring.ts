/** The port of metrics, liveness and readiness, apart from the one that serves clients. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "./create-server.ts";
import type { Logger } from "./log.ts";
import { METRICS_CONTENT_TYPE } from "./metrics.ts";

export interface MonitoringOptions {
  /** 0 for none. */
  readonly port: number;
  readonly log: Logger;
  /** In Prometheus' exposition format. */
  readonly metrics: () => Promise<string>;
  /** `undefined` when there is no process of the type that was asked for. */
  readonly readiness: (question: ReadinessQuestion) => Promise<Readiness | undefined>;
}

/** What `/ready` is asked. */
export interface ReadinessQuestion {
  /** As in `/ready/consumer`. `undefined` for `/ready`. */
  readonly processType: string | undefined;
  /** The address of this machine to which the question came. */
  readonly address: string;
}

/** Whether a program is ready for work. */
export interface Readiness {
  /** Why it is not, in words; empty when it is. */
  readonly unreadyReasons: readonly string[];
  /** The reasons of each type of process, also of those that were not asked for. */
  readonly processes?: Readonly<Record<string, readonly string[]>> | undefined;
}

const HELP = "The paths are /metrics, /live, /ready and /ready/PROCESS_TYPE";

/**
 * Serves `/metrics`, `/live` (200 as long as this process runs) and `/ready` (200, or 503 with the reasons). A port that
 * is taken is logged and nothing more: two commands on one machine must not keep each other from working.
 */
export async function startMonitoring({ port, log, metrics, readiness }: MonitoringOptions): Promise<{
  close(): Promise<void>;
}> {
  if (port === 0) return { close: async () => {} };
  const answer = async (path: string, address: string, response: ServerResponse): Promise<void> => {
    const [, name, processType, ...rest] = path.split("/");
    if (path === "/live") return sendJson(response, 200, { live: true });
    if (path === "/metrics") {
      const text = await metrics();
      response.writeHead(200, { "content-type": METRICS_CONTENT_TYPE }).end(text);
      return;
    }
    const found = name === "ready" && rest.length === 0 ? await readiness({ processType, address }) : undefined;
    if (found === undefined) return sendJson(response, 404, { error: HELP });
    const ready = found.unreadyReasons.length === 0;
    sendJson(response, ready ? 200 : 503, { ready, ...found });
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0]!;
    if (request.method !== "GET" && request.method !== "HEAD") return sendJson(response, 405, { error: "GET only" });
    // An IPv4 address has a prefix on a socket for both families.
    const address = (request.socket.localAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
    answer(path, address, response).catch((error: unknown) => {
      log.error({ err: error, path }, "Monitoring failed");
      if (!response.headersSent) sendJson(response, 500, { error: "See the log" });
    });
  });
  server.on("error", (error) => log.warn({ err: error, port }, "Cannot serve metrics and readiness on this port"));
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
