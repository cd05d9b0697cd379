/** Documents that may lie anywhere: fetched by a worker of their own, without credentials, token or referrer. */

/** What the page asks the worker for. */
export interface DocumentRequest {
  readonly id: number;
  readonly url: string;
}

/** A document as it came. */
export interface FetchedDocument {
  /** Where the redirects ended. */
  readonly url: string;
  /** As the server says, with parameters. */
  readonly contentType: string;
  /** At most 5 MiB. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What the worker answers. `failure` is `network`, `time-out`, `too big` or `status 404`. */
export type DocumentAnswer =
  | { readonly id: number; readonly document: FetchedDocument }
  | { readonly id: number; readonly failure: string };

/** The document cannot be read; the message says why, in one or two words. */
export class DocumentUnreadableError extends Error {
  override readonly name = "DocumentUnreadableError";
}

/** Fetches a document within eight seconds, or rejects with a DocumentUnreadableError. */
export type FetchDocument = (url: string) => Promise<FetchedDocument>;

/** The worker is started when it is first needed. */
export function createDocumentFetcher(startWorker: () => Worker): FetchDocument {
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
