/** The response of the authorization server in the page's address. */

/** A response to a request for a code. */
export interface AuthorizationResponse {
  readonly code: string | undefined;
  readonly state: string | undefined;
  readonly iss: string | undefined;
  readonly error: string | undefined;
  readonly errorDescription: string | undefined;
}

const NAMES = ["code", "state", "iss", "error", "error_description", "error_uri", "session_state"];

/** Reads the response from the address; also returns the address without it. `undefined` if there is none. */
export function readAuthorizationResponse(
  href: string,
): { readonly response: AuthorizationResponse; readonly cleanHref: string } | undefined {
  const url = new URL(href);
  const query = url.searchParams;
  if (!query.has("code") && !query.has("error")) return undefined;
  const read = (name: string): string | undefined => query.get(name) ?? undefined;
  const response = {
    code: read("code"),
    state: read("state"),
    iss: read("iss"),
    error: read("error"),
    errorDescription: read("error_description"),
  };
  for (const name of NAMES) query.delete(name);
  return { response, cleanHref: url.href };
}
