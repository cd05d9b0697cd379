/** Absolute URLs for `Location` headers. Spec: http-api, "URLs in answers"; authorization, "Paths". */
import type { IncomingMessage } from "node:http";
import { valuesOf } from "./header-lines.ts";

const HOST = /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(?::([0-9]{1,5}))?$/;

/**
 * `scheme://host[:port]` as the client sees this server: from the `Host` header and, when they are trusted, from the
 * last elements of `X-Forwarded-Proto` and `X-Forwarded-Port`. Empty when the `Host` header is missing, not valid, or repeated
 * (a cache in front may have looked at the other one): a `Location` may be relative, and nothing unchecked gets into a header.
 */
export function baseUrlOf(request: IncomingMessage, trustForwardedHeaders: boolean): string {
  const { headers } = request;
  const match = HOST.exec(headers.host ?? "");
  if (match === null || valuesOf(request, "host").length > 1) return "";
  let scheme = "http";
  let port = match[2] === undefined ? undefined : Number(match[2]);
  if (trustForwardedHeaders) {
    const forwardedScheme = lastElementOf(headers["x-forwarded-proto"]);
    if (forwardedScheme === "http" || forwardedScheme === "https") scheme = forwardedScheme;
    const forwardedPort = lastElementOf(headers["x-forwarded-port"]);
    if (forwardedPort !== undefined && /^[0-9]{1,5}$/.test(forwardedPort)) {
      const number = Number(forwardedPort);
      if (number >= 1 && number <= 65535) port = number;
    }
  }
  const isDefaultPort = port === undefined || port === (scheme === "https" ? 443 : 80);
  return `${scheme}://${match[1]}${isDefaultPort ? "" : `:${port}`}`;
}

/** The last element of a comma-separated list, which the nearest proxy has added. */
export function lastElementOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const list = typeof header === "string" ? header : header.join(",");
  return list.slice(list.lastIndexOf(",") + 1).trim();
}
