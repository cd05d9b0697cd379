/** Authentication by access token: does it grant the scope that the operation requires? Spec: authorization, "Token check", "Answers". */
import { hash } from "node:crypto";
import type { Subject } from "../../domain/subject-binding.ts";
import type { Logger } from "../../runtime/log.ts";
import { createRepeatedEvents } from "../../runtime/repeated-events.ts";
import { readBearerToken } from "./bearer-token.ts";
import { createCircuitBreaker } from "./circuit-breaker.ts";
import { type Clock, systemClock } from "./clock.ts";
import { createConcurrencyLimit, TooBusyError } from "./concurrency-limit.ts";
import { createIntrospection, type Introspection, IntrospectionError } from "./introspection.ts";
import { createJwtVerification } from "./jwt-verification.ts";
import { hasScope, type Scope } from "./scopes.ts";
import { createTokenCache, type Grant } from "./token-cache.ts";
import type { TokenRules } from "./token-rules.ts";

export type { Scope } from "./scopes.ts";

/** The decision about a token. `subject` is the name of the caller: not empty, no control characters. */
export type TokenDecision =
  | {
      readonly outcome: "allowed";
      readonly subject: string;
      /** Who issued the token; null when that is not known. */
      readonly issuer: string | null;
      /** Whether the patterns of the settings apply to the subject. */
      readonly isOwnIssuer: boolean;
      /** The debtor that the subject is bound to; looked up only for subjects that no pattern matches. */
      readonly boundDebtorId: bigint | undefined;
      /** Whether the token meets the conditions for creating a debtor. */
      readonly mayProvision: boolean;
    }
  /** 401. `isTokenInvalid`: a token was sent, but it is not valid. */
  | { readonly outcome: "unauthorized"; readonly isTokenInvalid: boolean }
  /** 403: the scope is not granted, the token names no caller, or it is not an access token. */
  | { readonly outcome: "forbidden" }
  /** 503: the token could not be verified. */
  | { readonly outcome: "unavailable"; readonly retryAfterSeconds: number };

/** Checks the access tokens of requests. */
export interface TokenAuthenticator {
  /** `authorizationHeaders`: the values of all `Authorization` headers of the request. Rejects only when a binding cannot be looked up. */
  authenticate(
    request: { readonly authorizationHeaders: readonly string[] },
    requiredScope: Scope,
  ): Promise<TokenDecision>;
}

export interface TokenAuthenticatorOptions {
  readonly verification: TokenVerification;
  readonly rules: TokenRules;
  readonly bindings?: Bindings | undefined;
  /** How long an answer is cached; 0 for never. A revoked token works for that long. */
  readonly cacheSeconds: number;
  readonly cacheEntriesMax: number;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly limits?: Partial<IntrospectionLimits>;
}

/** How a token is verified. */
export type TokenVerification =
  /** User name and password in the URL, if any, are sent by HTTP Basic authentication. */
  | { readonly kind: "introspection"; readonly introspectUrl: string }
  | { readonly kind: "jwt"; readonly jwksUrl: string; readonly algorithms: readonly string[] };

/** The debtors of subjects that no pattern of the settings matches. */
export interface Bindings {
  /** Whether a pattern is about the name. */
  isReserved(subject: string): boolean;
  /** Signed. */
  findDebtorId(subject: Subject): Promise<bigint | undefined>;
}

/** Limits on the use of the authorization server and of memory. */
export interface IntrospectionLimits {
  readonly cacheBytesMax: number;
  /** Introspections that run at a time, and that wait. */
  readonly runningMax: number;
  readonly waitingMax: number;
  /** Maximum duration of an introspection, waiting included. */
  readonly timeoutMillis: number;
  /** After this many failures in a row the server is not used for the pause. */
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

/** Makes the authenticator of a web server process. After `close` only cached tokens get another answer than `unavailable`. */
export function createTokenAuthenticator(
  options: TokenAuthenticatorOptions,
): TokenAuthenticator & { close(): Promise<void> } {
  const { verification, rules, bindings, cacheSeconds, cacheEntriesMax, log, clock = systemClock } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const cache = createTokenCache({
    seconds: cacheSeconds,
    entriesMax: cacheEntriesMax,
    bytesMax: limits.cacheBytesMax,
    clock,
  });
  const ask = createVerification(verification, rules, clock);
  const source = verification.kind === "jwt" ? verification.jwksUrl : verification.introspectUrl;
  const breaker = createCircuitBreaker({ ...limits, clock });
  const limit = createConcurrencyLimit(limits);
  /** Of the introspections that run. */
  const deadlines = new Set<AbortController>();
  const failures = createRepeatedEvents(log);
  let isClosed = false;
  /** One for each token; requests that arrive in the meantime share it. */
  const underWay = new Map<string, Promise<Introspection | TokenDecision>>();

  // The token itself is not kept.
  const keyOf = (token: string): string => hash("sha256", `${source}\n${token}`, "base64url");

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
    // An introspection that starts has at least half of the time left. With less, the server would seem to be unavailable
    // when it is only busy, which one client with many tokens can cause.
    const turn = AbortSignal.any([signal, AbortSignal.timeout(limits.timeoutMillis / 2)]);
    deadlines.add(deadline);
    if (isClosed) deadline.abort();
    try {
      return await limit.run(async () => {
        // Checked only now: the circuit may have opened while this one was waiting.
        if (!breaker.admit()) return unavailable();
        const introspection = await ask(token, signal).catch(reportFailure);
        breaker.succeeded();
        if (introspection.kind === "good") cache.keep(key, introspection.grant);
        return introspection;
      }, turn);
    } catch (error) {
      const isExplained = error instanceof IntrospectionError || error instanceof TooBusyError || !turn.aborted;
      const reason = isExplained ? (error as Error).message : "too many introspections are waiting";
      failures.report({ level: "error", message: "Token introspection failed", kind: { reason } });
      return unavailable();
    } finally {
      clearTimeout(timer);
      deadlines.delete(deadline);
    }
  }

  function reportFailure(error: unknown): never {
    const isAway = !(error instanceof IntrospectionError) || error.isServerAway;
    // An unexpected answer to one token must not open the circuit for the others: any client could provoke it.
    if (!isAway) breaker.succeeded();
    else if (breaker.failed()) log.error("Circuit breaker opened for the authorization server");
    throw error;
  }

  function decide(grant: Grant, requiredScope: Scope): TokenDecision {
    if (clock.wallSeconds() >= grant.expiresAt) return invalidToken;
    if (grant.subject === null || !hasScope(grant.scopes, requiredScope)) return forbidden;
    const { subject, issuer, isOwnIssuer, boundDebtorId, mayProvision } = grant;
    return { outcome: "allowed", subject, issuer, isOwnIssuer, boundDebtorId, mayProvision };
  }

  /** Adds the debtor of the subject to the grant. Only a debtor that was found is cached, because a binding can be made at any time. */
  async function bind(key: string, grant: Grant): Promise<Grant> {
    const { subject, issuer, isOwnIssuer, boundDebtorId } = grant;
    if (bindings === undefined || subject === null || issuer === null || boundDebtorId !== undefined) return grant;
    if (isOwnIssuer && bindings.isReserved(subject)) return grant;
    const debtorId = await bindings.findDebtorId({ issuer, subject });
    if (debtorId === undefined) return grant;
    const bound = { ...grant, boundDebtorId: debtorId };
    cache.replace(key, grant, bound);
    return bound;
  }

  return {
    async authenticate({ authorizationHeaders }, requiredScope) {
      const bearer = readBearerToken(authorizationHeaders);
      if (bearer.kind === "none") return noToken;
      if (bearer.kind === "malformed") return invalidToken;
      const key = keyOf(bearer.token);
      const grant = cache.find(key);
      if (grant !== undefined) return decide(await bind(key, grant), requiredScope);
      const introspection = await introspectOnce(key, bearer.token);
      if ("outcome" in introspection) return introspection;
      switch (introspection.kind) {
        case "inactive":
          return invalidToken;
        case "no access token":
          return forbidden;
        case "good":
          return decide(await bind(key, introspection.grant), requiredScope);
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

function createVerification(
  verification: TokenVerification,
  rules: TokenRules,
  clock: Clock,
): (token: string, signal: AbortSignal) => Promise<Introspection> {
  if (verification.kind === "introspection") return createIntrospection(verification.introspectUrl, rules, clock);
  const { issuer, audience } = rules;
  if (issuer === null || audience === null) throw new TypeError("JWTs are checked against an issuer and an audience");
  return createJwtVerification({ ...verification, rules: { ...rules, issuer, audience }, clock });
}
