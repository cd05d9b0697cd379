/** Request bodies: their bytes, and the JSON in them. Spec: http-api; golden NOTES, "HTTP, all routes". */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Json, parseJson } from "../../values/json.ts";
import { decodeUtf8 } from "../../values/utf8.ts";
import { HttpError } from "../response/errors.ts";

/** Maximum size of a body that is not a document. */
export const BODY_BYTES_MAX = 20_480;

const noBytes = Buffer.alloc(0);

// A client that is still sending when the connection closes may never see the answer, so that this much is discarded first.
const DISCARDED_BYTES_MAX = 1_048_576;

/** What the `Expect` header of a request asks for (RFC 9110, section 10.1.1). */
export type Expectation = "continue" | "unknown";

/** The body that a client sends, or waits to be told to send. */
export interface RequestBody {
  readonly contentType: string | undefined;
  /**
   * Reads the whole body, chunked or not. Throws 413 when it is longer than `bytesMax`; when it is very much longer, or the
   * client waits to be told to send it, none of it is read, and the connection closes after the answer. Throws 400 when
   * the client goes away or sends a part of something, 415 for a content coding, and 501 for a transfer coding.
   */
  read(bytesMax: number): Promise<Buffer>;
  /** Whether the client still waits to be told to send it. */
  isContinueAwaited(): boolean;
}

/** The body of that request. Nothing is read, and the client is not told to continue, before `read` is called. */
export function createRequestBody(
  request: IncomingMessage,
  response: ServerResponse,
  expectation: Expectation | undefined,
): RequestBody {
  let isContinueAwaited = expectation === "continue";
  return {
    contentType: request.headers["content-type"],
    isContinueAwaited: () => isContinueAwaited,
    async read(bytesMax) {
      checkCodings(request);
      if (isContinueAwaited) {
        if (Number(request.headers["content-length"]) > bytesMax) throw new HttpError(413);
        isContinueAwaited = false;
        response.writeContinue();
      }
      return await readBytes(request, bytesMax);
    },
  };
}

/** Rejects bytes that are not the content itself: compressed, or a part of it. */
function checkCodings({ headers }: IncomingMessage): void {
  if (!/^(?:identity|[\s,]*)$/i.test(headers["content-encoding"] ?? "")) {
    const accepted = { headers: { "accept-encoding": "identity" } };
    throw new HttpError(415, "The body must not have a Content-Encoding.", accepted);
  }
  if (!/^(?:|chunked)$/i.test(headers["transfer-encoding"] ?? "")) {
    throw new HttpError(501, "The only transfer coding that can be decoded is chunked.");
  }
  if (headers["content-range"] !== undefined) throw new HttpError(400, "The body must not have a Content-Range.");
}

function readBytes(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const { "content-length": declared, "transfer-encoding": encoding } = request.headers;
  if (encoding === undefined && (declared === undefined || declared === "0")) return Promise.resolve(noBytes);
  if (Number(declared) > bytesMax + DISCARDED_BYTES_MAX) return Promise.reject(new HttpError(413, undefined, closing));
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
          reject(new HttpError(413, undefined, closing));
        }
      }
    });
    request.on("end", () => {
      if (length > bytesMax) reject(new HttpError(413));
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length));
    });
    request.on("error", () => reject(new HttpError(400, "The body ended too early.")));
  });
}

const closing = { headers: { connection: "close" } };

/** Whether the content type declares JSON: `application/json` or `application/…+json`, with any parameters. */
export const isJsonType = (contentType: string | undefined): boolean =>
  contentType === "application/json" ||
  (contentType !== undefined && /^\s*application\/(?:json|[^\s;/]+\+json)\s*(?:;|$)/i.test(contentType));

/**
 * The JSON value of a body; `{}` when there is no body, or one that is not declared as JSON. Throws 400 for malformed JSON,
 * such as a byte order mark or bytes that are not UTF-8.
 */
export async function readJson(body: RequestBody): Promise<Json> {
  const bytes = await body.read(BODY_BYTES_MAX);
  if (bytes.length === 0 || !isJsonType(body.contentType)) return {};
  try {
    return parseJson(decodeUtf8(bytes));
  } catch {
    throw new HttpError(400, undefined, { errors: ["Not a valid JSON document."] });
  }
}
