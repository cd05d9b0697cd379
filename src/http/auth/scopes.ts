/** OAuth 2 scopes, compared by the "hierarchic" strategy. Spec: authorization, "Scopes by operation". */

/** The scopes that operations require. */
export const scopes = ["access.readonly", "access", "activate", "deactivate", "restrict"] as const;

/** One of `scopes`. */
export type Scope = (typeof scopes)[number];

/** The scopes that a token satisfies, one bit each, because a cache holds many of these. */
export type ScopeSet = number & { readonly brand: "ScopeSet" };

/** Reads the `scope` of an introspection answer: names with a single space between them. Anything but a string grants nothing. */
export function readScopes(granted: unknown, scopeNames: Readonly<Partial<Record<Scope, string>>> = {}): ScopeSet {
  if (typeof granted !== "string") return 0 as ScopeSet;
  const names = translate(granted.split(" "), scopeNames);
  return scopes.reduce(
    (set, scope) => (names.some((name) => satisfies(name, scope)) ? set | bitOf(scope) : set),
    0,
  ) as ScopeSet;
}

/** Turns the authorization server's names into ours. A scope that has another name there is not granted under ours. */
function translate(
  granted: readonly string[],
  scopeNames: Readonly<Partial<Record<Scope, string>>>,
): readonly string[] {
  const renamed = scopes.filter((scope) => scopeNames[scope] !== undefined);
  if (renamed.length === 0) return granted;
  return [
    ...granted.filter((name) => !renamed.includes(name as Scope)),
    ...renamed.filter((scope) => granted.includes(scopeNames[scope]!)),
  ];
}

/** Whether the scope is in the set. */
export const hasScope = (set: ScopeSet, scope: Scope): boolean => (set & bitOf(scope)) !== 0;

/** Whether the dot-separated segments of `granted` are the first ones, or all, of those of `required`. */
export const satisfies = (granted: string, required: string): boolean =>
  required === granted || required.startsWith(`${granted}.`);

const bitOf = (scope: Scope): number => 1 << scopes.indexOf(scope);
