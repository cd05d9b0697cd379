/**
 * The node's HTTP API for one debtor: exact integers both ways, a time limit on each request, and the token for the API's
 * origin alone. Nothing is repeated here but what a fresh token may cure. Spec: issuer-webapp, "Talking to the node".
 */
import { type Json, parseJson, stringifyJson } from "../../src/values/json.ts";
import type { ConfigRecord, DebtorRecord, TransferRequest } from "../core/records.ts";
import { type Answer, type Failure, failureOf, isFailure, messageOf, NO_ANSWER } from "./answer.ts";
import {
  type ApiTransfer,
  FormatError,
  readConfig,
  readDebtor,
  readTransfer,
  readTransfersList,
  uuidOfUrl,
} from "./objects.ts";

/** Where the token is from. */
export interface TokenSource {
  /** The access token, if there is one. */
  current(): string | undefined;
  /** Called when the API has refused `token`: a fresh one, if there can be one without the user. */
  renew(token: string): Promise<string | undefined>;
}

export interface ApiOptions {
  /** Absolute URL of the entry point. */
  readonly entrypoint: string;
  readonly timeoutMillis: number;
  readonly fetch: typeof fetch;
  readonly tokens: TokenSource;
  /** Milliseconds. */
  readonly now: () => number;
  /** Called for each answer of the node with its header `Date`, where that may be read. */
  readonly onAnswer: (date: string | null) => void;
}

/** A document as the server has saved it. */
export interface SavedDocument {
  /** Absolute. */
  readonly uri: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface RequestOptions<T> {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly url: string;
  readonly body?: BodyInit;
  readonly contentType?: string;
  /** Whether a redirect within the API is an answer to follow. */
  readonly mayRedirect?: boolean;
  readonly read: (response: Response) => Promise<T>;
}

/** Requests to the node. None of them throws. */
export class Api {
  readonly #options: ApiOptions;
  readonly #origin: string;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#origin = new URL(options.entrypoint).origin;
  }

  /** Whether there is a token to try. */
  get hasToken(): boolean {
    return this.#options.tokens.current() !== undefined;
  }

  /** The caller's debtor, by way of the entry point; `not-an-issuer` when it answers 204. */
  findDebtor(): Promise<Answer<DebtorRecord | "not-an-issuer">> {
    return this.#request({
      method: "GET",
      url: this.#options.entrypoint,
      mayRedirect: true,
      read: async (response) => (response.status === 204 ? ("not-an-issuer" as const) : this.#readDebtor(response)),
    });
  }

  getDebtor(url: string): Promise<Answer<DebtorRecord>> {
    return this.#request({ method: "GET", url, read: (response) => this.#readDebtor(response) });
  }

  /** The absolute URLs of all transfers. */
  listTransfers(url: string): Promise<Answer<string[]>> {
    return this.#request({
      method: "GET",
      url,
      read: async (response) => readTransfersList(await jsonOf(response), url),
    });
  }

  getTransfer(url: string): Promise<Answer<ApiTransfer>> {
    return this.#request({ method: "GET", url, read: (response) => readTransferOf(uuidOfUrl(url), response) });
  }

  /** 201 and 303 mean the same: the server has the transfer. */
  createTransfer(url: string, uuid: string, request: TransferRequest): Promise<Answer<ApiTransfer>> {
    const { recipientUri, amount, noteFormat, note } = request;
    return this.#request({
      ...jsonBody({
        type: "TransferCreationRequest",
        transferUuid: uuid,
        recipient: { uri: recipientUri },
        amount,
        noteFormat,
        note,
      }),
      method: "POST",
      url,
      mayRedirect: true,
      read: (response) => readTransferOf(uuid, response),
    });
  }

  cancelTransfer(url: string): Promise<Answer<ApiTransfer>> {
    return this.#request({
      ...jsonBody({ type: "TransferCancelationRequest" }),
      method: "POST",
      url,
      read: (response) => readTransferOf(uuidOfUrl(url), response),
    });
  }

  deleteTransfer(url: string): Promise<Answer<undefined>> {
    return this.#request({ method: "DELETE", url, read: async () => undefined });
  }

  updateConfig(url: string, configData: string, latestUpdateId: bigint): Promise<Answer<ConfigRecord>> {
    return this.#request({
      ...jsonBody({ type: "DebtorConfig", configData, latestUpdateId }),
      method: "PATCH",
      url,
      read: async (response) => readConfig(await jsonOf(response)),
    });
  }

  saveDocument(url: string, bytes: Uint8Array<ArrayBuffer>, contentType: string): Promise<Answer<SavedDocument>> {
    return this.#request({
      method: "POST",
      url,
      body: bytes,
      contentType,
      read: async (response) => {
        const location = response.headers.get("Location");
        if (location === null || !URL.canParse(location, url))
          throw new FormatError("No address of the saved document");
        return { uri: new URL(location, url).href, bytes: new Uint8Array(await response.arrayBuffer()) };
      },
    });
  }

  async #readDebtor(response: Response): Promise<DebtorRecord> {
    return readDebtor(await jsonOf(response), response.url, this.#options.now());
  }

  /** Repeats once with a fresh token when the API refuses the one that there is. */
  async #request<T>(options: RequestOptions<T>): Promise<Answer<T>> {
    const token = this.#options.tokens.current();
    if (token === undefined) return SIGNED_OUT;
    const answer = await this.#send(options, token);
    if (!isFailure(answer) || answer.failure !== "signed-out") return answer;
    const fresh = await this.#options.tokens.renew(token).catch(() => undefined);
    return fresh === undefined ? answer : this.#send(options, fresh);
  }

  async #send<T>(options: RequestOptions<T>, token: string): Promise<Answer<T>> {
    const { method, url, body, contentType, mayRedirect = false, read } = options;
    if (new URL(url).origin !== this.#origin) return NO_ANSWER;
    const headers = {
      Authorization: `Bearer ${token}`,
      ...(contentType === undefined ? {} : { "Content-Type": contentType }),
    };
    try {
      const response = await this.#options.fetch(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        // A browser takes the token away when a redirect leads to another origin; what comes from there is not read.
        redirect: mayRedirect ? "follow" : "error",
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(this.#options.timeoutMillis),
      });
      if (response.redirected && new URL(response.url).origin !== this.#origin) return NO_ANSWER;
      this.#options.onAnswer(response.headers.get("Date"));
      if (response.ok) return { value: await read(response), isRedirected: response.redirected };
      const problem = await response
        .text()
        .then(parseJson)
        .catch(() => undefined);
      // A refusal of what a redirect led to says nothing about the request itself.
      if (response.redirected && method !== "GET") return NO_ANSWER;
      const failure = failureOf(response.status, response.headers.get("Retry-After"), problem, this.#options.now());
      const isEntrypoint = mayRedirect && method === "GET" && !response.redirected;
      return isEntrypoint && response.status === 403
        ? { ...failure, rejection: { message: messageOf(problem) } }
        : failure;
    } catch {
      return NO_ANSWER;
    }
  }
}

const SIGNED_OUT: Failure = { failure: "signed-out", status: 401, retryAfterMillis: undefined, fields: {} };

const jsonBody = (value: object): { body: string; contentType: string } => ({
  body: stringifyJson(value),
  contentType: "application/json",
});

const jsonOf = async (response: Response): Promise<Json> => parseJson(await response.text());

/** A cache in between may have mixed up answers. */
async function readTransferOf(uuid: string, response: Response): Promise<ApiTransfer> {
  const transfer = readTransfer(await jsonOf(response));
  if (transfer.uuid !== uuid) throw new FormatError("Another transfer");
  return transfer;
}
