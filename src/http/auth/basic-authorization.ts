/** How a client of an authorization server says who it is. */

/**
 * The value of the header `Authorization`, with the form encoding of RFC 6749, section 2.3.1, for the characters that a server would
 * otherwise decode to others.
 */
export const basicAuthorization = (clientId: string, clientSecret: string): string =>
  `Basic ${Buffer.from([clientId, clientSecret].map(encodeCredential).join(":")).toString("base64")}`;

const encodeCredential = (text: string): string => text.replaceAll("%", "%25").replaceAll("+", "%2B");
