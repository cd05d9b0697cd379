/** The OpenAPI document: made of the route table, the schemas that validate and serialize, and the texts. */
import { routes } from "../routes/route-table.ts";
import type { OpenApiDocument, OperationObject } from "./openapi-objects.ts";
import { operationObject } from "./operation-objects.ts";
import type { Components } from "./schema-objects.ts";
import { securitySchemes } from "./security.ts";

/**
 * Builds the document, for `JSON.stringify`, which writes its bounds exactly. The origin of the authorization server is
 * empty when it stands behind the same name as this server. Spec: http-api, "health and docs".
 */
export function buildOpenApiDocument(authorizationOrigin = ""): OpenApiDocument {
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
      { name: "health", description: "Ask whether the server is well." },
      { name: "docs", description: "Read about this API." },
    ],
    paths,
    components: {
      schemas: Object.fromEntries(components) as OpenApiDocument["components"]["schemas"],
      securitySchemes: securitySchemes(authorizationOrigin),
    },
  };
}

const description = `The API of a Swaptacular debtors agent: it lets the issuers of currencies configure themselves, issue money and publish documents.

To begin, get a token and ask \`GET /debtors/.debtor\`: it leads to your own debtor, in which you find where to go on.

IDs and amounts are integers of 64 bits, and exact: read and write them with a JSON library that keeps them so. Texts are Unicode without NUL characters and lone surrogates.`;
