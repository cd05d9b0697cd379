/** Cross-origin requests of browsers. Spec: authorization, "CORS". */
import type { IncomingHttpHeaders } from "node:http";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const REQUEST_HEADERS = ["Authorization", "Content-Type", "X-Requested-With"];
const allowedMethods = new Set(METHODS);
const allowedHeaders = new Set([
  ...REQUEST_HEADERS.map((name) => name.toLowerCase()),
  // Browsers may name these, too (Fetch, "CORS-safelisted request-header").
  ...["accept", "accept-language", "content-language", "range"],
]);

/** Whether the request asks on behalf of a browser what it may do. */
export const isPreflight = (method: string | undefined, headers: IncomingHttpHeaders): boolean =>
  method === "OPTIONS" && headers["access-control-request-method"] !== undefined;

/** The headers of the answer to a preflight; none that allow anything when something is asked that is not allowed. */
export function preflightHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const vary = { vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers" };
  const names = String(headers["access-control-request-headers"] ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const isAllowed =
    allowedMethods.has(headers["access-control-request-method"]!) &&
    names.every((name) => allowedHeaders.has(name.toLowerCase()));
  if (!isAllowed) return vary;
  return {
    ...vary,
    "access-control-allow-origin": "*",
    "access-control-allow-methods": METHODS.join(", "),
    "access-control-allow-headers": (names.length > 0 ? names : REQUEST_HEADERS).join(", "),
    "access-control-max-age": "86400",
  };
}

/**
 * The headers of every other answer, whatever its status: a browser client could not read it without. They are there for
 * requests without `Origin`, too, so that a shared cache never holds an answer without them.
 */
export const corsHeaders = {
  vary: "Origin",
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "Content-Type, Location",
} as const;
