/** Random secrets and the challenge of PKCE. Spec: RFC 7636, 4.1 and 4.2. */

/** 256 random bits, in the characters that OAuth lets pass unescaped. */
export const randomText = (): string => base64Url(crypto.getRandomValues(new Uint8Array(32)));

/** The challenge to a verifier, by the method S256. */
export async function challengeOf(verifier: string): Promise<string> {
  return base64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

const base64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
