/** Examples of whole objects, made of the examples of their fields. */

interface Node {
  readonly type?: string;
  readonly const?: unknown;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
}

/**
 * An example of what the schema describes. Optional fields are included when they have an example of their own, so that
 * example requests contain nothing that a client has no reason to send.
 */
export function exampleOf(schema: object): unknown {
  const { type, const: value, examples, properties, required = [], items } = schema as Node;
  if (examples !== undefined) return examples[0];
  if (value !== undefined) return value;
  if (type === "array") return [exampleOf(items!)];
  if (properties === undefined) throw new TypeError(`A field has no example: ${JSON.stringify(schema)}`);
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name, property]) => required.includes(name) || property.examples !== undefined)
      .map(([name, property]) => [name, exampleOf(property)]),
  );
}
