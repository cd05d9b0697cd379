/** The objects, field by field, in the readable reference. */

import { code, escapeHtml, formatText, json } from "./html.ts";
import type { SchemaObject } from "./openapi-objects.ts";

/** A link to an object's section. */
export const linkTo = (name: string): string => `<a href="#schema-${name}">${code(name)}</a>`;

/** All about an object. */
export function schemaSection(name: string, schema: SchemaObject): string {
  const { description = "", properties = {}, required = [], examples: [example] = [] } = schema;
  const fields = Object.entries(properties).map(([field, schema]) => {
    const optional = required.includes(field) ? "" : ", optional";
    return `<dt>${code(field)}</dt><dd><p>${typeText(schema)}${optional}.</p>${formatText(schema.description ?? "")}</dd>`;
  });
  const list = fields.length === 0 ? "" : `<dl>${fields.join("")}</dl>`;
  return `<section id="schema-${name}"><h3>${escapeHtml(name)}</h3>${formatText(description)}${list}<h4>Example</h4>${json(example)}</section>`;
}

function typeText(schema: SchemaObject): string {
  const { $ref, type, const: value, items } = schema;
  if ($ref !== undefined) return linkTo($ref.split("/").at(-1)!);
  if (value !== undefined) return `the text ${code(JSON.stringify(value))}`;
  if (type === "array") return `a list of ${typeText(items!)}`;
  return [typeNames[type ?? ""] ?? "anything", ...boundsOf(schema as Bounds)].join(", ");
}

const typeNames: Readonly<Record<string, string>> = { string: "a text", integer: "an integer", object: "an object" };

interface Bounds {
  readonly format?: string;
  readonly minimum?: unknown;
  readonly maximum?: unknown;
  readonly maxLength?: number;
  readonly pattern?: string;
}

function boundsOf({ format, minimum, maximum, maxLength, pattern }: Bounds): string[] {
  return [
    ...(format === undefined ? [] : [code(format)]),
    ...(minimum === undefined ? [] : [`from ${JSON.stringify(minimum)} to ${JSON.stringify(maximum)}`]),
    ...(maxLength === undefined ? [] : [`at most ${maxLength} characters`]),
    ...(pattern === undefined ? [] : [`of the form ${code(pattern)}`]),
  ];
}
