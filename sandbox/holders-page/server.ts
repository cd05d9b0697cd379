/**
 * A page for demonstrations: who holds the issued money, and what holders do with it. NOT FOR PRODUCTION: anyone who
 * reaches it can do everything, so it listens on the loopback interface only.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Pool } from "../../src/database/database.ts";
import type { Logger } from "../../src/runtime/log.ts";
import { formatUnsigned, INT64_MAX, parsePathId } from "../../src/values/int64.ts";
import type { HolderBook } from "../accounting-authority/holder-book.ts";
import { HolderError } from "../accounting-authority/holders.ts";
import { listCurrencies } from "../accounting-authority/store.ts";
import { makeRandomSecret } from "../authorization-server/storage.ts";
import { csrfTokenOf, FormError, readForm } from "../web/forms.ts";
import { sendPage, stylesheet } from "../web/page.ts";
import { renderCurrencies, renderCurrency, renderProblem, renderRequest } from "./pages.ts";
import { renderQrCode, writePaymentRequest } from "./payment-request.ts";

export interface HoldersPageOptions {
  readonly pool: Pool;
  readonly book: HolderBook;
  /** 0 for a free one. */
  readonly port: number;
  readonly log: Logger;
}

/** The running server. */
export interface HoldersPage {
  readonly url: string;
  close(): Promise<void>;
}

const CURRENCIES_MAX = 100;

/** Starts to serve the page. */
export async function startHoldersPage(options: HoldersPageOptions): Promise<HoldersPage> {
  const { pool, book, log } = options;
  const csrfToken = csrfTokenOf(makeRandomSecret(), "holders");
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (error instanceof FormError) return sendPage(response, 403, renderProblem(error.message));
      log.error({ err: error }, "The holders' page failed");
      sendPage(response, 500, renderProblem("Something went wrong."));
    });
  });
  server.listen(options.port, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  // Another name that resolves to this machine could belong to an attacker (DNS rebinding).
  const hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!hosts.has(request.headers.host ?? "")) {
      return sendPage(response, 421, renderProblem("This is not the name of this server."));
    }
    const path = (request.url ?? "").split("?")[0]!;
    if (path === "/style.css") return void response.writeHead(200, { "Content-Type": "text/css" }).end(stylesheet);
    if (path === "/") return sendPage(response, 200, renderCurrencies(await listCurrencies(pool, CURRENCIES_MAX)));
    const [, id = "", step = "", ...others] = path.split("/");
    const debtorId = parsePathId(id);
    const take = others.length === 0 ? steps[`${request.method} ${step}`] : undefined;
    if (debtorId === undefined || take === undefined) {
      return sendPage(response, 404, renderProblem("There is no such page."));
    }
    await take(debtorId, request, response);
  }

  const steps: Readonly<
    Record<string, (debtorId: bigint, request: IncomingMessage, response: ServerResponse) => Promise<void>>
  > = {
    "GET ": (debtorId, _request, response) => show(debtorId, response),
    "GET request": showRequest,
    "GET request.pr0": async (debtorId, request, response) => {
      const { text } = readRequestForm(debtorId, queryOf(request));
      response
        .writeHead(200, {
          "Content-Type": "application/vnd.swaptacular.pr0",
          "Content-Disposition": 'attachment; filename="request.pr0"',
          "Cache-Control": "no-store",
          "X-Content-Type-Options": "nosniff",
        })
        .end(text);
    },
    "POST holders": async (debtorId, request, response) => {
      const form = await readForm(request, csrfToken);
      const creditorId = parsePathId(form.get("holder") ?? "");
      await change(debtorId, response, async () => {
        if (creditorId === undefined) throw new HolderError("The number of a holder is an integer below 2^64");
        await book.createHolder(debtorId, creditorId);
      });
    },
    "POST payments": async (debtorId, request, response) => {
      const form = await readForm(request, csrfToken);
      const [sender, recipient] = ["sender", "recipient"].map((name) => parsePathId(form.get(name) ?? ""));
      const amount = parseAmount(form.get("amount") ?? "");
      await change(debtorId, response, async () => {
        if (sender === undefined || recipient === undefined) throw new HolderError("There is no such holder");
        if (amount === undefined) throw new HolderError("The amount of a payment is an integer");
        await book.pay({ debtorId, sender, recipient, amount });
      });
    },
  };

  async function show(debtorId: bigint, response: ServerResponse, error?: HolderError): Promise<void> {
    const balances = await book.balances(debtorId);
    const problem = error && `${error.message}.`;
    sendPage(response, error ? 422 : 200, renderCurrency({ debtorId, balances, csrfToken, problem }));
  }

  /** Remembers in the address what the holder had before, so that the page can show what has arrived. */
  async function showRequest(debtorId: bigint, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const query = queryOf(request);
    const { creditorId, amount, text } = readRequestForm(debtorId, query);
    const { holders } = await book.balances(debtorId);
    const balance = holders.find((holder) => holder.creditorId === creditorId)?.balance ?? 0n;
    const before = parseAmount(query.get("before") ?? "");
    const path = `/${formatUnsigned(debtorId)}/request`;
    if (before === undefined) {
      query.set("before", String(balance));
      response.writeHead(303, { Location: `${path}?${query}` }).end();
      return;
    }
    const qrCode = await renderQrCode(text, "QR code of the payment request").catch(() => undefined);
    const filePath = `${path}.pr0?${query}`;
    sendPage(
      response,
      200,
      renderRequest({ debtorId, creditorId, amount, balance, balanceBefore: before, text, qrCode, filePath }),
    );
  }

  /** Sends the browser back to the currency, so that reloading the page does not repeat the action. */
  async function change(debtorId: bigint, response: ServerResponse, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (error instanceof HolderError) return show(debtorId, response, error);
      throw error;
    }
    response.writeHead(303, { Location: `/${formatUnsigned(debtorId)}` }).end();
  }

  return {
    url: `http://127.0.0.1:${port}/`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

const queryOf = (request: IncomingMessage): URLSearchParams =>
  new URLSearchParams((request.url ?? "").split("?").slice(1).join("?"));

interface RequestForm {
  readonly creditorId: bigint;
  readonly amount: bigint;
  /** As `PR0`. */
  readonly text: string;
}

/** Throws a FormError when a number is wrong. */
function readRequestForm(debtorId: bigint, form: URLSearchParams): RequestForm {
  const creditorId = parsePathId(form.get("holder") ?? "");
  const amount = parseAmount(form.get("amount") || "0");
  if (creditorId === undefined) throw new FormError("The number of a holder is an integer below 2^64.");
  if (amount === undefined) throw new FormError("The amount is an integer, in tokens.");
  const text = writePaymentRequest({
    accountUri: `swpt:${formatUnsigned(debtorId)}/${formatUnsigned(creditorId)}`,
    name: (form.get("name") ?? "").slice(0, 200),
    amount,
    reference: (form.get("reference") ?? "").slice(0, 200),
    reason: (form.get("reason") ?? "").slice(0, 500),
  });
  return { creditorId, amount, text };
}

function parseAmount(text: string): bigint | undefined {
  const amount = /^[0-9]{1,19}$/.test(text) ? BigInt(text) : undefined;
  return amount !== undefined && amount <= INT64_MAX ? amount : undefined;
}
