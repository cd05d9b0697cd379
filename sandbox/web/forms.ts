/** Forms that come from our own pages, and from nowhere else. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** The form does not come from this server, or is too large. */
export class FormError extends Error {
  override readonly name = "FormError";
}

const FORM_BYTES_MAX = 8 * 1024;

/** What a form of a log-in must carry. The log-in belongs to one browser by a cookie, and so do its forms. */
export const csrfTokenOf = (key: string, uid: string): string =>
  createHmac("sha256", key).update(uid).digest("base64url");

/**
 * Reads a form that the browser sends back to us. Throws a FormError when a page of another origin sent it, or it lacks
 * the token. Behind a proxy our origin is not what the request says.
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
  const sent = Buffer.from(form.get("csrf_token") ?? "");
  const expected = Buffer.from(csrfToken);
  if (sent.length !== expected.length || !timingSafeEqual(sent, expected)) {
    throw new FormError("The form has expired or comes from another site. Go back and start again.");
  }
  return form;
}
