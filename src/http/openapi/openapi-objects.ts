/** The types of the OpenAPI document, as far as this program uses them. */

/** The whole document. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, SchemaObject>>;
    readonly securitySchemes: object;
  };
}

/** An operation, in the terms of OpenAPI. */
export interface OperationObject {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly { readonly name: string; readonly description: string }[] | undefined;
  readonly requestBody?: { readonly content: Content } | undefined;
  readonly responses: Readonly<Record<string, ResponseObject>>;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
}

/** An answer to an operation, in the terms of OpenAPI. */
export interface ResponseObject {
  readonly description: string;
  readonly headers?: Readonly<Record<string, object>> | undefined;
  readonly content?: Content | undefined;
}

/** Bodies by their content type, in the terms of OpenAPI. */
export type Content = Readonly<Record<string, { readonly schema: SchemaObject; readonly example?: unknown }>>;

/** The parts of a JSON Schema that the reference shows. */
export interface SchemaObject {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly const?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaObject>>;
  readonly required?: readonly string[];
  readonly items?: SchemaObject;
  readonly examples?: readonly unknown[];
}
