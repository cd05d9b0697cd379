/** A cache of introspection answers. Spec: authorization, "Token check". */
import type { Clock } from "./clock.ts";
import type { ScopeSet } from "./scopes.ts";

/** What a valid token grants. */
export interface Grant {
  /** The name of the caller; `null` when the token names none. */
  readonly subject: string | null;
  /** The issuer of the token, when it is known. */
  readonly issuer: string | null;
  /** Whether the patterns of the settings apply to the subject: it is not that of another issuer. */
  readonly isOwnIssuer: boolean;
  /** The debtor that the subject is bound to, signed. */
  readonly boundDebtorId: bigint | undefined;
  /** Whether the token meets the conditions for creating a debtor. */
  readonly mayProvision: boolean;
  readonly scopes: ScopeSet;
  /** `exp`: seconds since 1970, perhaps with a fraction; Infinity when there is none. */
  readonly expiresAt: number;
}

/** Grants by the digest of their token. */
export interface TokenCache {
  /** The grant of the token with that key, unless it is unknown or expired. */
  find(key: string): Grant | undefined;
  /** Adds the grant. When there are too many, old ones are evicted; those used since they were added get a second chance. */
  keep(key: string, grant: Grant): void;
  /** Replaces the grant `known` for the rest of its time, unless it has been evicted or renewed in the meantime. */
  replace(key: string, known: Grant, grant: Grant): void;
  /** The number of entries, and an estimate of their memory. */
  size(): { readonly entries: number; readonly bytes: number };
}

export interface TokenCacheOptions {
  /** Maximum time that a grant is kept; 0 for never. */
  readonly seconds: number;
  readonly entriesMax: number;
  readonly bytesMax: number;
  readonly clock: Clock;
}

// An entry of a Map with a 43-character key, two records, two floats, and the head of a string, rounded up:
// test/auth/token-cache.test.ts measures it.
const ENTRY_BYTES = 320;

interface Entry {
  readonly grant: Grant;
  readonly keptUntil: number;
  wasUsed: boolean;
}

/** Makes an empty cache. Keys must be of one length and must not reveal the token. */
export function createTokenCache({ seconds, entriesMax, bytesMax, clock }: TokenCacheOptions): TokenCache {
  // A Map keeps the order of insertion. Using an entry does not move it to the end, as a strict "least recently used" would:
  // that fills the Map with holes, and removing them stops the process for a time that grows with the number of entries.
  const entries = new Map<string, Entry>();
  let bytes = 0;

  const evict = (key: string, grant: Grant): void => {
    entries.delete(key);
    bytes -= bytesOf(grant);
  };

  // Kept between two calls: everything that it has passed has been evicted or moved to the end, and a new iterator would
  // step over all those holes again.
  let oldest = entries.entries();
  const evictOldest = (): void => {
    const next = oldest.next();
    if (next.done) {
      oldest = entries.entries();
      return;
    }
    const [key, entry] = next.value;
    if (!entry.wasUsed) {
      evict(key, entry.grant);
      return;
    }
    entry.wasUsed = false;
    entries.delete(key);
    entries.set(key, entry);
  };

  return {
    find(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (clock.steadySeconds() >= entry.keptUntil || clock.wallSeconds() >= entry.grant.expiresAt) {
        evict(key, entry.grant);
        return undefined;
      }
      entry.wasUsed = true;
      return entry.grant;
    },
    keep(key, grant) {
      const known = entries.get(key);
      if (known !== undefined) evict(key, known.grant);
      if (seconds <= 0 || entriesMax <= 0 || bytesOf(grant) > bytesMax) return;
      entries.set(key, { grant, keptUntil: clock.steadySeconds() + seconds, wasUsed: false });
      bytes += bytesOf(grant);
      while (entries.size > entriesMax || bytes > bytesMax) evictOldest();
    },
    replace(key, known, grant) {
      const entry = entries.get(key);
      if (entry?.grant !== known) return;
      bytes += bytesOf(grant) - bytesOf(known);
      entries.set(key, { ...entry, grant });
    },
    size: () => ({ entries: entries.size, bytes }),
  };
}

// A string takes two bytes per character when any of them is beyond Latin-1.
const bytesOf = (grant: Grant): number =>
  ENTRY_BYTES + 2 * ((grant.subject?.length ?? 0) + (grant.issuer?.length ?? 0));
