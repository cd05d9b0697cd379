/**
 * The kinds of fields that API objects have. A schema built of them is the TypeScript type, the validator
 * (`validation.ts`), the serializer (`serialization.ts`) and the entry in the API document (`../openapi/`).
 */
import { type Static, type TSchema, type TUnsafe, Type } from "typebox";
import { INT32_MAX, INT64_MAX, INT64_MIN } from "../../values/int64.ts";
import type { Uuid } from "../../values/uuid.ts";

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
}: Partial<OwnKeywords["int64"]> & Annotations) => Type.Unsafe<bigint>({ int64: { minimum, maximum }, ...rest });

/** A non-negative 32-bit integer, in answers only. */
export const Int32 = (annotations: Annotations) =>
  Type.Unsafe<number>({ type: "integer", format: "int32", minimum: 0, maximum: INT32_MAX, ...annotations });

/** Text that goes into the database. */
export const Text = (
  options: Annotations &
    Pick<OwnKeywords, "utf8BytesMax" | "jsonBytesMax"> & { readonly maxLength?: number; readonly pattern?: string },
) => Type.Unsafe<string>({ type: "string", storable: true, ...options });

/** A UUID of a request, hyphens or not, any case. */
export const UuidText = (annotations: Annotations) =>
  Type.Unsafe<string>({ type: "string", uuid: true, ...annotations });

/** A UUID in an answer: lower case, with hyphens. */
export const CanonicalUuid = (annotations: Annotations) =>
  Type.Unsafe<Uuid>({ type: "string", format: "uuid", ...annotations });

/** A date-time in UTC with an explicit offset; six digits of a fraction, or none when it is zero. */
export const DateTime = (description: string) =>
  Type.Unsafe<string>({
    type: "string",
    format: "date-time",
    description,
    examples: ["2026-11-23T10:00:00.123456+00:00"],
  });

/** A path, as `uri` fields hold it. */
export const Uri = (description: string, example: string) =>
  Type.Unsafe<string>({ type: "string", format: "uri-reference", description, examples: [example] });

/** The name of the type of an object. */
export const TypeName = <const Name extends string>(name: Name) =>
  Type.Literal(name, { description: "The type of this object." });

/** A field that may be left out; in an answer it is, when its value is undefined. */
export const Optional = <Schema extends TSchema>(schema: Schema) =>
  Type.Optional(schema as unknown as TUnsafe<Static<Schema> | undefined>);

/** An object that has these fields and no others. `title` is its name in the API document. */
export const ApiObject = <Properties extends Record<string, TSchema>>(
  title: string,
  description: string,
  properties: Properties,
) => Type.Object(properties, { additionalProperties: false, title, description });
