/** Paths inside `/debtors/` that are not in the table. Spec: http-api; authorization, "Scopes by operation", "Paths". */
import type { IncomingMessage } from "node:http";
import type { Identification } from "../auth/identity.ts";
import type { Target } from "../request/target.ts";
import { type Answer, redirectTo } from "../response/answer.ts";
import { notFound } from "../response/errors.ts";

/**
 * Redirects to the path with a slash at its end, when only that is missing and the method exists there. Otherwise throws
 * 404. Both require a token, except below `/debtors/.docs`.
 */
export async function answerUnknownPath(
  request: IncomingMessage,
  target: Target,
  identification: Identification,
  baseUrl: () => string,
): Promise<Answer> {
  const method = request.method!;
  const isReading = method === "GET" || method === "HEAD";
  const isPublic = isReading && (target.isInsideDocs || target.path === "/debtors/.docs");
  if (!isPublic) await identification.authorizeUnknownRoute(request, method);
  const { resourceWithSlash } = target;
  if (resourceWithSlash === undefined) throw notFound();
  if (method !== "OPTIONS" && !resourceWithSlash.routes.has(method)) throw notFound();
  // Node's parser accepts no characters in a target that a header cannot have.
  return redirectTo(308, `${baseUrl()}${target.path}/${target.query === undefined ? "" : `?${target.query}`}`);
}
