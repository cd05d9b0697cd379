/**
 * The kinds of fields that API objects have. A schema built of them is the TypeScript type, the validator
 * (`validation.ts`), the serializer (`serialization.ts`) and the entry in the API document (`../openapi/`).
 */
import { INT32_MAX, INT64_MAX, INT64_MIN } from "../../values/int64.ts";
import type { Uuid } from "../../values/uuid.ts";

declare const valueType: unique symbol;
const optional = Symbol("optional");

/** A JSON Schema whose values have a type, which only the compiler sees. */
export interface Schema<Value = unknown> {
  readonly [valueType]?: () => Value;
}

/** The type of the values of a schema. */
export type ValueOf<OneSchema extends Schema> = OneSchema extends Schema<infer Value> ? Value : never;

interface OptionalSchema<Value> extends Schema<Value | undefined> {
  readonly [optional]: true;
}

type Properties = Readonly<Record<string, Schema>>;
type OptionalNames<Fields extends Properties> = {
  [Name in keyof Fields]: Fields[Name] extends OptionalSchema<unknown> ? Name : never;
}[keyof Fields];
type ObjectOf<Fields extends Properties> = {
  [Name in Exclude<keyof Fields, OptionalNames<Fields>>]: ValueOf<Fields[Name]>;
} & { [Name in OptionalNames<Fields>]?: ValueOf<Fields[Name]> };

/** Our own keywords, which `validation.ts` defines and the API document translates. */
export interface OwnKeywords {
  /** An exact integer in these bounds. */
  readonly int64?: { readonly minimum: bigint; readonly maximum: bigint };
  /** The maximum number of bytes in UTF-8. */
  readonly utf8BytesMax?: number;
  /** The maximum number of bytes as a string in compact JSON, quotation marks included. Spec: size-limits. */
  readonly jsonBytesMax?: number;
  /** PostgreSQL can store it: no NUL characters, no lone surrogates. */
  readonly storable?: true;
  /** A UUID, with or without hyphens. */
  readonly uuid?: true;
}

interface Annotations {
  readonly description: string;
  readonly examples?: readonly unknown[];
}

/** An integer that is exact in requests and answers, by default any signed 64-bit one. */
export const Int64 = ({
  minimum = INT64_MIN,
  maximum = INT64_MAX,
  ...rest
}: Partial<OwnKeywords["int64"]> & Annotations) => schemaOf<bigint>({ int64: { minimum, maximum }, ...rest });

/** A non-negative 32-bit integer, in answers only. */
export const Int32 = (annotations: Annotations) =>
  schemaOf<number>({ type: "integer", format: "int32", minimum: 0, maximum: INT32_MAX, ...annotations });

/** Text that goes into the database. */
export const Text = (
  options: Annotations &
    Pick<OwnKeywords, "utf8BytesMax" | "jsonBytesMax"> & { readonly maxLength?: number; readonly pattern?: string },
) => schemaOf<string>({ type: "string", storable: true, ...options });

/** A UUID of a request, hyphens or not, any case. */
export const UuidText = (annotations: Annotations) => schemaOf<string>({ type: "string", uuid: true, ...annotations });

/** A UUID in an answer: lower case, with hyphens. */
export const CanonicalUuid = (annotations: Annotations) =>
  schemaOf<Uuid>({ type: "string", format: "uuid", ...annotations });

/** A date-time in UTC with an explicit offset; six digits of a fraction, or none when it is zero. */
export const DateTime = (description: string) =>
  schemaOf<string>({
    type: "string",
    format: "date-time",
    description,
    examples: ["2026-11-23T10:00:00.123456+00:00"],
  });

/** A path, as `uri` fields hold it. */
export const Uri = (description: string, example: string) =>
  schemaOf<string>({ type: "string", format: "uri-reference", description, examples: [example] });

/** Text that is not stored as it is, so that nothing is asked of its characters. */
export const PlainText = (annotations: Annotations & { readonly maxLength?: number }) =>
  schemaOf<string>({ type: "string", ...annotations });

/** This text and no other. */
export const Constant = <const Value extends string>(text: Value, annotations: Annotations) =>
  schemaOf<Value>({ type: "string", const: text, ...annotations });

/** The name of the type of an object. */
export const TypeName = <const Name extends string>(name: Name) =>
  Constant(name, { description: "The type of this object." });

/** An array. */
export const List = <Item>(items: Schema<Item>, annotations: Annotations) =>
  schemaOf<Item[]>({ type: "array", items, ...annotations });

/** A field that may be left out; in an answer it is, when its value is undefined. */
export const Optional = <Value>(schema: Schema<Value>): OptionalSchema<Value> => ({ ...schema, [optional]: true });

/** An object that has these fields and no others. `title` is its name in the API document. */
export const ApiObject = <Fields extends Properties>(title: string, description: string, fields: Fields) =>
  OpenObject(fields, { additionalProperties: false, title, description });

/** An object that has these fields. */
export function OpenObject<Fields extends Properties>(
  properties: Fields,
  keywords: Annotations & { readonly title?: string; readonly additionalProperties?: false },
) {
  const required = Object.keys(properties).filter((name) => !(optional in properties[name]!));
  return schemaOf<ObjectOf<Fields>>({
    type: "object",
    ...(required.length > 0 && { required }),
    properties,
    ...keywords,
  });
}

/** Says which type the values have; any value is valid for a schema without keywords. */
export function schemaOf<Value>(keywords: Readonly<Record<string, unknown>>): Schema<Value> {
  return keywords as Schema<Value>;
}
