/** The OpenAPI document: made of the route table, the schemas that validate and serialize, and the texts. */

import { reasonOf } from "../errors.ts";
import type { Scope } from "../gate/gate.ts";
import { type Route, routeTable } from "../route-table.ts";
import { ErrorBody } from "../schemas/errors.ts";
import { operationTexts, type ResponseText } from "./operations.ts";
import { type Components, schemaObject } from "./schema-objects.ts";

/** What the readers of the document in this program look at. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>>; readonly securitySchemes: object };
}

export interface OperationObject {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
  readonly security: readonly object[];
}

/** Builds the document, for `JSON.stringify`, which writes its bounds exactly. Spec: http-api, "health and docs". */
export function buildOpenApiDocument(): OpenApiDocument {
  const components: Components = new Map();
  const paths: Record<string, Record<string, OperationObject>> = {};
  for (const route of routeTable as readonly Route[]) {
    paths[route.path] ??= {};
    paths[route.path]![route.method.toLowerCase()] = operationObject(route, components);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Simple Issuing Web API",
      version: "1.0.0",
      description:
        "The API of a Swaptacular debtors agent: it lets the issuers of currencies configure themselves, issue money and publish documents. IDs and amounts are integers of 64 bits, and exact: read and write them with a JSON library that keeps them so.",
    },
    tags: [
      { name: "admin", description: "Reserve, activate, restrict, deactivate and list debtors." },
      { name: "debtors", description: "View and configure a debtor." },
      { name: "transfers", description: "Issue money." },
      { name: "documents", description: "Publish documents." },
      { name: "health", description: "Ask whether the server is well." },
      { name: "docs", description: "Read about this API." },
    ],
    paths,
    components: { schemas: Object.fromEntries(components), securitySchemes },
  };
}

function operationObject(route: Route, components: Components): OperationObject {
  const { summary, description, tag, request, responses } = operationTexts[route.operationId];
  const parameters = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => parameterObject(name!));
  return {
    operationId: route.operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(request === undefined ? {} : { requestBody: { content: contentOf(request, components) } }),
    responses: Object.fromEntries(
      Object.entries({ ...commonFailuresOf(route), ...responses }).map(([status, response]) => [
        status,
        responseObject(Number(status), response, components),
      ]),
    ),
    security: route.scope === null ? [] : grantTypes.map((grantType) => ({ [grantType]: [route.scope] })),
  };
}

/** What can go wrong with every operation of its kind. */
function commonFailuresOf(route: Route): Record<number, ResponseText> {
  const { request } = operationTexts[route.operationId];
  return {
    ...(route.scope === null
      ? {}
      : {
          401: { description: "There is no valid access token." },
          403: { description: "The token does not grant the scope, or the caller may not do this." },
          503: {
            description: "The server can not serve this request at the moment; `Retry-After` says when to try again.",
          },
        }),
    ...(route.path.includes("{") ? { 404: { description: "There is no such object on this server." } } : {}),
    ...(request === undefined || Array.isArray(request)
      ? {}
      : {
          400: { description: "The body is not a JSON document." },
          413: { description: "The body is too large." },
          422: { description: "Some fields are wrong; `errors` tells which." },
        }),
  };
}

function responseObject(
  status: number,
  { description, schema, content, hasLocation }: ResponseText,
  components: Components,
) {
  const body = status >= 400 ? ErrorBody : (schema ?? content);
  return {
    description: status >= 400 ? `${reasonOf(status)}. ${description}` : description,
    ...(hasLocation
      ? { headers: { Location: { description: "An absolute URL.", schema: { type: "string", format: "uri" } } } }
      : {}),
    ...(body === undefined ? {} : { content: contentOf(body, components) }),
  };
}

function contentOf(body: object | readonly string[], components: Components): object {
  return Array.isArray(body)
    ? Object.fromEntries(body.map((contentType: string) => [contentType, { schema: {} }]))
    : { "application/json": { schema: schemaObject(body, components) } };
}

const unsigned = { type: "string", pattern: "^(0|[1-9][0-9]{0,19})$" };
const parameterSchemas: Readonly<Record<string, { description: string; schema: object; example: string }>> = {
  debtorId: { description: "The debtor ID, as an unsigned decimal.", schema: unsigned, example: "1" },
  transferUuid: {
    description: "The UUID of the transfer.",
    schema: { type: "string", format: "uuid" },
    example: "123e4567-e89b-12d3-a456-426655440000",
  },
  documentId: { description: "The ID of the document, as an unsigned decimal.", schema: unsigned, example: "1" },
  asset: { description: "The name of the part.", schema: { type: "string" }, example: "swagger-ui.css" },
};

const parameterObject = (name: string): object => ({ name, in: "path", required: true, ...parameterSchemas[name] });

const grantTypes = ["oauth2AuthorizationCode", "oauth2ClientCredentials"] as const;

const scopes: Readonly<Record<Scope, string>> = {
  "access.readonly": "read",
  access: "read and write",
  activate: "reserve and activate debtors",
  deactivate: "deactivate debtors",
  restrict: "limit how much debtors can issue",
};

// Relative to the server: authorization servers stand behind the same name, at the paths that Ory Hydra has.
const securitySchemes: Readonly<Record<(typeof grantTypes)[number], object>> = {
  oauth2AuthorizationCode: {
    type: "oauth2",
    description: "For people: currency issuers, and supervisors.",
    flows: { authorizationCode: { authorizationUrl: "/oauth2/auth", tokenUrl: "/oauth2/token", scopes } },
  },
  oauth2ClientCredentials: {
    type: "oauth2",
    description: "For programs.",
    flows: { clientCredentials: { tokenUrl: "/oauth2/token", scopes } },
  },
};
