/** International resource identifiers in headers, which are ASCII. */
import { domainToASCII } from "node:url";

const PARTS = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/s;
const AUTHORITY = /^(?:(.*)@)?(\[[0-9A-Fa-f:.]*\]|[^:]*)(:[0-9]*)?$/s;

/**
 * Turns an IRI (RFC 3987), also a relative one, into an ASCII URI for a `Location` header: scheme and host in lower case, the host in
 * punycode, every character that a URI cannot have percent-encoded, escapes kept as they are. Text that is not an IRI
 * also becomes ASCII without control characters.
 */
export function iriToLocation(iri: string): string {
  const [, scheme, authority, path = "", query = "", fragment = ""] = PARTS.exec(iri)!;
  return [
    scheme === undefined ? "" : `${scheme.toLowerCase()}:`,
    authority === undefined ? "" : `//${encodeAuthority(authority)}`,
    encode(path),
    encode(query),
    encode(fragment),
  ].join("");
}

function encodeAuthority(authority: string): string {
  const match = AUTHORITY.exec(authority);
  if (match === null) return encode(authority);
  const [, userInfo, host = "", port = ""] = match;
  return `${userInfo === undefined ? "" : `${encode(userInfo)}@`}${encodeHost(host)}${port}`;
}

const ASCII_HOST = /^(?:\[[0-9A-Fa-f:.]*\]|[A-Za-z0-9.-]*)$/;

const encodeHost = (host: string): string =>
  ASCII_HOST.test(host) ? host.toLowerCase() : domainToASCII(host) || encode(host);

/** Percent-encodes the UTF-8 of what is neither reserved nor unreserved nor a percent sign (RFC 3986, 2.2 and 2.3). */
const encode = (text: string): string =>
  text.replace(/[^A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]/gu, (character) =>
    Buffer.from(character).toHex().toUpperCase().replace(/../g, "%$&"),
  );
