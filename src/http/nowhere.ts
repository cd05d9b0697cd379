/** Paths that no route has. Spec: http-api, top; authorization, parts 2 and 7. */
import type { IncomingMessage } from "node:http";
import { type Answer, redirectTo } from "./answer.ts";
import { notFound } from "./errors.ts";
import type { Identification } from "./identity.ts";
import type { Target } from "./target.ts";

/**
 * Redirects to the path with its last slash, when only that is missing and the method exists there; else throws 404.
 * Either takes a token below `/debtors/`, but for the documentation.
 */
export async function answerNowhere(
  raw: IncomingMessage,
  target: Target,
  identification: Identification,
  baseUrl: () => string,
): Promise<Answer> {
  const method = raw.method!;
  const isReading = method === "GET" || method === "HEAD";
  const isPublic = !target.isInsideApi || (isReading && (target.isInsideDocs || target.path === "/debtors/.docs"));
  if (!isPublic) await identification.admitToNothing(raw, method);
  const { resourceWithSlash } = target;
  if (resourceWithSlash === undefined) throw notFound();
  if (method !== "OPTIONS" && !resourceWithSlash.routes.has(method)) throw notFound();
  return redirectTo(
    308,
    `${baseUrl()}${target.path}/${target.query === undefined ? "" : `?${printable(target.query)}`}`,
  );
}

/** A query as it was sent, but for bytes that have no place in a header. */
const printable = (query: string): string =>
  query.replace(
    /[^\x21-\x7e]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
