/** The web server. Fastify keeps the connections; what is done with a request is said in `guards.ts`. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type FastifyInstance, fastify } from "fastify";
import type { Authentication, Config } from "../config.ts";
import type { Pool } from "../database/database.ts";
import type { Logger } from "../runtime/log.ts";
import type { ShardingRealm } from "../values/shard.ts";
import { jsonAnswer } from "./answer.ts";
import type { TokenAuthenticator } from "./auth/token-authenticator.ts";
import { corsHeaders } from "./cors.ts";
import { errorBody, reasonOf } from "./errors.ts";
import type { HttpMetrics } from "./metrics.ts";
import { createResponder, send } from "./responder.ts";
import { resources } from "./route-table.ts";
import type { Subjects } from "./subjects.ts";
import { parseTarget, setTarget, targetOf } from "./target.ts";

export interface ServerOptions {
  readonly pool: Pool;
  readonly realm: ShardingRealm;
  readonly limits: Config["limits"];
  readonly authentication: Authentication;
  /** Needed when `authentication` says so. */
  readonly tokenAuthenticator?: TokenAuthenticator;
  readonly subjects: Subjects;
  readonly enableCors: boolean;
  readonly trustForwardedHeaders: boolean;
  /** What the health check says, in one line. Default: OK. */
  readonly healthText?: string;
  /** `scheme://host:port` of the authorization server, for the documentation. Default: it stands behind the same name. */
  readonly authorizationOrigin?: string;
  readonly log: Logger;
  /** Called after each operation that has put something into the outbox. */
  readonly onWritten: () => void;
  readonly metrics?: HttpMetrics;
  readonly timeouts?: Timeouts;
}

/** How long clients may keep a connection waiting, in milliseconds. */
export interface Timeouts {
  /** From the first byte of a request to the end of its headers. */
  readonly headers: number;
  /** From the first byte of a request to its end. */
  readonly request: number;
  /** Between two requests. */
  readonly keepAlive: number;
  /** Without a byte in either direction. */
  readonly inactivity: number;
  /** From the last answer on a connection that is given up to its end. */
  readonly linger: number;
  /** Between two looks at how long headers and requests have taken. */
  readonly check: number;
}

// Nobody holds a connection for long without saying something. Keep-alive outlasts the minute after which load balancers
// give up an idle connection; were it shorter, some request would meet a closing connection.
const HEADER_BYTES_MAX = 16_384;
const TIMEOUTS: Timeouts = {
  headers: 15_000,
  request: 30_000,
  keepAlive: 75_000,
  inactivity: 120_000,
  linger: 15_000,
  check: 5_000,
};

/** Makes the server; it does not listen yet. `close()` stops it: requests under way are finished. */
export function createServer(options: ServerOptions): FastifyInstance {
  const timeouts = options.timeouts ?? TIMEOUTS;
  const app = fastify({
    logger: false,
    rewriteUrl: (request) => {
      const target = parseTarget(request.url ?? "");
      setTarget(request as IncomingMessage, target);
      // Fastify routes by the pattern of the path, which has been found out here, and sees no path of a client.
      return target.resource?.path ?? "/unknown";
    },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.keepAlive,
    connectionTimeout: timeouts.inactivity,
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: timeouts.headers,
      connectionsCheckingInterval: timeouts.check,
    },
    clientErrorHandler: (error, socket) => answerMalformedRequest(error, socket, options.enableCors, timeouts.linger),
  });
  // Bodies are read when the caller is known to be one who may send them; until then Fastify leaves them alone.
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]) {
    app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  }
  let isClosing = false;
  app.addHook("preClose", (done) => {
    isClosing = true;
    done();
  });
  const responder = createResponder(options, () => isClosing);
  for (const resource of resources) {
    app.route({ method: [...resource.routes.keys(), "OPTIONS"], url: resource.path, handler: responder });
  }
  app.setNotFoundHandler(responder);
  // The responder does not fail. What still does, such as a header that Node refuses to send, is a bug.
  app.setErrorHandler((error, request, reply) => {
    options.log.error({ err: error, path: targetOf(request.raw).path }, "An answer could not be sent");
    return send(reply, jsonAnswer(500, errorBody(500)));
  });
  return app;
}

/** Answers requests that are no HTTP, are too big in their head, or take too long. */
function answerMalformedRequest(
  error: NodeJS.ErrnoException,
  socket: Socket,
  enableCors: boolean,
  lingerMillis: number,
): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  const body = errorBody(status);
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "x-content-type-options": "nosniff",
    ...(enableCors ? corsHeaders : {}),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // Time to read the answer, but no more: whoever goes on sending, and does not hang up, must not keep the socket.
  const linger = setTimeout(() => socket.destroy(), lingerMillis);
  socket.once("close", () => clearTimeout(linger));
  socket.end(`HTTP/1.1 ${status} ${reasonOf(status)}\r\n${lines.join("")}\r\n${body}`);
}
