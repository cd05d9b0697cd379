/** The token and the revocation endpoint. Spec: RFC 6749, 4.1.3 and 6; RFC 7009. */

/** Tokens as a tab keeps them. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
}

/** The authorization server rejected the request. `code` is its `error`, such as `invalid_grant`. */
export class TokenRefusedError extends Error {
  override readonly name = "TokenRefusedError";
  readonly code: string;
  constructor(code: string) {
    super(`The authorization server rejected the request: ${code}`);
    this.code = code;
  }
}

const TIMEOUT_MILLIS = 15_000;

/** Asks for tokens. Rejects with a TokenRefusedError, or with the error of `fetch` when there is no answer. */
export async function requestTokens(url: string, form: Readonly<Record<string, string>>): Promise<Tokens> {
  const response = await post(url, form);
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.status >= 500 || response.status === 408 || response.status === 429)
    throw new Error(`The token endpoint answers ${response.status}`);
  if (!response.ok)
    throw new TokenRefusedError(typeof answer.error === "string" ? answer.error : String(response.status));
  const { access_token: accessToken, refresh_token: refreshToken, token_type: type } = answer;
  // What no header can carry would look like a server that never answers.
  if (typeof accessToken !== "string" || !/^[!-~]+$/.test(accessToken) || String(type).toLowerCase() !== "bearer") {
    throw new TokenRefusedError("no bearer token");
  }
  return { accessToken, refreshToken: typeof refreshToken === "string" ? refreshToken : undefined };
}

/** Revokes the tokens. They are forgotten even if the server does not answer. */
export async function revokeTokens(url: string, clientId: string, tokens: Tokens): Promise<void> {
  const all: [string, string][] = [[tokens.accessToken, "access_token"]];
  if (tokens.refreshToken !== undefined) all.unshift([tokens.refreshToken, "refresh_token"]);
  for (const [token, hint] of all) {
    await post(url, { token, token_type_hint: hint, client_id: clientId }).catch(() => undefined);
  }
}

const post = (url: string, form: Readonly<Record<string, string>>): Promise<Response> =>
  fetch(url, {
    method: "POST",
    body: new URLSearchParams(form),
    credentials: "omit",
    referrerPolicy: "no-referrer",
    cache: "no-store",
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MILLIS),
  });
