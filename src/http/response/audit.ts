/** A line in the log for each administrative request, and for refused ones, whatever the log level. */
import type { IncomingMessage } from "node:http";
import type { Logger } from "../../runtime/log.ts";
import { createRepeatedEvents } from "../../runtime/repeated-events.ts";
import type { IdentifiedCaller } from "../auth/identity.ts";
import { lastElementOf } from "../request/base-url.ts";
import type { Target } from "../request/target.ts";
import type { Access } from "../routes/route-table.ts";

const LOGGED_LENGTH_MAX = 200;

/** Records who asked for what, from where, and the status of the answer. */
export interface Auditor {
  /** `caller` is `undefined` when nobody has been identified. */
  record(request: IncomingMessage, target: Target, status: number, caller: IdentifiedCaller | undefined): void;
  /** Logs what has been counted so far. */
  flush(): void;
}

/**
 * Makes the auditor of a server. What administrators do is one line each. What anybody else is refused is logged the first
 * time in a minute for each status, operation and client, and then counted: strangers must not fill the log. Clients are known by
 * address; when forwarded headers are not trusted, that is the address of the proxy.
 */
export function createAuditor(log: Logger, trustForwardedHeaders: boolean): Auditor {
  const auditLog = log.child({ audit: true }, { level: "info" });
  const refusals = createRepeatedEvents(auditLog);
  return {
    record(request, target, status, caller) {
      const isRefused = status === 401 || status === 403;
      const route = target.resource?.routes.get(request.method!);
      const isAdministrative = route !== undefined && administrative.has(route.access);
      if (!isRefused && !isAdministrative) return;
      const forwardedFor = trustForwardedHeaders ? lastElementOf(request.headers["x-forwarded-for"]) : undefined;
      const who = {
        caller: caller?.name.slice(0, LOGGED_LENGTH_MAX),
        client: (forwardedFor || request.socket.remoteAddress)?.slice(0, LOGGED_LENGTH_MAX),
      };
      const details = { method: request.method, path: target.path || "unknown" };
      const message = isRefused ? "Request refused" : "Administrative request";
      if (caller !== undefined && caller.caller.kind !== "debtor") {
        auditLog.info({ ...details, status, ...who }, message);
      } else {
        const kind = { status, operation: route?.operationId ?? "unknown", ...who };
        refusals.report({ level: "info", message, kind, details });
      }
    },
    flush: refusals.flush,
  };
}

const administrative: ReadonlySet<Access> = new Set<Access>(["admin", "admin-any-shard", "superuser"]);
