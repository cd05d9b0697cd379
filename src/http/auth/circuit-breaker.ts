/**
 * Leaves a server alone that does not answer. After `failuresMax` failures in a row it admits nobody for a pause; then
 * one caller, the probe, whose success or failure decides for all.
 */
import type { Clock } from "./clock.ts";

/** Says whether a server may be asked, and is told how that went. */
export interface CircuitBreaker {
  /** Whether the caller may ask the server. One who is admitted must report `succeeded` or `failed`. */
  admit(): boolean;
  succeeded(): void;
  /** Returns whether this failure was the one that began a pause. */
  failed(): boolean;
  /** How long it is worth waiting before the next try. */
  retryAfterSeconds(): number;
}

export interface CircuitBreakerOptions {
  readonly failuresMax: number;
  readonly pauseSeconds: number;
  readonly clock: Clock;
}

/** Makes a breaker that admits everybody until failures are reported. */
export function createCircuitBreaker({ failuresMax, pauseSeconds, clock }: CircuitBreakerOptions): CircuitBreaker {
  let failures = 0;
  let pausedUntil = -Infinity;
  let isProbing = false;
  return {
    admit() {
      if (failures < failuresMax) return true;
      if (isProbing || clock.steadySeconds() < pausedUntil) return false;
      isProbing = true;
      return true;
    },
    succeeded() {
      failures = 0;
      isProbing = false;
    },
    failed() {
      const wasProbing = isProbing;
      failures += 1;
      isProbing = false;
      if (failures !== failuresMax && !wasProbing) return false;
      pausedUntil = clock.steadySeconds() + pauseSeconds;
      return true;
    },
    retryAfterSeconds: () =>
      failures < failuresMax ? pauseSeconds : Math.max(pausedUntil - clock.steadySeconds(), pauseSeconds / 10),
  };
}
