/** Who calls: from the gate, or from the proxy in front. Spec: authorization, "Modes", "Roles". */
import type { IncomingMessage } from "node:http";
import { valuesOf } from "../request/header-lines.ts";
import { forbidden, HttpError } from "../response/errors.ts";
import { type Caller, callerOf, type Subjects } from "./subjects.ts";
import type { Scope, TokenAuthenticator } from "./token-authenticator.ts";

/** Somebody with a role. The name is what the log is told. */
export interface IdentifiedCaller {
  readonly caller: Caller;
  readonly name: string;
}

/** How requests get their identity. */
export interface Identification {
  /** Throws 400, 401, 403 or 503. */
  identify(request: IncomingMessage, scope: Scope): IdentifiedCaller | Promise<IdentifiedCaller>;
  /** Who asks for the options of a resource; `undefined` when that plays no role. Throws 400 or 403. */
  identifyForOptions(request: IncomingMessage): IdentifiedCaller | undefined;
  /**
   * Strangers shall not learn which paths there are: to be told that there is no such path or method takes a token that
   * would do for that method elsewhere. Throws 401, 403 or 503.
   */
  authorizeUnknownRoute(request: IncomingMessage, method: string): Promise<void> | undefined;
}

/** The token decides, and nothing else: identity headers mean nothing. */
export function tokenIdentification(tokenAuthenticator: TokenAuthenticator, subjects: Subjects): Identification {
  const authenticate = async (request: IncomingMessage, scope: Scope): Promise<string> => {
    const decision = await tokenAuthenticator.authenticate(
      { authorizationHeaders: valuesOf(request, "authorization") },
      scope,
    );
    switch (decision.outcome) {
      case "allowed":
        return decision.subject;
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
  return {
    identify: async (request, scope) => withRole(subjects, await authenticate(request, scope)),
    identifyForOptions: () => undefined,
    authorizeUnknownRoute: async (request, method) => {
      const scope = scopeOfMethod[method];
      if (scope !== undefined) await authenticate(request, scope);
    },
  };
}

/** What the gate asks where there is no route; nothing for methods that no route has, which are refused anyhow. */
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

/** A proxy in front has checked the token, and names the caller. */
export function proxyIdentification(anonymousIsSuperuser: boolean, subjects: Subjects): Identification {
  const identify = (request: IncomingMessage): IdentifiedCaller => {
    const name = request.headers[IDENTITY_HEADER] as string | undefined;
    if (name === undefined) {
      if (anonymousIsSuperuser) return ANONYMOUS;
      throw forbidden();
    }
    // Several lines come joined by commas, and a comma has no place in a name of one line either.
    if (name.includes(",") && valuesOf(request, IDENTITY_HEADER).length > 1) {
      throw new HttpError(400, "More than one X-Swpt-User-Id header.");
    }
    return withRole(subjects, name);
  };
  return {
    identify,
    // A preflight carries no identity, and so passes.
    identifyForOptions: (request) => (request.headers[IDENTITY_HEADER] === undefined ? undefined : identify(request)),
    authorizeUnknownRoute: () => undefined,
  };
}

function withRole(subjects: Subjects, name: string): IdentifiedCaller {
  const caller = callerOf(subjects, name);
  if (caller === undefined) throw forbidden();
  return { caller, name };
}
