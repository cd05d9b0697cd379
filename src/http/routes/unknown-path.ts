/** Paths that no route has. Spec: http-api; authorization, "Scopes by operation", "Paths". */
import type { IncomingMessage } from "node:http";
import type { Identification } from "../auth/identity.ts";
import type { Target } from "../request/target.ts";
import { type Answer, redirectTo } from "../response/answer.ts";
import { notFound } from "../response/errors.ts";

/**
 * Redirects to the path with its last slash, when only that is missing and the method exists there; else throws 404.
 * Either takes a token below `/debtors/`, but for the documentation.
 */
export async function answerUnknownPath(
  raw: IncomingMessage,
  target: Target,
  identification: Identification,
  baseUrl: () => string,
): Promise<Answer> {
  const method = raw.method!;
  const isReading = method === "GET" || method === "HEAD";
  const isPublic = !target.isInsideApi || (isReading && (target.isInsideDocs || target.path === "/debtors/.docs"));
  if (!isPublic) await identification.authorizeUnknownRoute(raw, method);
  const { resourceWithSlash } = target;
  if (resourceWithSlash === undefined) throw notFound();
  if (method !== "OPTIONS" && !resourceWithSlash.routes.has(method)) throw notFound();
  // Node's parser takes no other characters in a target than those that a header can have.
  return redirectTo(308, `${baseUrl()}${target.path}/${target.query === undefined ? "" : `?${target.query}`}`);
}
