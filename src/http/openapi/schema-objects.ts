/** Schemas in the terms of OpenAPI: our own keywords become standard ones, named objects become references. */
import type { OwnKeywords } from "../schemas/fields.ts";
import { exampleOf } from "./examples.ts";

type Plain = { readonly [key: string]: unknown };

/** The named schemas, by name. */
export type Components = Map<string, unknown>;

/** A reference to the schema when it has a title, otherwise the schema itself. Named schemas are added to the components. */
export function schemaObject(schema: object, components: Components): unknown {
  const { title } = schema as { title?: string };
  if (title === undefined) return translate(schema as Plain, components);
  if (!components.has(title)) {
    components.set(title, undefined); // Keeps the order in which the document mentions them.
    const translated = translate(schema as Plain, components);
    components.set(title, { ...translated, examples: [exampleOf(schema)] });
  }
  return { $ref: `#/components/schemas/${title}` };
}

function translate(schema: Plain, components: Components): Plain {
  const { int64, utf8BytesMax, jsonBytesMax, storable, uuid, ...standard } = schema as OwnKeywords & Plain;
  const properties = standard.properties as Readonly<Record<string, object>> | undefined;
  const translated: Record<string, unknown> = {};
  if (int64 !== undefined) Object.assign(translated, int64Object(int64));
  if (uuid !== undefined) translated.pattern = UUID_PATTERN;
  if (storable !== undefined) translated.pattern = STORABLE_PATTERN;
  // JSON Schema counts characters only.
  if (utf8BytesMax !== undefined) translated["x-utf8-bytes-max"] = utf8BytesMax;
  if (jsonBytesMax !== undefined) translated["x-json-bytes-max"] = jsonBytesMax;
  Object.assign(translated, standard);
  if (properties !== undefined) {
    const names = Object.entries(properties);
    translated.properties = Object.fromEntries(names.map(([name, type]) => [name, schemaObject(type, components)]));
  }
  if (standard.items !== undefined) translated.items = schemaObject(standard.items as object, components);
  return translated;
}

// Not the format "uuid", which requires hyphens.
const UUID_PATTERN = "^[0-9A-Fa-f]{8}(-?)([0-9A-Fa-f]{4}\\1){3}[0-9A-Fa-f]{12}$";
// Lone surrogates are rejected as well, but no pattern for them means the same to all programs.
const STORABLE_PATTERN = "^[^\\u0000]*$";

// TypeScript's library does not yet know `rawJSON`, with which JSON.stringify writes exact integers.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };

const int64Object = ({ minimum, maximum }: NonNullable<OwnKeywords["int64"]>): object => ({
  type: "integer",
  format: "int64",
  minimum: rawJSON(minimum.toString()),
  maximum: rawJSON(maximum.toString()),
});
