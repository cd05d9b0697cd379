/** One operation in the terms of OpenAPI. */
import { errorBody, reasonOf } from "../response/errors.ts";
import type { ParameterName, Route } from "../routes/route-table.ts";
import { ErrorBody } from "../schemas/errors.ts";
import { exampleOf } from "./examples.ts";
import type { Content, OperationObject, ResponseObject } from "./openapi-objects.ts";
import { operationTexts, type ResponseText } from "./operations.ts";
import { type Components, schemaObject } from "./schema-objects.ts";
import { securityOf } from "./security.ts";

/** Describes the route. The schemas that it names are added to the components. */
export function operationObject(route: Route, components: Components): OperationObject {
  const { summary, description, tag, request, responses } = operationTexts[route.operationId];
  const parameters = route.parameters.map(parameterObject);
  return {
    operationId: route.operationId,
    tags: [tag],
    summary,
    description,
    parameters: parameters.length === 0 ? undefined : parameters,
    requestBody: request && { content: contentOf(request, components) },
    responses: Object.fromEntries(
      Object.entries({ ...commonFailuresOf(route), ...responses }).map(([status, response]) => [
        status,
        responseObject(Number(status), response, components),
      ]),
    ),
    security: securityOf(route.scope),
  };
}

/** The failures that are common to all operations of that kind. */
function commonFailuresOf({ operationId, scope, access, parameters }: Route): Record<number, ResponseText> {
  const { request } = operationTexts[operationId];
  const failures: Record<number, ResponseText> = {};
  if (scope !== null) {
    failures[401] = { description: "There is no valid access token.", headers: { "WWW-Authenticate": challenge } };
    failures[403] = { description: "The token does not grant the scope, or the caller may not do this." };
  }
  if (access !== "public-any-shard") {
    failures[503] = { description: "The server cannot do this at the moment.", headers: { "Retry-After": pause } };
  }
  if (parameters.length > 0) failures[404] = { description: "There is no such object on this server." };
  if (request !== undefined) failures[415] = { description: "The body has a `Content-Encoding`." };
  if (request !== undefined && !Array.isArray(request)) {
    failures[400] = { description: "The body is not a JSON document." };
    failures[413] = { description: "The body is too large." };
    failures[422] = { description: "Some fields are wrong; `errors` says which." };
  }
  return failures;
}

const challenge = { description: "`Bearer`, as RFC 6750 has it.", schema: { type: "string" } };
const pause = { description: "After how many seconds to try again.", schema: { type: "integer", minimum: 0 } };

function responseObject(status: number, text: ResponseText, components: Components): ResponseObject {
  const { description, schema, content, headers } = text;
  if (status < 400) {
    const body = schema ?? content;
    return { description, headers, content: body && contentOf(body, components) };
  }
  const error = { schema: schemaObject(ErrorBody, components), example: JSON.parse(errorBody(status)) as unknown };
  return {
    description: `${reasonOf(status)}. ${description}`,
    headers,
    content: { "application/json": error } as Content,
  };
}

function contentOf(body: object | readonly string[], components: Components): Content {
  if (Array.isArray(body)) {
    return Object.fromEntries(body.map((contentType: string) => [contentType, { schema: {} }]));
  }
  return {
    "application/json": { schema: schemaObject(body, components), example: exampleOf(body) },
  } as Content;
}

const unsigned = { type: "string", pattern: "^(0|[1-9][0-9]{0,19})$" };
const parameterSchemas: Readonly<Record<ParameterName, { description: string; schema: object; example: string }>> = {
  debtorId: { description: "The debtor ID, as an unsigned decimal below 2^64.", schema: unsigned, example: "1" },
  transferUuid: {
    description: "The UUID of the transfer.",
    schema: { type: "string", format: "uuid" },
    example: "123e4567-e89b-12d3-a456-426655440000",
  },
  documentId: {
    description: "The ID of the document, as an unsigned decimal below 2^64.",
    schema: unsigned,
    example: "1",
  },
  asset: { description: "The name of the file.", schema: { type: "string" }, example: "swagger-ui.css" },
};

const parameterObject = (name: ParameterName) => ({ name, in: "path", required: true, ...parameterSchemas[name] });
