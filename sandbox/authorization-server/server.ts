/**
 * The authorization server of the sandbox. NOT FOR PRODUCTION: it speaks plain HTTP, on the loopback interface unless told
 * otherwise, and anyone can sign up. See README.md.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Pool } from "../../src/database/database.ts";
import type { Logger } from "../../src/runtime/log.ts";
import { sendPage, stylesheet } from "../web/page.ts";
import { type ClientSecrets, type ConfidentialClients, findConfidentialClients, type RedirectUris } from "./clients.ts";
import { createNewDebtors } from "./new-debtors.ts";
import { renderProblem } from "./pages.ts";
import { createProvider, paths } from "./provider.ts";
import { deleteExpiredRecords } from "./record-adapter.ts";
import { createSignIn } from "./sign-in.ts";
import { findSecret, makeRandomSecret, prepareStorage } from "./storage.ts";

export interface AuthorizationServerOptions {
  readonly pool: Pool;
  /** 0 for a free one. */
  readonly port: number;
  /** The address to listen on. Default: 127.0.0.1. */
  readonly host?: string;
  /** Its address for browsers. Default: `http://127.0.0.1:<port>`; its host must be one of the loopback interface, or a proxy's. */
  readonly issuer?: string | undefined;
  /** `http://host:port`, its address for a debtors agent on another machine. */
  readonly internalUrl?: string | undefined;
  /** Secrets of clients that must be known beforehand. Default: random ones that stay the same. */
  readonly clientSecrets?: ClientSecrets;
  /** `http://host:port` of the debtors agent, which creates a debtor for each new user. */
  readonly nodeUrl: string;
  /** Further redirect URIs of the clients for browsers, besides pages of the agent. Any port of a loopback host is allowed. */
  readonly redirectUris?: { readonly [Client in keyof RedirectUris]?: RedirectUris[Client] | undefined };
  readonly log: Logger;
}

/** The running server. */
export interface AuthorizationServer {
  /** The issuer: `http://host:port`. */
  readonly url: string;
  readonly tokenUrl: string;
  /** For browsers, like the next two. */
  readonly authorizationUrl: string;
  readonly publicTokenUrl: string;
  readonly revocationUrl: string;
  /** For OAUTH2_INTROSPECT_URL, with the credentials of the client `resource-server` in it: do not log it. */
  readonly introspectUrl: string;
  /** The clients that are not browsers, with their secrets. */
  readonly clients: ConfidentialClients;
  close(): Promise<void>;
}

const CLEANING_MILLIS = 10 * 60 * 1000;

/** Starts the server. Rejects with an AuthorizationServerUnavailableError when that is impossible here. */
export async function startAuthorizationServer(options: AuthorizationServerOptions): Promise<AuthorizationServer> {
  const { pool, nodeUrl, log } = options;
  await prepareStorage(pool);
  await deleteExpiredRecords(pool);
  const clients = await findConfidentialClients(pool, options.clientSecrets);

  let answer = async (_request: IncomingMessage, response: ServerResponse): Promise<void> =>
    sendPage(response, 503, renderProblem("Starting. Try again in a moment."));
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      log.error({ err: error }, "The authorization server failed");
      if (!response.headersSent) sendPage(response, 500, renderProblem("Something went wrong. Try again in a while."));
      else response.destroy();
    });
  });
  server.listen(options.port, options.host ?? "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = options.issuer ?? `http://127.0.0.1:${port}`;
  const tokenUrl = `http://127.0.0.1:${port}${paths.token}`;

  const provider = await createProvider({
    pool,
    issuer: url,
    clients,
    redirectUris: {
      webapp: options.redirectUris?.webapp ?? webappRedirects,
      swaggerUi: options.redirectUris?.swaggerUi ?? swaggerUiRedirects(nodeUrl),
    },
    log,
  });
  const signIn = createSignIn({
    provider,
    pool,
    newDebtors: createNewDebtors({ nodeUrl, tokenUrl, credentials: clients.supervisor }),
    csrfKey: await findSecret(pool, "CSRF key", makeRandomSecret),
    origin: new URL(url).origin,
  });
  const serveOAuth = provider.callback();
  // Another name that resolves to this machine could belong to an attacker (DNS rebinding).
  const hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`, new URL(url).host]);
  if (options.internalUrl !== undefined) hosts.add(new URL(options.internalUrl).host);
  answer = async (request, response) => {
    if (!hosts.has(request.headers.host ?? "")) {
      return sendPage(response, 421, renderProblem("This is not the name of this server."));
    }
    const pathname = (request.url ?? "").split("?")[0]!;
    if (pathname === "/style.css") {
      response.writeHead(200, { "Content-Type": "text/css" }).end(stylesheet);
      return;
    }
    return pathname.startsWith("/interaction/") ? signIn(request, response) : serveOAuth(request, response);
  };

  const cleaning = setInterval(() => {
    deleteExpiredRecords(pool).catch((error: unknown) => log.warn({ err: error }, "Expired tokens stay for now"));
  }, CLEANING_MILLIS).unref();
  const { clientId, clientSecret } = clients.resourceServer;
  return {
    url,
    tokenUrl,
    authorizationUrl: url + paths.authorization,
    publicTokenUrl: url + paths.token,
    revocationUrl: url + paths.revocation,
    introspectUrl: `http://${clientId}:${encodeURIComponent(clientSecret)}@127.0.0.1:${port}${paths.introspection}`,
    clients,
    async close() {
      clearInterval(cleaning);
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** The node's own page, and that of a developer's web server; the port is not looked at (RFC 8252, 7.3). */
const webappRedirects = ["127.0.0.1", "localhost"].flatMap((host) =>
  ["/", "/debtors-webapp/"].map((path) => `http://${host}${path}`),
);

/** Swagger UI's page, under either name of this machine. */
function swaggerUiRedirects(nodeUrl: string): string[] {
  const path = "/debtors/.docs/swagger-ui/oauth2-redirect.html";
  return ["127.0.0.1", "localhost"].map((host) => new URL(path, nodeUrl).href.replace(new URL(nodeUrl).hostname, host));
}
