/** The OAuth 2 part: codes with PKCE for people, client credentials for programs, opaque tokens, introspection. */
import { generateKeyPairSync } from "node:crypto";
import type { Provider } from "oidc-provider";
import type { Pool } from "../../src/database/database.ts";
import type { Logger } from "../../src/runtime/log.ts";
import { apiScopesOf, type ConfidentialClients, describeClients, type RedirectUris } from "./clients.ts";
import { renderProblem } from "./pages.ts";
import { createRecordAdapter } from "./record-adapter.ts";
import { findSecret, makeRandomSecret } from "./storage.ts";

/** The audience of all tokens: the debtors agent. Only a name; nothing can be fetched there. */
export const API = "urn:swpt-debtors:api";

/** The paths, as Ory Hydra has them. */
export const paths = {
  authorization: "/oauth2/auth",
  token: "/oauth2/token",
  introspection: "/oauth2/introspect",
  revocation: "/oauth2/revoke",
} as const;

/** Why the authorization server cannot start, in one line. */
export class AuthorizationServerUnavailableError extends Error {
  override readonly name = "AuthorizationServerUnavailableError";
}

const HOUR = 3600;
const DAY = 24 * HOUR;

export interface ProviderOptions {
  readonly pool: Pool;
  readonly issuer: string;
  readonly clients: ConfidentialClients;
  readonly redirectUris: RedirectUris;
  readonly log: Logger;
}

/** Creates the provider. Throws AuthorizationServerUnavailableError when the package is not installed. */
export async function createProvider({ pool, issuer, clients, redirectUris, log }: ProviderOptions): Promise<Provider> {
  const jwk = JSON.parse(await findSecret(pool, "signing key", makeSigningKey)) as object;
  const cookieKey = await findSecret(pool, "cookie key", makeRandomSecret);
  const { Provider } = await importQuietly();
  const provider = new Provider(issuer, {
    adapter: createRecordAdapter(pool),
    clients: describeClients(clients, redirectUris),
    jwks: { keys: [jwk] },
    cookies: { keys: [cookieKey] },
    routes: paths,
    // The scopes of the API must not be here, or consent is asked for again and again.
    scopes: ["openid", "offline_access"],
    pkce: { required: () => true },
    clientBasedCORS: () => true,
    issueRefreshToken: async (_context, client) => client.grantTypeAllowed("refresh_token"),
    ttl: {
      AccessToken: HOUR,
      AuthorizationCode: 10 * 60,
      ClientCredentials: HOUR,
      Grant: 30 * DAY,
      IdToken: HOUR,
      Interaction: HOUR,
      RefreshToken: 30 * DAY,
      Session: 14 * DAY,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (_context, client, token) => token.clientId === client.clientId },
      introspection: {
        enabled: true,
        // A refresh token is not active for the agent: the answer could not distinguish it from an access token.
        allowedPolicy: (_context, client, token) =>
          client.clientId === clients.resourceServer.clientId && token.kind !== "RefreshToken",
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => API,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, _resource, client) => ({
          scope: apiScopesOf(client.clientId),
          audience: API,
          accessTokenFormat: "opaque",
        }),
      },
    },
    // With client credentials the subject is the client itself, as with Ory Hydra.
    extraTokenClaims: (_context, token) =>
      token.kind === "ClientCredentials"
        ? { sub: token.clientId, username: token.clientId }
        : { username: token.accountId },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    // An account's ID is the subject that the agent sees: `debtors:<unsigned debtor ID>`.
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    renderError(context, { error, error_description: description }) {
      context.type = "html";
      context.body = renderProblem(description ?? error);
    },
  });
  // Behind a proxy it is called by https, and says so in its cookies and redirects.
  provider.proxy = issuer.startsWith("https:");
  provider.on("server_error", (_context, error) => log.error({ err: error }, "The authorization server failed"));
  return provider;
}

function makeSigningKey(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return JSON.stringify({ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: makeRandomSecret() });
}

/** The library warns on the console about every Node.js that is not yet a long-term support release. */
async function importQuietly(): Promise<typeof import("oidc-provider")> {
  const { warn } = console;
  console.warn = (text: string, ...others: unknown[]) => {
    if (!text.includes("Unsupported runtime")) warn(text, ...others);
  };
  try {
    return await import("oidc-provider");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new AuthorizationServerUnavailableError(
      "The package oidc-provider is not installed: run `npm install`, without --omit",
      { cause: error },
    );
  } finally {
    console.warn = warn;
  }
}
