/** The OpenAPI document, built from the route table, the schemas and the texts. */
import { routes } from "../routes/route-table.ts";
import type { OpenApiDocument, OperationObject } from "./openapi-objects.ts";
import { operationObject } from "./operation-objects.ts";
import type { Components } from "./schema-objects.ts";
import { type AuthorizationEndpoints, endpointsAt, securitySchemes } from "./security.ts";

/**
 * Builds the document, for `JSON.stringify`, which writes its bounds exactly. The origin of the authorization server is
 * empty when it has the same origin as this server. Spec: http-api, "health and docs".
 */
export function buildOpenApiDocument(endpoints: AuthorizationEndpoints = endpointsAt("")): OpenApiDocument {
  const components: Components = new Map();
  const paths: Record<string, Record<string, OperationObject>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    paths[route.path]![route.method.toLowerCase()] = operationObject(route, components);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Simple Issuing Web API", version: "1.0.0", description },
    servers: [{ url: "/", description: "The server that this document comes from." }],
    tags: [
      { name: "admin", description: "Reserve, activate, restrict, deactivate and list debtors." },
      { name: "debtors", description: "View and configure a debtor." },
      { name: "transfers", description: "Issue money." },
      { name: "documents", description: "Publish documents." },
      { name: "health", description: "Check whether the server is up." },
      { name: "docs", description: "Read the documentation of this API." },
    ],
    paths,
    components: {
      schemas: Object.fromEntries(components) as OpenApiDocument["components"]["schemas"],
      securitySchemes: securitySchemes(endpoints),
    },
  };
}

const description = `The API of a Swaptacular debtors agent: issuers of currencies use it to configure their currency, to issue money and to publish documents.

To begin, get a token and send \`GET /debtors/.debtor\`: it redirects to your own debtor, which contains the addresses of everything else.

IDs and amounts are exact 64-bit integers: use a JSON library that does not round them. Texts are Unicode without NUL characters and lone surrogates.`;
