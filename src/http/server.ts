/** The web server: Node's own, with limits on time and size. `handle-request.ts` answers each request. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { createServer } from "../runtime/create-server.ts";
import { droppedConnection } from "../runtime/open-files.ts";
import { createRepeatedEvents } from "../runtime/repeated-events.ts";
import { createRequestHandler } from "./handle-request.ts";
import type { Expectation } from "./request/request-body.ts";
import { createTurns } from "./request/turns.ts";
import { corsHeaders } from "./response/cors.ts";
import { errorBody, reasonOf } from "./response/errors.ts";
import { defaultTimeouts, type ServerOptions } from "./server-options.ts";

const HEADER_BYTES_MAX = 16_384;

/** Makes the server; it does not listen yet. `close()` stops it after the requests under way have been answered. */
export function createHttpServer(options: ServerOptions): Server {
  const { enableCors, timeouts = defaultTimeouts, connectionsMax = Infinity, log } = options;
  // A server that is closing does not listen any more.
  const { handle, flushLog } = createRequestHandler(options, () => !server.listening);
  const takeTurn = createTurns();
  const serve = (request: IncomingMessage, response: ServerResponse, expectation?: Expectation): void =>
    takeTurn(request, response, () => handle(request, response, expectation));
  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: timeouts.headers,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.keepAlive,
    connectionsCheckingInterval: timeouts.check,
    // Node's own answer to a missing Host header has not the form of the API's errors.
    requireHostHeader: false,
  });
  server.setTimeout(timeouts.inactivity);
  server.on("request", (request, response) => serve(request, response));
  server.on("checkContinue", (request, response) => serve(request, response, "continue"));
  server.on("checkExpectation", (request, response) => serve(request, response, "unknown"));
  // Without a listener Node closes the connection without an answer.
  server.on("connect", (_request, socket) => endWith(501, socket as Socket, enableCors, timeouts.linger));
  const drops = createRepeatedEvents(log);
  // Without the second property, which its types lack, a supervisor would offer the connection again and again.
  Object.assign(server, { maxConnections: connectionsMax, dropMaxConnection: true });
  server.on("drop", () => drops.report(droppedConnection(connectionsMax)));
  server.on("close", () => {
    flushLog();
    drops.flush();
  });
  server.on("clientError", (error, socket) =>
    answerMalformedRequest(error, socket as Socket, enableCors, timeouts.linger),
  );
  return server;
}

/** Answers what is not HTTP, has too large a head, or takes too long. */
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
  endWith(status, socket, enableCors, lingerMillis);
}

/** Answers without Node's help, and closes the connection. */
function endWith(status: number, socket: Socket, enableCors: boolean, lingerMillis: number): void {
  const body = errorBody(status);
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "x-content-type-options": "nosniff",
    ...(enableCors && corsHeaders),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // Time to read the answer, but no more: a client that goes on sending must not keep the socket.
  const linger = setTimeout(() => socket.destroy(), lingerMillis);
  socket.once("close", () => clearTimeout(linger));
  socket.end(`HTTP/1.1 ${status} ${reasonOf(status)}\r\n${lines.join("")}\r\n${body}`);
}
