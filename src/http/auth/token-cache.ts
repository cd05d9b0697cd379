/** What the authorization server said of tokens, for a while. Spec: authorization, "Token check". */
import type { Clock } from "./clock.ts";
import type { ScopeSet } from "./scopes.ts";

/** What a good token is good for. */
export interface Grant {
  /** The name of the caller; `null` when the token names nobody. */
  readonly subject: string | null;
  readonly scopes: ScopeSet;
  /** `exp`: seconds since 1970, perhaps with a fraction; Infinity when there is none. */
  readonly expiresAt: number;
}

/** Grants by the digest of their token. */
export interface TokenCache {
  /** The grant of the token with that key, unless it is unknown, kept for too long or expired. */
  find(key: string): Grant | undefined;
  /** Keeps the grant, and when there are too many forgets old ones, sparing once those that were used meanwhile. */
  keep(key: string, grant: Grant): void;
  /** Entries, and the memory that they are reckoned to take. */
  size(): { readonly entries: number; readonly bytes: number };
}

export interface TokenCacheOptions {
  /** The longest time that a grant is kept; 0 for never. */
  readonly seconds: number;
  readonly entriesMax: number;
  readonly bytesMax: number;
  readonly clock: Clock;
}

// An entry of a Map with a 43-character key, two records, two floats, and the head of a string, with room to spare:
// test/auth/token-cache.test.ts weighs it.
const ENTRY_BYTES = 320;

interface Entry {
  readonly grant: Grant;
  readonly keptUntil: number;
  wasUsed: boolean;
}

/** Makes an empty cache. Keys must be of one length, and tell nothing of the token. */
export function createTokenCache({ seconds, entriesMax, bytesMax, clock }: TokenCacheOptions): TokenCache {
  // A Map walks in the order of insertion. Using an entry does not move it to the end (as a strict "least recently used"
  // would want): that fills the Map with holes, and closing them stops the process for as long as there are entries.
  const entries = new Map<string, Entry>();
  let bytes = 0;

  const forget = (key: string, grant: Grant): void => {
    entries.delete(key);
    bytes -= bytesOf(grant);
  };

  // Stays where it is between two calls: all that it has passed is forgotten or moved to the end, and a new iterator
  // would step over the holes of all these again.
  let oldest = entries.entries();
  const forgetOldest = (): void => {
    const next = oldest.next();
    if (next.done) {
      oldest = entries.entries();
      return;
    }
    const [key, entry] = next.value;
    if (!entry.wasUsed) {
      forget(key, entry.grant);
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
        forget(key, entry.grant);
        return undefined;
      }
      entry.wasUsed = true;
      return entry.grant;
    },
    keep(key, grant) {
      const known = entries.get(key);
      if (known !== undefined) forget(key, known.grant);
      if (seconds <= 0 || entriesMax <= 0 || bytesOf(grant) > bytesMax) return;
      entries.set(key, { grant, keptUntil: clock.steadySeconds() + seconds, wasUsed: false });
      bytes += bytesOf(grant);
      while (entries.size > entriesMax || bytes > bytesMax) forgetOldest();
    },
    size: () => ({ entries: entries.size, bytes }),
  };
}

// A string takes two bytes a character when any of them is beyond Latin-1.
const bytesOf = (grant: Grant): number => ENTRY_BYTES + 2 * (grant.subject?.length ?? 0);
