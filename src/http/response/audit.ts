/** The audit log: administrative requests and rejected ones, at every log level. */
import type { IncomingMessage } from "node:http";
import type { Logger } from "../../runtime/log.ts";
import { createRepeatedEvents } from "../../runtime/repeated-events.ts";
import type { IdentifiedCaller } from "../auth/identity.ts";
import { lastElementOf } from "../request/base-url.ts";
import type { Target } from "../request/target.ts";
import type { Access } from "../routes/route-table.ts";
import type { Answer } from "./answer.ts";

const LOGGED_LENGTH_MAX = 200;

/** Records who asked for what, from where, and the status of the answer. */
export interface Auditor {
  /** `caller` is `undefined` for an anonymous request. */
  record(
    request: IncomingMessage,
    target: Target,
    answer: Pick<Answer, "audited"> & { readonly status: number },
    caller: IdentifiedCaller | undefined,
  ): void;
  /** Logs what has been counted so far. */
  flush(): void;
}

/**
 * Makes the auditor of a server. Each request of an administrator is one line. Rejected requests of others are logged once
 * a minute for each status, operation, caller and client, and then counted, so that clients cannot fill the log. A client is an
 * address: the one that the nearest proxy reports when forwarded headers are trusted, otherwise that of the connection.
 */
export function createAuditor(log: Logger, trustForwardedHeaders: boolean): Auditor {
  const auditLog = log.child({ audit: true }, { level: "info" });
  const rejections = createRepeatedEvents(auditLog);
  return {
    record(request, target, { status, audited }, caller) {
      const isRejected = status === 401 || status === 403;
      const route = target.resource?.routes.get(request.method!);
      const isAdministrative = route !== undefined && administrative.has(route.access);
      if (!isRejected && !isAdministrative) return;
      const forwardedFor = trustForwardedHeaders ? lastElementOf(request.headers["x-forwarded-for"]) : undefined;
      const who = {
        caller: caller?.name.slice(0, LOGGED_LENGTH_MAX),
        client: (forwardedFor || request.socket.remoteAddress)?.slice(0, LOGGED_LENGTH_MAX),
      };
      const details = { method: request.method, path: target.path || "unknown" };
      const message = isRejected ? "Request rejected" : "Administrative request";
      if (caller !== undefined && caller.caller.kind !== "debtor") {
        auditLog.info({ ...details, ...audited, status, ...who }, message);
      } else {
        const kind = { status, operation: route?.operationId ?? "unknown", ...who };
        rejections.report({ level: "info", message, kind, details });
      }
    },
    flush: rejections.flush,
  };
}

const administrative: ReadonlySet<Access> = new Set<Access>(["admin", "admin-any-shard", "superuser"]);
