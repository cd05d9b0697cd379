/** The identity of callers: from an access token, or from a trusted proxy. Spec: authorization, "Modes", "Roles". */
import type { IncomingMessage } from "node:http";
import { valuesOf } from "../request/header-lines.ts";
import { forbidden, HttpError } from "../response/errors.ts";
import { NOT_AN_ISSUER, type Provisioning } from "./provisioning.ts";
import { type Caller, callerOf, isReserved, type Subjects } from "./subjects.ts";
import type { Scope, TokenAuthenticator, TokenDecision } from "./token-authenticator.ts";

/** A caller with a role. The name is for the log. */
export interface IdentifiedCaller {
  readonly caller: Caller;
  readonly name: string;
}

/** How requests get their identity. */
export interface Identification {
  /**
   * `provision`: a subject without a debtor may get one by this request. Throws 400, 401, 403 or 503.
   */
  identify(
    request: IncomingMessage,
    scope: Scope,
    options?: { readonly provision: boolean },
  ): IdentifiedCaller | Promise<IdentifiedCaller>;
  /** Identifies a caller who asks for the options of a resource; `undefined` when anyone may. Throws 400 or 403. */
  identifyForOptions(request: IncomingMessage): IdentifiedCaller | undefined;
  /**
   * Requires a token that would be good for that method on another route, so that clients without access cannot find out which paths
   * exist. Throws 401, 403 or 503.
   */
  authorizeUnknownRoute(request: IncomingMessage, method: string): Promise<void> | undefined;
}

type AllowedToken = TokenDecision & { readonly outcome: "allowed" };

/** Identifies callers by access token. Identity headers are ignored. */
export function tokenIdentification(
  tokenAuthenticator: TokenAuthenticator,
  subjects: Subjects,
  provisioning?: Provisioning,
): Identification {
  const authenticate = async (request: IncomingMessage, scope: Scope): Promise<AllowedToken> => {
    const decision = await tokenAuthenticator.authenticate(
      { authorizationHeaders: valuesOf(request, "authorization") },
      scope,
    );
    switch (decision.outcome) {
      case "allowed":
        return decision;
      case "forbidden":
        throw forbidden();
      case "unauthorized": {
        const challenge = decision.isTokenInvalid ? 'Bearer error="invalid_token"' : "Bearer";
        throw new HttpError(401, undefined, { headers: { "www-authenticate": challenge } });
      }
      case "unavailable": {
        const headers = { "retry-after": String(decision.retryAfterSeconds) };
        throw new HttpError(503, "Try again later.", { headers });
      }
    }
  };
  const callerOfToken = (token: AllowedToken): Caller | undefined => {
    const named = token.isOwnIssuer ? callerOf(subjects, token.subject) : undefined;
    if (named !== undefined || token.boundDebtorId === undefined) return named;
    return { kind: "debtor", debtorId: token.boundDebtorId };
  };
  return {
    async identify(request, scope, options) {
      const token = await authenticate(request, scope);
      const caller = callerOfToken(token);
      if (caller !== undefined) return { caller, name: token.subject };
      if (provisioning === undefined || (token.isOwnIssuer && isReserved(subjects, token.subject))) throw forbidden();
      if (options?.provision !== true) throw forbidden(NOT_AN_ISSUER);
      return { caller: { kind: "debtor", debtorId: await provisioning.provision(token) }, name: token.subject };
    },
    identifyForOptions: () => undefined,
    authorizeUnknownRoute: async (request, method) => {
      const scope = scopeOfMethod[method];
      if (scope !== undefined) await authenticate(request, scope);
    },
  };
}

/** The scope required where there is no route. Methods that no route has need none: they are always rejected. */
const scopeOfMethod: Readonly<Record<string, Scope>> = {
  GET: "access.readonly",
  HEAD: "access.readonly",
  POST: "access",
  PUT: "access",
  PATCH: "access",
  DELETE: "access",
};

const IDENTITY_HEADER = "x-swpt-user-id";
const ANONYMOUS: IdentifiedCaller = { caller: { kind: "superuser" }, name: "" };

/** Identifies callers by the header of a proxy in front, which has checked the token. */
export function proxyIdentification(anonymousIsSuperuser: boolean, subjects: Subjects): Identification {
  const identify = (request: IncomingMessage): IdentifiedCaller => {
    const name = request.headers[IDENTITY_HEADER] as string | undefined;
    if (name === undefined) {
      if (anonymousIsSuperuser) return ANONYMOUS;
      throw forbidden();
    }
    // Node joins several lines with commas. A single line with a comma is an unknown name.
    if (name.includes(",") && valuesOf(request, IDENTITY_HEADER).length > 1) {
      throw new HttpError(400, "More than one X-Swpt-User-Id header.");
    }
    return withRole(subjects, name);
  };
  return {
    identify,
    // A preflight carries no identity.
    identifyForOptions: (request) => (request.headers[IDENTITY_HEADER] === undefined ? undefined : identify(request)),
    authorizeUnknownRoute: () => undefined,
  };
}

function withRole(subjects: Subjects, name: string): IdentifiedCaller {
  const caller = callerOf(subjects, name);
  if (caller === undefined) throw forbidden();
  return { caller, name };
}
