/** Cross-origin requests of browsers. Spec: authorization, "CORS". */
import type { IncomingHttpHeaders } from "node:http";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const REQUEST_HEADERS = ["Authorization", "Content-Type", "X-Requested-With"];
const allowedMethods = new Set(METHODS);
const allowedHeaders = new Set([
  ...REQUEST_HEADERS.map((name) => name.toLowerCase()),
  // Browsers may also name these (Fetch, "CORS-safelisted request-header").
  ...["accept", "accept-language", "content-language", "range"],
]);

/** Whether the request is a preflight. */
export const isPreflight = (method: string | undefined, headers: IncomingHttpHeaders): boolean =>
  method === "OPTIONS" && headers["access-control-request-method"] !== undefined;

/** The headers of the answer to a preflight. They allow nothing when it asks for anything that is not allowed. */
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
 * The headers of every other answer: without them a browser client can read neither successes nor errors. Requests without
 * `Origin` get them as well, so that a shared cache never holds an answer without them.
 */
export const corsHeaders = {
  vary: "Origin",
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "Content-Type, Location",
} as const;
