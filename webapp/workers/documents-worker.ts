/**
 * Fetches documents from any server. It runs under a policy of its own (`connect-src https:`), so that the page itself can
 * reach nothing but its own servers. No token ever comes here.
 */
import type { DocumentAnswer, DocumentRequest } from "./documents.ts";

const BYTES_MAX = 5 * 1024 * 1024;
const TIMEOUT_MILLIS = 8_000;

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<DocumentRequest>) => void) | null;
  postMessage(message: DocumentAnswer, transfer?: Transferable[]): void;
};

scope.onmessage = ({ data: { id, url } }) => {
  fetchDocument(url).then(
    (document) => scope.postMessage({ id, document }, [document.bytes.buffer]),
    (error: unknown) => scope.postMessage({ id, failure: reasonOf(error) }),
  );
};

async function fetchDocument(url: string) {
  const response = await fetch(url, {
    credentials: "omit",
    referrerPolicy: "no-referrer",
    cache: "no-store",
    signal: AbortSignal.timeout(TIMEOUT_MILLIS),
  });
  if (!response.ok) throw new UnreadableError(`status ${response.status}`);
  return {
    url: response.url,
    contentType: response.headers.get("content-type") ?? "",
    bytes: await readBytes(response),
  };
}

/** Counts while reading, because the declared length may be wrong. */
async function readBytes(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    length += part.value.length;
    if (length > BYTES_MAX) {
      await reader?.cancel();
      throw new UnreadableError("too big");
    }
    chunks.push(part.value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

class UnreadableError extends Error {}

const reasonOf = (error: unknown): string =>
  error instanceof UnreadableError
    ? error.message
    : error instanceof DOMException && error.name === "TimeoutError"
      ? "time-out"
      : "network";
