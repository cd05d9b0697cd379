/** The clocks that authentication uses. */

/** Tells the time. Tests replace it. */
export interface Clock {
  /** Seconds since 1970, with a fraction: what `exp` is compared with. */
  wallSeconds(): number;
  /** Seconds since some moment, never set back: what durations are measured with. */
  steadySeconds(): number;
}

/** The clocks of this machine. */
export const systemClock: Clock = {
  wallSeconds: () => Date.now() / 1000,
  steadySeconds: () => performance.now() / 1000,
};
