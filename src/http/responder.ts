/** From a request to its answer, whatever happens on the way: errors, audit, metrics, the headers of every answer. */
import type { IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Answer } from "./answer.ts";
import { createAuditor } from "./audit.ts";
import { corsHeaders, isPreflight } from "./cors.ts";
import { answerToError, HttpError } from "./errors.ts";
import { createGuards, type Progress } from "./guards.ts";
import type { ServerOptions } from "./server.ts";
import { type Target, targetOf } from "./target.ts";

/** Makes the one function that answers all requests. It does not reject. While the server closes, so do the connections. */
export function createResponder(
  options: ServerOptions,
  isClosing: () => boolean,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  const { enableCors, metrics, log } = options;
  const passGuards = createGuards(options);
  const audit = createAuditor(log, options.trustForwardedHeaders);

  const answerTo = async (raw: IncomingMessage, target: Target, progress: Progress): Promise<Answer> => {
    try {
      return await passGuards(raw, target, progress);
    } catch (error) {
      const { answer, isBug } = answerToError(error);
      if (isBug) log.error({ err: error, method: raw.method, path: target.path }, "A request failed unexpectedly");
      else if (answer.status >= 500 && !(error instanceof HttpError))
        log.warn({ err: error, path: target.path }, "A request could not be served");
      return answer;
    }
  };

  return async ({ raw }, reply) => {
    const startMillis = performance.now();
    const target = targetOf(raw);
    const progress: Progress = { callerName: undefined };
    const answer = await answerTo(raw, target, progress);
    audit(raw, target, answer.status, progress.callerName);
    metrics?.observe(
      target.resource?.path ?? "unknown",
      isUsual(raw.method!) ? raw.method! : "OTHER",
      answer.status,
      (performance.now() - startMillis) / 1000,
    );
    if (enableCors && !isPreflight(raw.method, raw.headers)) reply.headers(corsHeaders);
    // Else a client that keeps its connection open would hold up the end of the server.
    if (isClosing()) reply.header("connection", "close");
    return send(reply, answer);
  };
}

// Any other method counts as one, or strangers could fill the registry of metrics.
const isUsual = (method: string): boolean => usualMethods.has(method);
const usualMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Sends an answer, with the headers that it has for all clients. */
export function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  reply.code(status).header("x-content-type-options", "nosniff");
  if (headers !== undefined) reply.headers(headers);
  if (body === undefined) return reply.send();
  // A serializer of ours keeps Fastify from adding a charset to the content type, and from giving bytes a content type of
  // its own when it cannot parse the one that was saved. It may give bytes, though its type does not say so.
  return reply.serializer(() => body as string).send({});
}
