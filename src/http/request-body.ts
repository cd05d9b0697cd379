/** Request bodies: their bytes, and the JSON in them. Spec: http-api; golden NOTES, "HTTP, all routes". */
import type { IncomingMessage } from "node:http";
import { type Json, parseJson } from "../values/json.ts";
import { HttpError } from "./errors.ts";

/** The most bytes of a body that is not a document. */
export const BODY_BYTES_MAX = 20_480;

const noBytes = Buffer.alloc(0);

// A client that is still sending when the connection closes may never see the answer, so that this much is thrown away first.
const DISCARDED_BYTES_MAX = 1_048_576;

/**
 * Reads the whole body, chunked or not. Throws 413 when it is longer than `bytesMax`; when it is very much longer, the
 * rest is not read, and the connection closes after the answer. Throws 400 when the client goes away in the middle.
 */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const { "content-length": declared, "transfer-encoding": encoding } = request.headers;
  if (encoding === undefined && (declared === undefined || declared === "0")) return Promise.resolve(noBytes);
  if (Number(declared) > bytesMax + DISCARDED_BYTES_MAX) return Promise.reject(tooLarge("close"));
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= bytesMax) {
        chunks.push(chunk);
      } else {
        chunks = [];
        if (length > bytesMax + DISCARDED_BYTES_MAX) {
          request.pause();
          reject(tooLarge("close"));
        }
      }
    });
    request.on("end", () => {
      if (length > bytesMax) reject(tooLarge());
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length));
    });
    request.on("error", () => reject(new HttpError(400, "The body ended too early.")));
  });
}

const tooLarge = (connection?: "close"): HttpError =>
  new HttpError(413, undefined, connection === undefined ? {} : { headers: { connection } });

/** Whether the content type declares JSON: `application/json` or `application/…+json`, with whatever parameters. */
export const isJsonType = (contentType: string | undefined): boolean =>
  contentType === "application/json" ||
  (contentType !== undefined && /^\s*application\/(?:json|[^\s;/]+\+json)\s*(?:;|$)/i.test(contentType));

// Bytes that are no UTF-8, and a byte order mark, are malformed JSON.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The JSON value of a body; `{}` when there is no body, or one that is not declared as JSON. Throws 400. */
export async function readJson(request: IncomingMessage): Promise<Json> {
  const bytes = await readBody(request, BODY_BYTES_MAX);
  if (bytes.length === 0 || !isJsonType(request.headers["content-type"])) return {};
  try {
    return parseJson(utf8.decode(bytes));
  } catch {
    throw new HttpError(400, undefined, { errors: ["Not a valid JSON document."] });
  }
}
