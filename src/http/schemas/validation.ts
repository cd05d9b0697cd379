/** Validates request objects by their schemas, and reports all errors at once. Spec: http-api, "Errors". */
import { Ajv, type ErrorObject } from "ajv";
import { parseUuid } from "../../values/uuid.ts";
import type { OwnKeywords, Schema } from "./fields.ts";

/** Follows the nesting of the request object; at each wrong field the texts that say what is wrong. */
export interface FieldErrors {
  [field: string]: string[] | FieldErrors;
}

/** Either the typed object, or its errors. */
export type Validated<Value> =
  | { readonly value: Value; readonly errors?: undefined }
  | { readonly value?: undefined; readonly errors: FieldErrors };

// Bodies are small, so finding all errors costs little. Nothing is coerced, added or dropped. The meta-schema would be
// compiled at each start to validate schemas that are our own; a test validates the API document that is made of them.
const ajv = new Ajv({
  allErrors: true,
  strict: true,
  ownProperties: true,
  verbose: true,
  meta: false,
  validateSchema: false,
});
ajv.addKeyword({
  keyword: "int64",
  errors: false,
  compile:
    ({ minimum, maximum }: NonNullable<OwnKeywords["int64"]>) =>
    (data: unknown) =>
      typeof data === "bigint" && data >= minimum && data <= maximum,
});
ajv.addKeyword({
  keyword: "utf8BytesMax",
  type: "string",
  errors: false,
  // No UTF-16 unit takes more than three bytes.
  validate: (max: number, data: string) => data.length * 3 <= max || Buffer.byteLength(data) <= max,
});
ajv.addKeyword({
  keyword: "jsonBytesMax",
  type: "string",
  errors: false,
  // No UTF-16 unit takes more than six bytes.
  validate: (max: number, data: string) => data.length * 6 + 2 <= max || Buffer.byteLength(JSON.stringify(data)) <= max,
});
ajv.addKeyword({
  keyword: "storable",
  type: "string",
  errors: false,
  validate: (_: true, data: string) => !data.includes("\0") && data.isWellFormed(),
});
ajv.addKeyword({
  keyword: "uuid",
  type: "string",
  errors: false,
  validate: (_: true, data: string) => parseUuid(data) !== undefined,
});

/** Compiles a schema whose values come from `parseJson`. */
export function compileValidator<Value>(schema: Schema<Value>): (data: unknown) => Validated<Value> {
  const validate = ajv.compile(schema);
  return (data) => (validate(data) ? { value: data as Value } : { errors: collectErrors(validate.errors ?? []) });
}

function collectErrors(errors: readonly ErrorObject[]): FieldErrors {
  const collected = emptyErrors();
  for (const error of errors) {
    // The path consists of fields that the schema declares, so nothing in it is escaped.
    const path = error.instancePath.split("/").slice(1);
    if (error.keyword === "required") path.push(error.params.missingProperty);
    else if (error.keyword === "additionalProperties") path.push(error.params.additionalProperty);
    else if (isWrongObject(error, path)) path.push("_schema");
    addError(collected, path, describe(error));
  }
  return collected;
}

/** `_schema` stands for an object itself; null counts as a missing field. */
const isWrongObject = ({ keyword, params, data }: ErrorObject, path: readonly string[]): boolean =>
  keyword === "type" && params.type === "object" && (data !== null || path.length === 0);

function addError(errors: FieldErrors, path: readonly string[], text: string): void {
  let level = errors;
  for (const field of path.slice(0, -1)) {
    level[field] ??= emptyErrors();
    level = level[field] as FieldErrors;
  }
  const field = path.at(-1)!;
  level[field] ??= [];
  const texts = level[field] as string[];
  if (!texts.includes(text)) texts.push(text);
}

/** Without a prototype, because a field may be called `__proto__`. */
const emptyErrors = (): FieldErrors => Object.create(null) as FieldErrors;

function describe({ keyword, params, schema }: ErrorObject): string {
  switch (keyword) {
    case "required":
      return "This field is required.";
    case "additionalProperties":
      return "Unknown field.";
    case "type":
      return `Must be ${/^[aeiou]/.test(params.type) ? "an" : "a"} ${params.type}.`;
    case "const":
      return `Must be ${JSON.stringify(params.allowedValue)}.`;
    case "int64": {
      const { minimum, maximum } = schema as unknown as NonNullable<OwnKeywords["int64"]>;
      return `Must be an integer from ${minimum} to ${maximum}.`;
    }
    case "maxLength":
      return `Must not have more than ${params.limit} characters.`;
    case "utf8BytesMax":
      return `Must not have more than ${String(schema)} bytes in UTF-8.`;
    case "jsonBytesMax":
      return `Must not have more than ${String(schema)} bytes as a JSON string.`;
    case "storable":
      return "Must not contain NUL characters or lone surrogates.";
    case "uuid":
      return "Must be a UUID.";
    default:
      return "Invalid format.";
  }
}
