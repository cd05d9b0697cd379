/** The gate: has the token of a request the scope that its operation needs? Spec: authorization, "Token check", "Answers". */
import { hash } from "node:crypto";
import type { Logger } from "../../runtime/log.ts";
import { createRepeatedEvents } from "../../runtime/repeated-events.ts";
import { readBearerToken } from "./bearer-token.ts";
import { createCircuitBreaker } from "./circuit-breaker.ts";
import { type Clock, systemClock } from "./clock.ts";
import { createConcurrencyLimit, TooBusyError } from "./concurrency-limit.ts";
import { createIntrospection, type IdentityClaim, type Introspection, IntrospectionError } from "./introspection.ts";
import { hasScope, type Scope } from "./scopes.ts";
import { createTokenCache, type Grant } from "./token-cache.ts";

export type { Scope } from "./scopes.ts";

/** What the gate says of a request. `subject` is the name of the caller: not empty, no control characters. */
export type TokenDecision =
  | { readonly outcome: "allowed"; readonly subject: string }
  /** 401. `isTokenInvalid`: a token was sent, and it is not a good one. */
  | { readonly outcome: "unauthorized"; readonly isTokenInvalid: boolean }
  /** 403: the scope is not granted, or the token names nobody, or it is no access token. */
  | { readonly outcome: "forbidden" }
  /** 503: the authorization server cannot be asked. */
  | { readonly outcome: "unavailable"; readonly retryAfterSeconds: number };

/** Decides who may pass. */
export interface TokenAuthenticator {
  /** `authorizationHeaders`: the values of all `Authorization` headers of the request. Never rejects. */
  authenticate(
    request: { readonly authorizationHeaders: readonly string[] },
    requiredScope: Scope,
  ): Promise<TokenDecision>;
}

export interface TokenAuthenticatorOptions {
  /** User name and password in it, if any, go into HTTP Basic authentication. */
  readonly introspectUrl: string;
  /** Which member of the answer names the caller; null: `sub`, else `username`. */
  readonly identityClaim: IdentityClaim;
  /** How long an answer is kept; 0 for never. A revoked token works for that long. */
  readonly cacheSeconds: number;
  readonly cacheEntriesMax: number;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly limits?: Partial<IntrospectionLimits>;
}

/** How much the gate asks of the authorization server and of the memory. */
export interface IntrospectionLimits {
  readonly cacheBytesMax: number;
  /** Introspections under way at a time, and waiting for that. */
  readonly runningMax: number;
  readonly waitingMax: number;
  /** The longest that an introspection takes, waiting included. */
  readonly timeoutMillis: number;
  /** So many times in a row the server may be away; then it is left alone for the pause. */
  readonly failuresMax: number;
  readonly pauseSeconds: number;
}

const defaultLimits: IntrospectionLimits = {
  cacheBytesMax: 64 * 1024 * 1024,
  runningMax: 64,
  waitingMax: 1024,
  timeoutMillis: 5_000,
  failuresMax: 10,
  pauseSeconds: 1,
};

const forbidden: TokenDecision = { outcome: "forbidden" };
const noToken: TokenDecision = { outcome: "unauthorized", isTokenInvalid: false };
const invalidToken: TokenDecision = { outcome: "unauthorized", isTokenInvalid: true };

/** Makes the gate of a web server process. After `close` it answers `unavailable` to all but cached tokens. */
export function createTokenAuthenticator(
  options: TokenAuthenticatorOptions,
): TokenAuthenticator & { close(): Promise<void> } {
  const { introspectUrl, identityClaim, cacheSeconds, cacheEntriesMax, log, clock = systemClock } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const cache = createTokenCache({
    seconds: cacheSeconds,
    entriesMax: cacheEntriesMax,
    bytesMax: limits.cacheBytesMax,
    clock,
  });
  const ask = createIntrospection(introspectUrl, identityClaim, clock);
  const breaker = createCircuitBreaker({ ...limits, clock });
  const limit = createConcurrencyLimit(limits);
  /** Of the introspections under way. */
  const deadlines = new Set<AbortController>();
  const failures = createRepeatedEvents(log);
  let isClosed = false;
  /** One introspection a token; whoever comes meanwhile waits for the same one. */
  const underWay = new Map<string, Promise<Introspection | TokenDecision>>();

  // The token itself is kept nowhere.
  const keyOf = (token: string): string => hash("sha256", `${introspectUrl}\n${token}`, "base64url");

  function introspectOnce(key: string, token: string): Promise<Introspection | TokenDecision> {
    const known = underWay.get(key);
    if (known !== undefined) return known;
    const introspection = introspect(key, token).finally(() => underWay.delete(key));
    underWay.set(key, introspection);
    return introspection;
  }

  async function introspect(key: string, token: string): Promise<Introspection | TokenDecision> {
    const unavailable = (): TokenDecision => ({
      outcome: "unavailable",
      retryAfterSeconds: Math.max(1, Math.ceil(breaker.retryAfterSeconds())),
    });
    const deadline = new AbortController();
    const { signal } = deadline;
    const timer = setTimeout(() => deadline.abort(), limits.timeoutMillis);
    // Whoever gets a turn has half of the time left at least. With less the server would seem to be away when all that
    // it has is too much to do, which a stranger with many tokens can bring about.
    const turn = AbortSignal.any([signal, AbortSignal.timeout(limits.timeoutMillis / 2)]);
    deadlines.add(deadline);
    if (isClosed) deadline.abort();
    try {
      return await limit.run(async () => {
        // Asked for admission only now: whoever waits in the queue while the server goes away need not try it, too.
        if (!breaker.admit()) return unavailable();
        const introspection = await ask(token, signal).catch(reportFailure);
        breaker.succeeded();
        if (introspection.kind === "good") cache.keep(key, introspection.grant);
        return introspection;
      }, turn);
    } catch (error) {
      const isTold = error instanceof IntrospectionError || error instanceof TooBusyError || !turn.aborted;
      const reason = isTold ? (error as Error).message : "no turn in time";
      failures.report({ level: "error", message: "Token introspection failed", kind: { reason } });
      return unavailable();
    } finally {
      clearTimeout(timer);
      deadlines.delete(deadline);
    }
  }

  function reportFailure(error: unknown): never {
    const isAway = !(error instanceof IntrospectionError) || error.isServerAway;
    // A strange answer to one token is no reason to refuse the others: a stranger could provoke it.
    if (!isAway) breaker.succeeded();
    else if (breaker.failed()) log.error("Circuit breaker opened for the authorization server");
    throw error;
  }

  function decide(grant: Grant, requiredScope: Scope): TokenDecision {
    if (clock.wallSeconds() >= grant.expiresAt) return invalidToken;
    if (grant.subject === null || !hasScope(grant.scopes, requiredScope)) return forbidden;
    return { outcome: "allowed", subject: grant.subject };
  }

  return {
    async authenticate({ authorizationHeaders }, requiredScope) {
      const bearer = readBearerToken(authorizationHeaders);
      if (bearer.kind === "none") return noToken;
      if (bearer.kind === "malformed") return invalidToken;
      const key = keyOf(bearer.token);
      const grant = cache.find(key);
      if (grant !== undefined) return decide(grant, requiredScope);
      const introspection = await introspectOnce(key, bearer.token);
      if ("outcome" in introspection) return introspection;
      switch (introspection.kind) {
        case "inactive":
          return invalidToken;
        case "no access token":
          return forbidden;
        case "good":
          return decide(introspection.grant, requiredScope);
      }
    },
    async close() {
      isClosed = true;
      for (const deadline of deadlines) deadline.abort();
      await Promise.all(underWay.values());
      failures.flush();
    },
  };
}
