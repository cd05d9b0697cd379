/** The ways to get a token, in the terms of OpenAPI. Spec: authorization, "Scopes by operation". */
import type { Scope } from "../auth/token-authenticator.ts";

/** The names of the ways to a token. */
const grantTypes = ["oauth2AuthorizationCode", "oauth2ClientCredentials"] as const;

/** What a token must grant, however it was obtained; nothing on the public routes. */
export const securityOf = (scope: Scope | null): readonly Readonly<Record<string, readonly string[]>>[] =>
  scope === null ? [] : grantTypes.map((grantType) => ({ [grantType]: [scope] }));

/** The OAuth 2 flows, at the paths of Ory Hydra. An empty origin is that of the document. */
export const securitySchemes = (origin: string): Readonly<Record<(typeof grantTypes)[number], object>> => ({
  oauth2AuthorizationCode: {
    type: "oauth2",
    description: "For people: currency issuers and supervisors.",
    flows: {
      authorizationCode: { authorizationUrl: `${origin}/oauth2/auth`, tokenUrl: `${origin}/oauth2/token`, scopes },
    },
  },
  oauth2ClientCredentials: {
    type: "oauth2",
    description: "For programs that have a client ID and a secret.",
    flows: { clientCredentials: { tokenUrl: `${origin}/oauth2/token`, scopes } },
  },
});

const scopes: Readonly<Record<Scope, string>> = {
  "access.readonly": "read",
  access: "read and write",
  activate: "reserve and activate debtors",
  deactivate: "deactivate debtors",
  restrict: "limit how much debtors can issue",
};
