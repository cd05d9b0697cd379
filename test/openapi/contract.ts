/**
 * What the served OpenAPI document promises, read by its text alone, with a usual validator of JSON
 * Schema. The only thing added is exactness: integers are `bigint`, in the document and in what is checked.
 */
import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { type Json, parseJson } from "../../src/values/json.ts";

/** One documented operation. */
export interface Operation {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly statuses: readonly number[];
  /** Whether the document accepts this value as the request object. Undefined: the operation takes none. */
  readonly accepts: ((body: Json) => boolean) | undefined;
  /** Throws an AssertionError when an answer is not as documented. */
  check(status: number, headers: Headers, body: string): void;
}

interface DocumentedResponse {
  readonly headers?: Readonly<Record<string, { readonly schema: object }>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface DocumentedOperation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
}

/** Reads the text of the document: its operations, by their IDs. */
export function readContract(text: string): ReadonlyMap<string, Operation> {
  const document = parseJson(text) as unknown as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
    readonly components: { readonly schemas: Readonly<Record<string, object>> };
  };
  const ajv = createAjv();
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    ajv.addSchema(exactly(schema) as object, `#/components/schemas/${name}`);
  }
  const compile = (schema: object): ValidateFunction => ajv.compile(exactly(schema) as object);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => readOperation(path, method, operation, compile)),
  );
  return new Map(operations.map((operation) => [operation.operationId, operation]));
}

type Compile = (schema: object) => ValidateFunction;

function readOperation(path: string, method: string, operation: DocumentedOperation, compile: Compile): Operation {
  const { operationId, requestBody, responses } = operation;
  const requestSchema = requestBody?.content["application/json"]?.schema;
  const validate = requestSchema === undefined ? undefined : compile(requestSchema);
  return {
    operationId,
    method: method.toUpperCase(),
    path,
    statuses: Object.keys(responses).map(Number),
    accepts: validate && ((body) => validate(body)),
    check(status, headers, body) {
      const where = `${operationId} ${status}`;
      const response = responses[status];
      assert.ok(response, `${where} is not documented`);
      for (const [name, { schema }] of Object.entries(response.headers ?? {})) {
        const text = headers.get(name);
        assert.ok(text !== null, `${where} lacks the header ${name}`);
        const value = (schema as { type: string }).type === "integer" ? BigInt(text) : text;
        assertValid(compile(schema), value, `the header ${name} of ${where}`);
      }
      checkContent(response.content, headers.get("content-type"), body, where, compile);
    },
  };
}

function checkContent(
  content: DocumentedResponse["content"],
  contentType: string | null,
  body: string,
  where: string,
  compile: Compile,
): void {
  if (content === undefined) {
    assert.equal(body, "", `${where} has a body that is not documented`);
    return;
  }
  const [mediaType = ""] = (contentType ?? "").split(";");
  const documented = content[mediaType] ?? content["*/*"];
  assert.ok(documented, `${where} has the content type ${contentType}`);
  // Bodies that are not JSON objects have a schema without conditions.
  if (Object.keys(documented.schema).length > 0) assertValid(compile(documented.schema), parseJson(body), where);
}

const assertValid = (validate: ValidateFunction, value: unknown, where: string): void =>
  assert.ok(validate(value), `${where} is not as documented: ${JSON.stringify(validate.errors)}`);

function createAjv(): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, allErrors: true, strictTypes: false });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);

  ajv.addKeyword({
    keyword: "exactInteger",
    validate: ({ minimum, maximum }: { minimum?: bigint; maximum?: bigint }, value: unknown) =>
      typeof value === "bigint" && value >= (minimum ?? value) && value <= (maximum ?? value),
  });
  ajv.addKeyword({
    keyword: "x-utf8-bytes-max",
    type: "string",
    validate: (max: number, text: string) => Buffer.byteLength(text) <= max,
  });
  ajv.addKeyword({
    keyword: "x-json-bytes-max",
    type: "string",
    validate: (max: number, text: string) => Buffer.byteLength(JSON.stringify(text)) <= max,
  });
  return ajv;
}

/** The schema with its integers made exact: JSON Schema accepts 1.0 as one, and does not know `bigint`. */
function exactly(schema: unknown): unknown {
  if (typeof schema === "bigint") return Number(schema); // A length.
  if (Array.isArray(schema)) return schema.map(exactly);
  if (typeof schema !== "object" || schema === null) return schema;
  const { type, format, minimum, maximum, examples, ...rest } = schema as Record<string, unknown>;
  if (type === "integer") return { exactInteger: { minimum, maximum } };
  return {
    ...Object.fromEntries(Object.entries(rest).map(([name, part]) => [name, exactly(part)])),
    // These could also be the names of properties.
    ...Object.fromEntries(
      Object.entries({ type, format, minimum, maximum, examples })
        .filter(([, part]) => part !== undefined)
        .map(([name, part]) => [name, exactly(part)]),
    ),
  };
}
