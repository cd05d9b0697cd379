/** The page, signed in, before a stand-in for the node: for what the real node would take too long to do. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { buildWebappIfStale } from "../../../scripts/build-webapp.ts";
import { createWebapp } from "../../../src/http/webapp/webapp.ts";
import { StandInNode } from "../model/stand-in-node.ts";

/** A server of one origin: the page, and the API from memory. */
export interface StandInPage extends AsyncDisposable {
  readonly node: StandInNode;
  readonly origin: string;
  /** Opens a tab that has a token. */
  open(context: BrowserContext, place?: string): Promise<Page>;
  close(): Promise<void>;
}

const limits = { maxTransfersPerMonth: 20_000, documentMaxContentLength: 50_000, version: "1.2.3" };

/** Serves on this machine; `host` is the name by which browsers know it. */
export async function startStandInPage(host = "127.0.0.1"): Promise<StandInPage> {
  await buildWebappIfStale();
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://${host}:${(server.address() as AddressInfo).port}`;
  const node = new StandInNode(Date.now, origin);
  const webapp = createWebapp({
    folder: fileURLToPath(new URL("../../../webapp/dist/", import.meta.url)),
    settings: { ...settings, authorizationUrl: `${origin}/oauth2/auth`, tokenUrl: `${origin}/oauth2/token` },
    allowLoopbackDocuments: true,
    ...limits,
  });
  server.on("request", (request, response) => {
    const page = webapp.answer(request);
    if (page !== undefined) return void response.writeHead(page.status, page.headers).end(page.body);
    answerAsNode(node, origin, request).then(
      async (answer) => {
        const location = answer.headers.get("location");
        response.writeHead(answer.status, Object.fromEntries(answer.headers));
        response.end(location === null || answer.body !== null ? Buffer.from(await answer.arrayBuffer()) : undefined);
      },
      () => response.destroy(),
    );
  });
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await (server as Server & AsyncDisposable)[Symbol.asyncDispose]();
  };
  return {
    node,
    origin,
    open: (context, place) => openSignedIn(context, origin, place),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const settings = {
  revocationUrl: null,
  clientId: "debtors-webapp",
  scope: "access",
  resource: null,
  redirectUrl: null,
  siteTitle: "Seven",
  serverApiEntrypoint: "/debtors/.debtor",
  serverApiTimeout: 8000,
  transferDeletionDelaySeconds: 1296000,
  defaultAmountDivisor: "100",
  defaultDecimalPlaces: 2,
  defaultPegAbbr: null,
  defaultPegCoin: null,
  registerIssuerUrl: null,
  installWalletUrl: null,
} as const;

async function answerAsNode(node: StandInNode, origin: string, request: IncomingMessage): Promise<Response> {
  const url = new URL(request.url!, origin);
  if (request.method === "GET" && url.pathname === "/debtors/7/public" && node.effectiveIri !== undefined)
    return new Response(null, { status: 302, headers: { location: node.effectiveIri } });
  const document = node.documents.get(url.href);
  if (document !== undefined)
    return new Response(document.bytes, { headers: { "content-type": document.contentType } });
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  const headers = { "Content-Type": request.headers["content-type"] ?? "" };
  return node.fetch(url, { method: request.method!, headers, ...(body === "" ? {} : { body }) });
}

async function openSignedIn(context: BrowserContext, origin: string, place = "/"): Promise<Page> {
  const page = await context.newPage();
  await page.addInitScript(() => sessionStorage.setItem("issuer tokens", '{"accessToken":"T"}'));
  await page.goto(`${origin}/debtors-webapp/#${place}`);
  return page;
}
