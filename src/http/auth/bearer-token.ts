/** The token in the `Authorization` header of a request. Spec: authorization, "Token check"; RFC 6750, section 2.1. */

/** Maximum length of a token in characters. Known authorization servers issue tokens of less than 2,000. */
export const TOKEN_LENGTH_MAX = 8192;

/** What the `Authorization` headers of a request hold. */
export type BearerToken =
  | { readonly kind: "token"; readonly token: string }
  /** No header, several, another scheme, or nothing after the scheme. */
  | { readonly kind: "none" }
  /** Too long, or with characters that no token has. */
  | { readonly kind: "malformed" };

/** Reads the `Authorization` header. Several count as none, because a proxy in front may have looked at another one. */
export function readBearerToken(authorizationHeaders: readonly string[]): BearerToken {
  const [header, ...others] = authorizationHeaders;
  if (header === undefined || others.length > 0) return { kind: "none" };
  const space = header.indexOf(" ");
  const token = header.slice(space + 1);
  if (space < 0 || header.slice(0, space).toLowerCase() !== "bearer" || token === "") return { kind: "none" };
  return token.length <= TOKEN_LENGTH_MAX && /^[\x21-\x7e]+$/.test(token)
    ? { kind: "token", token }
    : { kind: "malformed" };
}
