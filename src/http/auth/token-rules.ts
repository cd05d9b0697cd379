/** The claims that tokens must have, and their names. Spec: authorization, "Token check", "Provisioning". */
import type { Scope } from "./scopes.ts";

/** The member of the answer that names the caller; null: `sub`, else `username`. */
export type IdentityClaim = "sub" | "username" | null;

/** A claim and the value that it must have or contain: `email_verified` and `true`, `groups` and `issuers`. */
export interface RequiredClaim {
  readonly name: string;
  readonly value: string;
}

/** Conditions for a subject to get a debtor, besides the scope `access` and the issuer. */
export interface ProvisioningConditions {
  /** A scope under the authorization server's own name; null for none. */
  readonly scope: string | null;
  readonly claim: RequiredClaim | null;
}

/** The rules for valid tokens. */
export interface TokenRules {
  readonly identityClaim: IdentityClaim;
  /** `iss` of the tokens to whose subjects the patterns of the settings apply; null for all tokens. */
  readonly issuer: string | null;
  /** Must be `aud` or one of its elements; null: any. */
  readonly audience: string | null;
  /** The scopes that have other names at the authorization server. */
  readonly scopeNames: Readonly<Partial<Record<Scope, string>>>;
  /** Null: no token creates a debtor. */
  readonly provisioning: ProvisioningConditions | null;
}

/** Rules without any condition. */
export const defaultTokenRules: TokenRules = {
  identityClaim: null,
  issuer: null,
  audience: null,
  scopeNames: {},
  provisioning: null,
};
