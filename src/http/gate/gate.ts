/** The gate: has the token of a request the scope that its operation needs? Spec: authorization, parts 3 and 4. */
import type { Logger } from "../../runtime/log.ts";
import type { Scope } from "./scopes.ts";

export type { Scope } from "./scopes.ts";

/** What the gate says of a request. `subject` is the name of the caller: not empty, no control characters. */
export type GateDecision =
  | { readonly outcome: "allowed"; readonly subject: string }
  /** 401. `isTokenInvalid`: a token was sent, and it is not a good one. */
  | { readonly outcome: "unauthorized"; readonly isTokenInvalid: boolean }
  /** 403: the scope is not granted, or the token names nobody, or it is no access token. */
  | { readonly outcome: "forbidden" }
  /** 503: the authorization server cannot be asked. */
  | { readonly outcome: "unavailable"; readonly retryAfterSeconds: number };

export interface Gate {
  /** `authorizationHeaders`: the values of all `Authorization` headers of the request. Never rejects. */
  authenticate(
    request: { readonly authorizationHeaders: readonly string[] },
    requiredScope: Scope,
  ): Promise<GateDecision>;
}

export interface GateOptions {
  readonly introspectUrl: string;
  readonly identityClaim: "sub" | "username" | null;
  readonly cacheSeconds: number;
  readonly cacheEntriesMax: number;
  readonly log: Logger;
}

export declare function createGate(options: GateOptions): Gate & { close(): Promise<void> };
