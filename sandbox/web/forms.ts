/** Forms that are accepted only from the server's own pages. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** The form does not come from this server, or is too large. */
export class FormError extends Error {
  override readonly name = "FormError";
}

const FORM_BYTES_MAX = 8 * 1024;

/** The token of a log-in form. A cookie ties the log-in, and so its forms, to one browser. */
export const csrfTokenOf = (key: string, uid: string): string =>
  createHmac("sha256", key).update(uid).digest("base64url");

/**
 * Reads a submitted form. Throws a FormError when a page of another origin sent it, it lacks
 * the token, or no person can have written it. Behind a proxy the origin is not that of the request.
 */
export async function readForm(
  request: IncomingMessage,
  csrfToken: string,
  ownOrigin = `http://${request.headers.host}`,
): Promise<URLSearchParams> {
  const { origin } = request.headers;
  if (origin !== undefined && origin !== ownOrigin && origin !== `http://${request.headers.host}`) {
    throw new FormError("The form comes from another site.");
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > FORM_BYTES_MAX) throw new FormError("The form is too big.");
    chunks.push(chunk);
  }
  const form = new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
  // Databases do not store it.
  if ([...form.values()].some((value) => value.includes("\0"))) throw new FormError("The form has a NUL character.");
  const sent = Buffer.from(form.get("csrf_token") ?? "");
  const expected = Buffer.from(csrfToken);
  if (sent.length !== expected.length || !timingSafeEqual(sent, expected)) {
    throw new FormError("The form has expired or comes from another site. Go back and start again.");
  }
  return form;
}
