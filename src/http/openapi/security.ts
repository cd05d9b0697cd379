/** The ways to get a token, in the terms of OpenAPI. Spec: authorization, "Scopes by operation". */
import type { Scope } from "../auth/token-authenticator.ts";

/** The names of the ways to a token. */
const grantTypes = ["oauth2AuthorizationCode", "oauth2ClientCredentials"] as const;

/** What a token must grant, however it was obtained; nothing on the public routes. */
export const securityOf = (scope: Scope | null): readonly Readonly<Record<string, readonly string[]>>[] =>
  scope === null ? [] : grantTypes.map((grantType) => ({ [grantType]: [scope] }));

/** Where tokens come from, and what Swagger UI is called there. */
export interface AuthorizationEndpoints {
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  /** Of Swagger UI. */
  readonly clientId: string;
  /** With which Swagger UI begins, with spaces between. */
  readonly scope: string;
  readonly resource: string | null;
  readonly scopeNames: Readonly<Partial<Record<Scope, string>>>;
}

/** The endpoints at the paths of Ory Hydra. An empty origin is that of the document. */
export const endpointsAt = (origin: string): AuthorizationEndpoints => ({
  authorizationUrl: `${origin}/oauth2/auth`,
  tokenUrl: `${origin}/oauth2/token`,
  clientId: "swagger-ui",
  scope: "access",
  resource: null,
  scopeNames: {},
});

/** The OAuth 2 flows, with the scopes under the names of the authorization server. */
export const securitySchemes = ({
  authorizationUrl,
  tokenUrl,
  clientId,
  scope,
  resource,
  scopeNames,
}: AuthorizationEndpoints): Readonly<Record<(typeof grantTypes)[number], object>> => ({
  oauth2AuthorizationCode: {
    type: "oauth2",
    description: "For people: currency issuers and supervisors.",
    flows: { authorizationCode: { authorizationUrl, tokenUrl, scopes: namedBy(scopeNames) } },
    // For start.js.
    "x-swagger-ui": { clientId, scope, ...(resource !== null && { resource }) },
  },
  oauth2ClientCredentials: {
    type: "oauth2",
    description: "For programs that have a client ID and a secret.",
    flows: { clientCredentials: { tokenUrl, scopes: namedBy(scopeNames) } },
  },
});

const namedBy = (names: AuthorizationEndpoints["scopeNames"]): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(scopes).map(([scope, meaning]) => [names[scope as Scope] ?? scope, meaning]));

const scopes: Readonly<Record<Scope, string>> = {
  "access.readonly": "read",
  access: "read and write",
  activate: "reserve and activate debtors",
  deactivate: "deactivate debtors",
  restrict: "limit how much debtors can issue",
};
