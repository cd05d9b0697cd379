/** Token introspection. Spec: authorization, "Token check"; RFC 7662. */

import { hasControlCharacters } from "../../domain/subject-binding.ts";
import { basicAuthorization } from "./basic-authorization.ts";
import type { Clock } from "./clock.ts";
import { hasScope, readScopes } from "./scopes.ts";
import type { Grant } from "./token-cache.ts";
import type { RequiredClaim, TokenRules } from "./token-rules.ts";

/** What the authorization server says about a token. */
export type Introspection =
  | { readonly kind: "good"; readonly grant: Grant }
  /** Unknown, revoked, expired, or not clearly active. */
  | { readonly kind: "inactive" }
  /** A refresh token, for example. */
  | { readonly kind: "no access token" };

/** Nothing is known about the token. The message has no period. */
export class IntrospectionError extends Error {
  override readonly name = "IntrospectionError";
  /** Whether the server seems to be unavailable, rather than to fail for this token only. */
  readonly isServerAway: boolean;

  constructor(reason: string, isServerAway: boolean) {
    super(reason);
    this.isServerAway = isServerAway;
  }
}

const ANSWER_BYTES_MAX = 64 * 1024;
const NAME_LENGTH_MAX = 1024;
// Proxies answer so for a server that is down, and servers that are overloaded.
const UNAVAILABLE_STATUSES = [429, 502, 503, 504];

/**
 * Makes the function that introspects a token. User name and password in the URL, if any, are sent by HTTP Basic
 * authentication. The function rejects with an IntrospectionError; the signal aborts it.
 */
export function createIntrospection(
  introspectUrl: string,
  rules: TokenRules,
  clock: Clock,
): (token: string, signal: AbortSignal) => Promise<Introspection> {
  const url = new URL(introspectUrl);
  const headers: Record<string, string> = {
    Accept: "application/json",
    "Content-Type": "application/x-www-form-urlencoded",
    // Ory Hydra behind a TLS proxy rejects plain HTTP without it.
    "X-Forwarded-Proto": "https",
  };
  if (url.username !== "") {
    headers.Authorization = basicAuthorization(decodeURIComponent(url.username), decodeURIComponent(url.password));
    url.username = "";
    url.password = "";
  }

  const post = (body: string, signal: AbortSignal): Promise<Response> =>
    fetch(url, { method: "POST", headers, body, redirect: "manual", signal });

  return async (token, signal) => {
    const body = new URLSearchParams({ token }).toString();
    try {
      // Introspection can be repeated, and a server may close a kept-alive connection just when it is used again.
      const response = await post(body, signal)
        .catch((error: unknown) => {
          if (!isConnectionLost(error)) throw error;
          return post(body, signal);
        })
        .catch((error: unknown) => {
          throw new IntrospectionError(describeFailure(error, signal), true);
        });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new IntrospectionError(
          describeStatus(response.status, "OAUTH2_INTROSPECT_URL"),
          UNAVAILABLE_STATUSES.includes(response.status),
        );
      }
      return decide(parseObject(await readText(response)), rules, clock.wallSeconds());
    } catch (error) {
      if (error instanceof IntrospectionError) throw error;
      throw new IntrospectionError(describeFailure(error, signal), signal.aborted || codeOf(error) !== undefined);
    }
  };
}

/** Decides what an introspection answer means at that moment. Nothing is assumed about its form. */
export function decide(
  answer: Readonly<Record<string, unknown>>,
  rules: TokenRules,
  nowSeconds: number,
): Introspection {
  const { active, exp, token_use: use, token_type: type, scope, aud, cnf } = answer;
  const expiresAt = typeof exp === "number" && exp > 0 ? exp : Infinity;
  if (active !== true || nowSeconds >= expiresAt) return { kind: "inactive" };
  // A token that is bound to a key (RFC 7800) is not valid without a proof, which is not checked here.
  if (cnf !== undefined && cnf !== null) return { kind: "inactive" };
  if (rules.audience !== null && !isOrIncludes(aud, rules.audience)) return { kind: "inactive" };
  const isAccessToken = use === undefined || use === null || use === "" || use === "access_token";
  // Older versions of Hydra say so in `token_type`, in which later ones have "Bearer".
  if (!isAccessToken || type === "refresh_token") return { kind: "no access token" };
  const subject = readName(answer, rules.identityClaim);
  const scopes = readScopes(scope, rules.scopeNames);
  const issuer = readIssuer(answer.iss, rules.issuer);
  const isOwnIssuer = rules.issuer === null || issuer === rules.issuer;
  const mayProvision = isOwnIssuer && hasScope(scopes, "access") && meetsConditions(answer, rules.provisioning);
  return {
    kind: "good",
    grant: { subject, issuer, isOwnIssuer, boundDebtorId: undefined, mayProvision, scopes, expiresAt },
  };
}

/** Null when it is not known. An `iss` that is not a usable string counts as a foreign issuer. */
function readIssuer(iss: unknown, ownIssuer: string | null): string | null {
  if (iss === undefined || iss === null) return ownIssuer;
  return typeof iss === "string" && iss.length <= NAME_LENGTH_MAX && !hasControlCharacters(iss) ? iss : "";
}

function meetsConditions(answer: Readonly<Record<string, unknown>>, conditions: TokenRules["provisioning"]): boolean {
  if (conditions === null) return false;
  const { scope, claim } = conditions;
  const granted = typeof answer.scope === "string" ? answer.scope.split(" ") : [];
  return (scope === null || granted.includes(scope)) && (claim === null || hasClaim(answer, claim));
}

const hasClaim = (answer: Readonly<Record<string, unknown>>, { name, value }: RequiredClaim): boolean =>
  Object.hasOwn(answer, name) && isOrIncludes(answer[name], value);

/** Whether the value, or an element of the array, is that text; booleans and numbers by their JSON text. */
function isOrIncludes(value: unknown, expected: string): boolean {
  if (Array.isArray(value)) return value.some((element) => !Array.isArray(element) && isOrIncludes(element, expected));
  return typeof value === "string" ? value === expected : typeof value !== "object" && String(value) === expected;
}

/** The name of the caller, never `client_id`; null when there is no usable one. */
function readName(
  answer: Readonly<Record<string, unknown>>,
  identityClaim: TokenRules["identityClaim"],
): string | null {
  const name = answer[identityClaim ?? (answer.sub === undefined ? "username" : "sub")];
  const isUsable = typeof name === "string" && name !== "" && name.length <= NAME_LENGTH_MAX;
  return isUsable && !hasControlCharacters(name) ? name : null;
}

/** Reads an answer of the authorization server. Throws an IntrospectionError when it is too long. */
export async function readText(response: Response, bytesMax = ANSWER_BYTES_MAX): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the rest of the answer.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > bytesMax) throw new IntrospectionError(`the answer has more than ${bytesMax} bytes`, false);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString("utf8");
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (text.trim() === "") throw new IntrospectionError("the answer is empty", false);
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Reported below, because the parser's own message would quote the answer.
  }
  throw new IntrospectionError("the answer is not a JSON object", false);
}

/** What a status other than 200 means. The setting is the one that has the URL. */
export function describeStatus(status: number, setting: string): string {
  if (status >= 300 && status < 400) {
    return `the endpoint redirects (status ${status}); ${setting} must name its final address`;
  }
  if (status === 401 || status === 403) {
    return `the credentials of this node are rejected (status ${status}); check the user name and password in ${setting}`;
  }
  if (status === 404 || status === 405) return `there is no such endpoint (status ${status}); check ${setting}`;
  return `the answer has the status ${status}`;
}

/** Why there is no answer. Messages of errors can name hosts, so only their code is used. */
function describeFailure(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "no answer in time";
  const code = codeOf(error);
  if (code === undefined) return "the answer cannot be read";
  const [words = "no connection"] = failures.find(([, pattern]) => pattern.test(code)) ?? [];
  return `${words} (${code})`;
}

const failures: readonly (readonly [words: string, code: RegExp])[] = [
  ["the host name cannot be resolved", /^(?:ENOTFOUND|EAI_)/],
  ["the connection is refused", /^ECONNREFUSED$/],
  ["the connection was closed", /^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET)$/],
  ["the host cannot be reached", /^(?:ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|EHOSTUNREACH|ENETUNREACH)$/],
  ["the TLS certificate is not trusted", /CERT|SIGNATURE|ERR_TLS_/],
  ["the TLS handshake failed", /SSL|EPROTO/],
];

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error ? (error.cause as { code?: string } | undefined)?.code : undefined;

const isConnectionLost = (error: unknown): boolean =>
  ["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"].includes(codeOf(error) ?? "");
