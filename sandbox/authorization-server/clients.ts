/** The programs that may ask the authorization server for tokens: those of the existing installations. */
import type { ClientMetadata } from "oidc-provider";
import type { Pool } from "../../src/database/database.ts";
import { findSecret, makeRandomSecret } from "./storage.ts";

/** A program that logs in with a password of its own. */
export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** The clients that are not browsers. */
export interface ConfidentialClients {
  readonly superuser: ClientCredentials;
  readonly supervisor: ClientCredentials;
  /** The debtors agent, which may only introspect tokens. */
  readonly resourceServer: ClientCredentials;
}

/** Secrets that were given rather than generated. */
export type ClientSecrets = { readonly [Client in keyof ConfidentialClients]?: string | undefined };

/** Returns the given secrets and those of the other clients, which are created at the first start. */
export async function findConfidentialClients(pool: Pool, given: ClientSecrets = {}): Promise<ConfidentialClients> {
  const find = async (clientId: string, secret: string | undefined): Promise<ClientCredentials> => ({
    clientId,
    clientSecret: secret ?? (await findSecret(pool, `client ${clientId}`, makeRandomSecret)),
  });
  return {
    superuser: await find("debtors-superuser", given.superuser),
    supervisor: await find("debtors-supervisor", given.supervisor),
    resourceServer: await find("resource-server", given.resourceServer),
  };
}

/** The scopes of the debtors agent that a client may ask for. */
export const apiScopesOf = (clientId: string): string => apiScopes[clientId] ?? "";

const apiScopes: Readonly<Record<string, string>> = {
  "debtors-webapp": "access access.readonly",
  "swagger-ui": "access access.readonly activate deactivate restrict",
  "debtors-superuser": "access access.readonly activate deactivate restrict",
  "debtors-supervisor": "access.readonly activate",
};

/** How people are told who asks for access. */
export const clientNameOf = (clientId: string): string => clientNames[clientId] ?? clientId;

const clientNames: Readonly<Record<string, string>> = {
  "debtors-webapp": "the issuer’s web client",
  "swagger-ui": "Swagger UI",
};

/** Redirect URIs, by client. */
export interface RedirectUris {
  readonly webapp: readonly string[];
  readonly swaggerUi: readonly string[];
}

/** All clients, in the form that `oidc-provider` expects. */
export function describeClients(confidential: ConfidentialClients, redirectUris: RedirectUris): ClientMetadata[] {
  const browser = (clientId: string, uris: readonly string[]): ClientMetadata => ({
    client_id: clientId,
    // Native applications may use any port of the loopback interface (RFC 8252, 7.3), as developers' web servers do; but
    // there they may not use https.
    application_type: uris.every((uri) => uri.startsWith("https:")) ? "web" : "native",
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: [...uris],
  });
  const program = ({ clientId, clientSecret }: ClientCredentials, grantTypes: string[]): ClientMetadata => ({
    client_id: clientId,
    client_secret: clientSecret,
    grant_types: grantTypes,
    response_types: [],
    redirect_uris: [],
  });
  return [
    browser("debtors-webapp", redirectUris.webapp),
    browser("swagger-ui", redirectUris.swaggerUi),
    program(confidential.superuser, ["client_credentials"]),
    program(confidential.supervisor, ["client_credentials"]),
    program(confidential.resourceServer, []),
  ];
}
