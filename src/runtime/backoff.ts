/** Waiting: pauses that a signal cuts short, and pauses that grow from failure to failure. */
import { setTimeout as wait } from "node:timers/promises";

/** Resolves after this many milliseconds, or as soon as the signal is aborted. */
export async function pause(millis: number, signal: AbortSignal): Promise<void> {
  // A timer takes at most 2^31-1 milliseconds; a longer time would fire at once.
  await wait(Math.min(millis, 2_147_483_647), undefined, { signal }).catch(() => {});
}

/** A pause that doubles from failure to failure. */
export interface Backoff {
  /** The next pause in milliseconds: the delay times a random factor, so that many processes do not retry in step. */
  nextMillis(): number;
  /** After a success: the next pause is the shortest again. */
  reset(): void;
}

export interface BackoffOptions {
  readonly minMillis: number;
  /** Where the delay stops growing. */
  readonly maxMillis: number;
  /** The random factor is between 0.5 and this; 1 unless given. */
  readonly factorMax?: number;
}

/** Makes a pause that grows from `minMillis` to `maxMillis`. */
export function createBackoff({ minMillis, maxMillis, factorMax = 1 }: BackoffOptions): Backoff {
  let millis = minMillis;
  return {
    nextMillis() {
      const next = millis * (0.5 + Math.random() * (factorMax - 0.5));
      millis = Math.min(millis * 2, maxMillis);
      return next;
    },
    reset() {
      millis = minMillis;
    },
  };
}
