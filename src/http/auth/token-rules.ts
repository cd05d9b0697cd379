/** What a token must say, beyond being active, and how it says it. Spec: authorization, "Token check", "Provisioning". */
import type { Scope } from "./scopes.ts";

/** Which member of the answer names the caller; null: `sub`, else `username`. */
export type IdentityClaim = "sub" | "username" | null;

/** A claim and the value that it must have or contain: `email_verified` and `true`, `groups` and `issuers`. */
export interface RequiredClaim {
  readonly name: string;
  readonly value: string;
}

/** Whose first request may create a debtor, besides the scope `access` and the issuer. */
export interface ProvisioningConditions {
  /** A scope under the authorization server's own name; null for none. */
  readonly scope: string | null;
  readonly claim: RequiredClaim | null;
}

/** What tokens must say, and the names under which they say it. */
export interface TokenRules {
  readonly identityClaim: IdentityClaim;
  /** `iss` of the tokens whose names the patterns of the settings are about; null: those of every token. */
  readonly issuer: string | null;
  /** Must be `aud` or one of its elements; null: any. */
  readonly audience: string | null;
  /** The names of scopes at the authorization server, where they are not ours. */
  readonly scopeNames: Readonly<Partial<Record<Scope, string>>>;
  /** Null: no token creates a debtor. */
  readonly provisioning: ProvisioningConditions | null;
}

/** The rules that ask for nothing. */
export const defaultTokenRules: TokenRules = {
  identityClaim: null,
  issuer: null,
  audience: null,
  scopeNames: {},
  provisioning: null,
};
