/** Answers as the node's API does, from memory, and loses what the test wants lost. Time is the test's. */
import { createHash, randomUUID } from "node:crypto";
import { parseJson, stringifyJson } from "../../../src/values/json.ts";

export const ORIGIN = "https://x.example";

export interface StandInTransfer {
  transferUuid: string;
  recipient: { uri: string };
  amount: bigint;
  noteFormat: string;
  note: string;
  initiatedAt: string;
  result?: object;
}

/** What happens to a request: its answer is lost or never comes, it is lost itself, arrives later than anybody waits, or is refused. */
export type Fault =
  | "lose-answer"
  | "never-answer"
  | "lose-request"
  | { readonly delayMillis: number }
  | { readonly status: number; readonly retryAfter?: string };

interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

export class StandInNode {
  readonly requests: SeenRequest[] = [];
  readonly transfers = new Map<string, StandInTransfer>();
  readonly documents = new Map<string, { bytes: Uint8Array<ArrayBuffer>; contentType: string }>();
  balance = 0n;
  minBalance = -(2n ** 63n) + 1n;
  noteMaxBytes = 500;
  accountUri: string | undefined = "swpt:7/0";
  configError: string | undefined;
  isActive = true;
  config = { configData: "", latestUpdateId: 1n, latestUpdateAt: "2026-11-26T09:00:00+00:00" };
  /** Where `publicInfoDocument` leads to: the configuration that is in effect. */
  effectiveIri: string | undefined;
  /** Asked for each request. */
  fault: (request: SeenRequest) => Fault | undefined = () => undefined;
  /** Called for each new transfer. */
  onTransfer: (transfer: StandInTransfer) => void = () => {};
  readonly #now: () => number;
  readonly #origin: string;
  /** Requests that are still on their way. */
  readonly #delayed: { readonly at: number; readonly request: SeenRequest; readonly init: RequestInit | undefined }[] =
    [];

  constructor(now: () => number, origin = ORIGIN) {
    this.#now = now;
    this.#origin = origin;
  }

  count(method: string, path: RegExp): number {
    return this.requests.filter((request) => request.method === method && path.test(request.path)).length;
  }

  isoNow(): string {
    return new Date(this.#now()).toISOString().replace("Z", "000+00:00");
  }

  finalize(uuid: string, error?: object): void {
    const transfer = this.transfers.get(uuid)!;
    const committedAmount = error === undefined ? transfer.amount : 0n;
    transfer.result = { type: "TransferResult", finalizedAt: this.isoNow(), committedAmount, ...(error && { error }) };
  }

  saveDocument(
    text: string,
    contentType = "application/vnd.swaptacular.coin-info+json",
  ): { iri: string; contentType: string; sha256: string } {
    const bytes = new TextEncoder().encode(text);
    const iri = `${this.#origin}/debtors/7/documents/${this.documents.size + 1}/public`;
    this.documents.set(iri, { bytes, contentType });
    return { iri, contentType, sha256: createHash("sha256").update(text).digest("hex").toUpperCase() };
  }

  /** A configuration that another client saves. */
  saveConfig(configData: string): void {
    this.config = { configData, latestUpdateId: this.config.latestUpdateId + 1n, latestUpdateAt: this.isoNow() };
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const url = new URL(String(input));
    const method = init?.method ?? "GET";
    const body =
      typeof init?.body === "string"
        ? init.body
        : init?.body instanceof Uint8Array
          ? new TextDecoder().decode(init.body)
          : "";
    const request = { method, path: url.pathname, body };
    this.requests.push(request);
    const fault = this.fault(request);
    this.arrive();
    if (typeof fault === "object" && "delayMillis" in fault) {
      this.#delayed.push({ at: this.#now() + fault.delayMillis, request, init });
      throw new TypeError("Failed to fetch");
    }
    if (fault === "lose-request") throw new TypeError("Failed to fetch");
    if (typeof fault === "object") {
      const date = { Date: new Date(this.#now()).toUTCString() };
      const headers: Record<string, string> =
        fault.retryAfter === undefined ? date : { ...date, "Retry-After": fault.retryAfter };
      return new Response("{}", { status: fault.status, headers });
    }
    const response = this.#answer(request, init);
    if (fault === "lose-answer") throw new TypeError("Failed to fetch");
    if (fault === "never-answer") return new Promise(() => {});
    response.headers.set("Date", new Date(this.#now()).toUTCString());
    if (!response.url) Object.defineProperty(response, "url", { value: url.href });
    return response;
  };

  readonly fetchDocument = async (url: string) => {
    const target = url === `${this.#origin}/debtors/7/public` ? this.effectiveIri : url;
    const document = this.documents.get(target ?? "");
    if (document === undefined) throw new Error("status 404");
    return { url: target!, ...document };
  };

  /** Answers the requests that have arrived by now. */
  arrive(): void {
    for (const delayed of this.#delayed.splice(0)) {
      if (delayed.at <= this.#now()) this.#answer(delayed.request, delayed.init);
      else this.#delayed.push(delayed);
    }
  }

  #answer({ method, path, body }: SeenRequest, init: RequestInit | undefined): Response {
    if (path === "/debtors/.debtor" || path === "/debtors/7/") {
      const response = this.isActive ? json(200, this.#debtor()) : json(403, {});
      Object.defineProperty(response, "url", { value: `${this.#origin}/debtors/7/` });
      Object.defineProperty(response, "redirected", { value: path === "/debtors/.debtor" });
      return response;
    }
    if (!this.isActive) return json(404, {});
    if (path === "/debtors/7/config") return this.#updateConfig(body);
    if (path === "/debtors/7/documents/") {
      const saved = this.saveDocument(body, new Headers(init?.headers).get("Content-Type")!);
      return new Response(body, { status: 201, headers: { Location: saved.iri } });
    }
    if (path === "/debtors/7/transfers/" && method === "GET") {
      return json(200, { type: "TransfersList", items: [...this.transfers.keys()].map((uri) => ({ uri })) });
    }
    if (path === "/debtors/7/transfers/") return this.#createTransfer(parseJson(body) as never);
    return this.#transfer(method, path.split("/").at(-1)!);
  }

  #updateConfig(body: string): Response {
    const { configData, latestUpdateId } = parseJson(body) as { configData: string; latestUpdateId: bigint };
    const { config } = this;
    const isRepeated = latestUpdateId === config.latestUpdateId && configData === config.configData;
    if (!isRepeated && latestUpdateId !== config.latestUpdateId + 1n) return json(409, {});
    if (!isRepeated) this.config = { configData, latestUpdateId, latestUpdateAt: this.isoNow() };
    return json(200, { type: "DebtorConfig", uri: "/debtors/7/config", ...this.config });
  }

  #createTransfer({ type: _, ...request }: StandInTransfer & { type: string }): Response {
    const known = this.transfers.get(request.transferUuid);
    if (known !== undefined) return known.amount === request.amount ? json(200, this.#view(known)) : json(409, {});
    const transfer = { ...request, initiatedAt: this.isoNow() };
    this.transfers.set(transfer.transferUuid, transfer);
    this.onTransfer(transfer);
    return json(201, this.#view(transfer));
  }

  #transfer(method: string, uuid: string): Response {
    const transfer = this.transfers.get(uuid);
    if (method === "DELETE") {
      this.transfers.delete(uuid);
      return new Response(null, { status: 204 });
    }
    if (transfer === undefined) return json(404, {});
    if (method === "POST") {
      if (transfer.result !== undefined) return json(403, {});
      this.finalize(uuid, { type: "TransferError", errorCode: "CANCELED_BY_THE_SENDER" });
    }
    return json(200, this.#view(transfer));
  }

  #view(transfer: StandInTransfer): object {
    const elapsed = Math.max(20_000, this.#now() - Date.parse(transfer.initiatedAt));
    const checkupAt = new Date(this.#now() + elapsed).toISOString();
    return { type: "Transfer", ...transfer, ...(transfer.result === undefined && { checkupAt }) };
  }

  #debtor(): object {
    const reference = (path: string) => ({ uri: `/debtors/7/${path}` });
    return {
      type: "Debtor",
      uri: "/debtors/7/",
      identity: { type: "DebtorIdentity", uri: "swpt:7" },
      config: { type: "DebtorConfig", ...reference("config"), ...this.config },
      transfersList: reference("transfers/"),
      createTransfer: reference("transfers/"),
      saveDocument: reference("documents/"),
      publicInfoDocument: reference("public"),
      createdAt: "2026-11-01T00:00:00+00:00",
      balance: this.balance,
      minBalance: this.minBalance,
      noteMaxBytes: BigInt(this.noteMaxBytes),
      ...(this.configError !== undefined && { configError: this.configError }),
      ...(this.accountUri !== undefined && { account: { type: "AccountIdentity", uri: this.accountUri } }),
    };
  }
}

const json = (status: number, body: object): Response =>
  new Response(stringifyJson(body), { status, headers: { "Content-Type": "application/json" } });

/** A transfer as another client makes it. */
export const foreignTransfer = (change: Partial<StandInTransfer> = {}): StandInTransfer => ({
  transferUuid: randomUUID(),
  recipient: { uri: "swpt:7/18" },
  amount: 5n,
  noteFormat: "",
  note: "",
  initiatedAt: "2026-11-26T09:30:00.000001+00:00",
  ...change,
});
