/** The page, signed in, before a stand-in for the node: for what the real node would take too long to do. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { BrowserContext, Page } from "playwright-core";
import { buildTestWebapp } from "../../support/webapp.ts";
import { StandInNode } from "../model/stand-in-node.ts";

/** A server of one origin: the page, and the API from memory. */
export interface StandInPage extends AsyncDisposable {
  readonly node: StandInNode;
  readonly origin: string;
  /** Saves a coin of two decimal places, with these members besides, and a configuration that leads to it. */
  publishCoin(members: object, otherConfig?: object): void;
  /** Opens a tab that has a token. */
  open(context: BrowserContext, place?: string): Promise<Page>;
  close(): Promise<void>;
}

/** Serves on this machine. */
export async function startStandInPage(): Promise<StandInPage> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const node = new StandInNode(Date.now, origin);
  const webapp = await buildTestWebapp({
    authorizationUrl: `${origin}/oauth2/auth`,
    tokenUrl: `${origin}/oauth2/token`,
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
    publishCoin: (members, otherConfig = {}) => {
      const coin = {
        type: "CoinInfo",
        revision: 1,
        latestDebtorInfo: { uri: `${origin}/debtors/7/public` },
        debtorIdentity: { type: "DebtorIdentity", uri: "swpt:7" },
        amountDivisor: 100,
        decimalPlaces: 2,
        ...members,
      };
      const info = { type: "DebtorInfo", ...node.saveDocument(JSON.stringify(coin)) };
      node.effectiveIri = info.iri;
      node.saveConfig(JSON.stringify({ type: "RootConfigData", rate: 0, info, ...otherConfig }));
    },
    open: (context, place) => openSignedIn(context, origin, place),
    close,
    [Symbol.asyncDispose]: close,
  };
}

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
