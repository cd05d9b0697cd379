/** Verifies JWT access tokens with the keys of their issuer, instead of introspection. Spec: authorization, "JWT access tokens"; RFC 9068. */
import { createRemoteJWKSet, customFetch, errors, type FetchImplementation, type JWTPayload, jwtVerify } from "jose";
import { abandonWhenAborted } from "../../runtime/lifetime.ts";
import type { Clock } from "./clock.ts";
import { decide, describeStatus, type Introspection, IntrospectionError, readText } from "./introspection.ts";
import type { TokenRules } from "./token-rules.ts";

export interface JwtVerificationOptions {
  /** Where the issuer publishes its keys. */
  readonly jwksUrl: string;
  /** Signature algorithms that are accepted; asymmetric ones only. */
  readonly algorithms: readonly string[];
  /** The issuer and the audience must be known. */
  readonly rules: TokenRules & { readonly issuer: string; readonly audience: string };
  readonly clock: Clock;
  /** How long fetched keys are used. A key that the issuer has withdrawn works for that long. */
  readonly keysMillisMax?: number;
  /** The keys are fetched again for a token with an unknown key, but not more often than this. */
  readonly cooldownMillis?: number;
}

const KEYS_TIMEOUT_MILLIS = 5_000;
/** A key with a chain of certificates has less than 10,000. */
const KEYS_BYTES_MAX = 1_048_576;

/**
 * Creates the function that checks a token. Like an introspection it rejects with an IntrospectionError when the keys
 * cannot be fetched; a token that is not valid is `inactive`.
 */
export function createJwtVerification(
  options: JwtVerificationOptions,
): (token: string, signal: AbortSignal) => Promise<Introspection> {
  const { jwksUrl, algorithms, rules, clock, keysMillisMax = 10 * 60_000, cooldownMillis = 10_000 } = options;
  const { issuer, audience } = rules;
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    cacheMaxAge: keysMillisMax,
    cooldownDuration: cooldownMillis,
    timeoutDuration: KEYS_TIMEOUT_MILLIS,
    [customFetch]: fetchKeys,
  });
  const verify = (token: string): Promise<JWTPayload> =>
    jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: [...algorithms],
      // An ID token, which browsers hand around, is not an access token.
      typ: "at+jwt",
      requiredClaims: ["exp", "sub"],
      currentDate: new Date(clock.wallSeconds() * 1000),
    }).then(({ payload }) => payload);

  return async (token, signal) => {
    try {
      const claims = await abandonWhenAborted(verify(token), signal);
      return decide({ ...claims, active: true }, rules, clock.wallSeconds());
    } catch (error) {
      if (error instanceof IntrospectionError) throw error;
      if (isTokenError(error)) return { kind: "inactive" };
      throw new IntrospectionError(reasonOf(error, signal), true);
    }
  };
}

/** The library itself would read an answer of any length, and say nothing of its status. */
const fetchKeys: FetchImplementation = async (url, options) => {
  const response = await fetch(url, options);
  if (response.status === 200) return new Response(await readText(response, KEYS_BYTES_MAX));
  await response.body?.cancel();
  throw new IntrospectionError(describeStatus(response.status, "OAUTH2_JWKS_URL"), true);
};

/** Whether the error is about the token, rather than about fetching the keys. */
const isTokenError = (error: unknown): boolean =>
  error instanceof errors.JOSEError &&
  !(error instanceof errors.JWKSTimeout) &&
  !(error instanceof errors.JWKSInvalid) &&
  error.code !== "ERR_JOSE_GENERIC";

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted || error instanceof errors.JWKSTimeout) return "no keys in time";
  if (error instanceof errors.JOSEError) return "the keys of the issuer are not a JSON Web Key Set";
  const code = error instanceof Error ? (error.cause as { code?: string } | undefined)?.code : undefined;
  return `the keys of the issuer cannot be fetched${code === undefined ? "" : ` (${code})`}`;
}
