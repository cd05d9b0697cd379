/** Schemas in the terms of OpenAPI: keywords of ours become standard ones, named objects become references. */
import type { OwnKeywords } from "../schemas/fields.ts";
import { exampleOf } from "./examples.ts";

type Plain = { readonly [key: string]: unknown };

/** The named schemas that have been met, by name. */
export type Components = Map<string, unknown>;

/** A reference to the schema when it has a title, else the schema itself. What it names is added to the components. */
export function schemaObject(schema: object, components: Components): unknown {
  const { title } = schema as { title?: string };
  if (title === undefined) return translate(schema as Plain, components);
  if (!components.has(title)) {
    components.set(title, undefined); // Keeps the place: what comes first in the document stands first here.
    const translated = translate(schema as Plain, components);
    components.set(title, { ...translated, examples: [exampleOf(schema)] });
  }
  return { $ref: `#/components/schemas/${title}` };
}

function translate(schema: Plain, components: Components): Plain {
  const { int64, utf8BytesMax, jsonBytesMax, storable, uuid, ...standard } = schema as OwnKeywords & Plain;
  const properties = standard.properties as Readonly<Record<string, object>> | undefined;
  return {
    ...(int64 === undefined ? {} : int64Object(int64)),
    ...(uuid === undefined ? {} : { pattern: UUID_PATTERN }),
    ...(storable === undefined ? {} : { pattern: STORABLE_PATTERN }),
    // JSON Schema counts characters only.
    ...(utf8BytesMax === undefined ? {} : { "x-utf8-bytes-max": utf8BytesMax }),
    ...(jsonBytesMax === undefined ? {} : { "x-json-bytes-max": jsonBytesMax }),
    ...standard,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, property]) => [name, schemaObject(property, components)]),
          ),
        }),
    ...(standard.items === undefined ? {} : { items: schemaObject(standard.items as object, components) }),
  };
}

// Not the format "uuid", which insists on the hyphens.
const UUID_PATTERN = "^[0-9A-Fa-f]{8}(-?)([0-9A-Fa-f]{4}\\1){3}[0-9A-Fa-f]{12}$";
// The lone surrogates, which are also refused, cannot be told in a pattern that all programs understand alike.
const STORABLE_PATTERN = "^[^\\u0000]*$";

// TypeScript's library does not yet know `rawJSON`, with which JSON.stringify writes exact integers.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };

const int64Object = ({ minimum, maximum }: NonNullable<OwnKeywords["int64"]>): object => ({
  type: "integer",
  format: "int64",
  minimum: rawJSON(minimum.toString()),
  maximum: rawJSON(maximum.toString()),
});
