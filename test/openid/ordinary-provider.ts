/**
 * The certified library `oidc-provider` as an ordinary OpenID provider that knows nothing of debtors: its own pages, where
 * each name that is entered has an account; subjects are those names, and access tokens JWTs or opaque.
 */
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { findFreePort } from "../support/command.ts";

/** What tokens are for. */
export const RESOURCE = "https://debtors.example.com/api";
const SECRET = "secret";

export interface OrdinaryProvider {
  readonly issuer: string;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly jwksUrl: string;
  /** With the credentials of the node. */
  readonly introspectUrl: string;
  close(): Promise<void>;
}

/** Starts it for the pages of a node. */
export async function startOrdinaryProvider(nodeUrl: string, format: "jwt" | "opaque"): Promise<OrdinaryProvider> {
  const { warn } = console;
  // It warns of every Node.js that has no long-term support yet, and of pages that are for trying out.
  console.warn = () => {};
  const { Provider } = await import("oidc-provider");
  const port = await findFreePort();
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const browserClient = (clientId: string, redirectUri: string) => ({
    client_id: clientId,
    application_type: "native" as const,
    token_endpoint_auth_method: "none" as const,
    grant_types: ["authorization_code", "refresh_token"],
    redirect_uris: [redirectUri],
  });
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "1" }] },
    cookies: { keys: ["a key for cookies"] },
    clients: [
      browserClient("debtors-webapp", `${nodeUrl}/debtors-webapp/`),
      browserClient("debtors-swagger", `${nodeUrl}/debtors/.docs/swagger-ui/oauth2-redirect.html`),
      { client_id: "node", client_secret: SECRET, grant_types: [], response_types: [], redirect_uris: [] },
    ],
    ttl: { AccessToken: 3600, Grant: 3600, IdToken: 3600, Interaction: 3600, Session: 3600 },
    clientBasedCORS: () => true,
    // Its form for trying out takes any name and password: a name that is new is signed up.
    features: {
      devInteractions: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_context, client) => client.clientId === "node" },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: "debtors:issue debtors:read",
          audience: RESOURCE,
          accessTokenFormat: format,
          ...(format === "jwt" && { jwt: { sign: { alg: "RS256" } } }),
        }),
      },
    },
    extraTokenClaims: () => ({ email_verified: true }),
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  });
  console.warn = warn;
  const serve = provider.callback();
  const server = createServer((request, response) => void serve(request, response)).listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    issuer,
    authorizationUrl: `${issuer}/auth`,
    tokenUrl: `${issuer}/token`,
    jwksUrl: `${issuer}/jwks`,
    introspectUrl: `http://node:${SECRET}@127.0.0.1:${port}/token/introspection`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
