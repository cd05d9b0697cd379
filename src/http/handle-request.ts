/** Handles a request from its target to its answer: errors, audit, metrics, the headers of every answer. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { createRepeatedEvents } from "../runtime/repeated-events.ts";
import { createGuards, type Progress } from "./guards.ts";
import { createRequestBody, type Expectation, type RequestBody } from "./request/request-body.ts";
import { parseTarget, type Target } from "./request/target.ts";
import { type Answer, jsonAnswer } from "./response/answer.ts";
import { createAuditor } from "./response/audit.ts";
import { corsHeaders, isPreflight } from "./response/cors.ts";
import { answerToError, errorBody, HttpError } from "./response/errors.ts";
import type { ServerOptions } from "./server-options.ts";

/** Answers all requests. */
export interface RequestHandler {
  /** Answers a request. Does not throw. */
  handle(request: IncomingMessage, response: ServerResponse, expectation?: Expectation): void;
  /** Logs what has been counted instead of logged. */
  flushLog(): void;
}

/** Makes the handler of a server. While the server closes, each answer closes its connection. */
export function createRequestHandler(options: ServerOptions, isClosing: () => boolean): RequestHandler {
  const { enableCors, metrics, log } = options;
  const passGuards = createGuards(options);
  const auditor = createAuditor(log, options.trustForwardedHeaders);
  const failures = createRepeatedEvents(log);
  const ownHeaders = { "x-content-type-options": "nosniff" };
  const sharedHeaders = { ...ownHeaders, ...(enableCors && corsHeaders) };

  // An outage makes every request fail, and any client can repeat one that meets a bug.
  const reportFailure = (
    level: "warn" | "error",
    message: string,
    error: unknown,
    { method }: IncomingMessage,
    { path }: Target,
  ): void => {
    const reason = String(error instanceof Error ? error.message : error);
    failures.report({ level, message, kind: { reason }, details: { err: error, method, path } });
  };

  const answerTo = async (
    request: IncomingMessage,
    target: Target,
    body: RequestBody,
    progress: Progress,
    expectation: Expectation | undefined,
  ): Promise<Answer> => {
    try {
      if (request.headers.host === undefined && request.httpVersion === "1.1") {
        throw new HttpError(400, "The header Host is missing.", { headers: { connection: "close" } });
      }
      if (expectation === "unknown") throw new HttpError(417, "The only expectation that can be met is 100-continue.");
      return await passGuards(request, target, body, progress);
    } catch (error) {
      const { answer, isBug } = answerToError(error);
      if (isBug) reportFailure("error", "Request failed unexpectedly", error, request, target);
      else if (answer.status >= 500 && !(error instanceof HttpError)) {
        reportFailure("warn", "Request could not be served", error, request, target);
      }
      return answer;
    }
  };

  const handle = async (
    request: IncomingMessage,
    response: ServerResponse,
    expectation: Expectation | undefined,
  ): Promise<void> => {
    const startMillis = performance.now();
    const target = parseTarget(request.url!);
    const body = createRequestBody(request, response, expectation);
    const progress: Progress = { caller: undefined };
    const answer = await answerTo(request, target, body, progress, expectation);
    const isReadByOthers = answer.site === undefined && !isPreflight(request.method, request.headers);
    const headers = isReadByOthers ? sharedHeaders : ownHeaders;
    // A client that keeps its connection open would delay the end of the server; and one that has not been told to send
    // its body may send it or leave it out, so that no other request can follow.
    if (isClosing() || body.isContinueAwaited()) response.shouldKeepAlive = false;
    try {
      send(response, headers, answer);
    } catch (error) {
      // For example, a header that Node does not send.
      reportFailure("error", "Answer could not be sent", error, request, target);
      send(response, headers, jsonAnswer(500, errorBody(500)));
    }
    const { statusCode } = response;
    auditor.record(request, target, { ...answer, status: statusCode }, progress.caller);
    const method = usualMethods.has(request.method!) ? request.method! : "OTHER";
    const seconds = (performance.now() - startMillis) / 1000;
    metrics?.observe(answer.site ?? target.resource?.path ?? "unknown", method, statusCode, seconds);
  };
  return {
    handle: (request, response, expectation) => void handle(request, response, expectation),
    flushLog() {
      auditor.flush();
      failures.flush();
    },
  };
}

// All others count as one, so that clients cannot fill the registry of metrics.
const usualMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

function send(
  response: ServerResponse,
  commonHeaders: Readonly<Record<string, string>>,
  { status, headers, body }: Answer,
): void {
  const allHeaders: OutgoingHttpHeaders = { ...commonHeaders, ...headers };
  if (status !== 204 && status !== 304) allHeaders["content-length"] = body === undefined ? 0 : Buffer.byteLength(body);
  response.writeHead(status, allHeaders);
  response.end(body);
}
