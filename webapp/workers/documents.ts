/** Documents on any server: fetched by a worker of their own, without credentials, token or referrer. */
import type { FetchedDocument, ModelParts } from "../model/parts.ts";

/** What the page asks the worker for. */
export interface DocumentRequest {
  readonly id: number;
  readonly url: string;
}

/** What the worker answers. `failure` is `network`, `time-out`, `too big` or `status 404`. */
export type DocumentAnswer =
  | { readonly id: number; readonly document: FetchedDocument }
  | { readonly id: number; readonly failure: string };

/** A document cannot be read. The message gives the reason in one or two words. */
export class DocumentUnreadableError extends Error {
  override readonly name = "DocumentUnreadableError";
}

/**
 * Returns a function that fetches a document within eight seconds, or rejects with a DocumentUnreadableError. The worker is
 * started on first use.
 */
export function createDocumentFetcher(startWorker: () => Worker): ModelParts["fetchDocument"] {
  const waiting = new Map<number, (answer: DocumentAnswer) => void>();
  let worker: Worker | undefined;
  let lastId = 0;
  const start = (): Worker => {
    const started = startWorker();
    started.onmessage = ({ data }: MessageEvent<DocumentAnswer>) => {
      waiting.get(data.id)?.(data);
      waiting.delete(data.id);
    };
    started.onerror = () => {
      for (const [id, answer] of waiting) answer({ id, failure: "network" });
      waiting.clear();
      worker = undefined;
    };
    return started;
  };
  return async (url) => {
    worker ??= start();
    const id = ++lastId;
    const answer = await new Promise<DocumentAnswer>((resolve) => {
      waiting.set(id, resolve);
      worker!.postMessage({ id, url } satisfies DocumentRequest);
    });
    if ("failure" in answer) throw new DocumentUnreadableError(answer.failure);
    return answer.document;
  };
}
