/** Waiting between two attempts. */
import { setTimeout as sleep } from "node:timers/promises";

/** Resolves after the time, or at once when the signal aborts. Never rejects. */
export const pause = (millis: number, signal: AbortSignal): Promise<void> =>
  sleep(millis, undefined, { signal }).catch(() => {});

/** Pauses that double from attempt to attempt, up to a limit. */
export interface GrowingPause {
  /** Milliseconds to wait before the next attempt. */
  next(): number;
  /** An attempt has succeeded: begin with the shortest pause again. */
  reset(): void;
}

export function createGrowingPause({
  firstMillis,
  maxMillis,
}: {
  firstMillis: number;
  maxMillis: number;
}): GrowingPause {
  let millis = firstMillis;
  return {
    next: () => {
      const current = millis;
      millis = Math.min(millis * 2, maxMillis);
      return current;
    },
    reset: () => {
      millis = firstMillis;
    },
  };
}
