/** UUIDs in their canonical form: lower case, with hyphens. */

declare const uuidBrand: unique symbol;

/** A UUID (RFC 9562) in lower case with hyphens. */
export type Uuid = string & { readonly [uuidBrand]: true };

/** Reads a UUID in a request body: hyphens may be missing, all of them or none; in any case. `undefined` for anything else. */
export function parseUuid(text: string): Uuid | undefined {
  if (/^[0-9a-fA-F]{32}$/.test(text)) {
    return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5").toLowerCase() as Uuid;
  }
  return parsePathUuid(text);
}

/** Reads a UUID in a URL path: with hyphens, case is free. `undefined` for anything else. */
export const parsePathUuid = (text: string): Uuid | undefined =>
  /^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/.test(text) ? (text.toLowerCase() as Uuid) : undefined;
