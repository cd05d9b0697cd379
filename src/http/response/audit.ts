/** A line in the log for every refused and every administrative request, whatever the log level. */
import type { IncomingMessage } from "node:http";
import type { Logger } from "../../runtime/log.ts";
import { lastElementOf } from "../request/base-url.ts";
import type { Target } from "../request/target.ts";

const LOGGED_LENGTH_MAX = 200;

/** Who asked for what, from where, and what became of it. `callerName` is `undefined` for nobody. */
export type Auditor = (
  request: IncomingMessage,
  target: Target,
  status: number,
  callerName: string | undefined,
) => void;

/** Makes the auditor of a server. Who calls is told by address, too: of the proxy when its headers are not believed. */
export function createAuditor(log: Logger, trustForwardedHeaders: boolean): Auditor {
  const auditLog = log.child({ audit: true }, { level: "info" });
  return (request, target, status, callerName) => {
    const isRefused = status === 401 || status === 403;
    if (!isRefused && !isAdministrative(request, target)) return;
    const forwardedFor = trustForwardedHeaders ? lastElementOf(request.headers["x-forwarded-for"]) : undefined;
    auditLog.info(
      {
        method: request.method,
        path: target.path || "unknown",
        status,
        caller: callerName?.slice(0, LOGGED_LENGTH_MAX),
        client: (forwardedFor || addressOf(request))?.slice(0, LOGGED_LENGTH_MAX),
      },
      isRefused ? "Request refused" : "Administrative request",
    );
  };
}

/** Without the prefix that an IPv4 address has on a socket for both families. */
const addressOf = ({ socket }: IncomingMessage): string | undefined =>
  socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "");

function isAdministrative({ method }: IncomingMessage, { resource }: Target): boolean {
  const access = resource?.routes.get(method!)?.access;
  return access === "admin" || access === "anywhere" || access === "superuser";
}
