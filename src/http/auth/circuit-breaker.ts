/**
 * A circuit breaker for a server. After `failuresMax` failures in a row it opens: calls are rejected for a pause. Then
 * one caller, the probe, is let through, and its success or failure decides for all.
 */
import type { Clock } from "./clock.ts";

/** Decides whether callers may use a server, by what they report. */
export interface CircuitBreaker {
  /** Whether the caller may use the server. If so, it must report `succeeded` or `failed`. */
  admit(): boolean;
  succeeded(): void;
  /** Returns whether this failure has opened the circuit. */
  failed(): boolean;
  /** When to try again. */
  retryAfterSeconds(): number;
}

export interface CircuitBreakerOptions {
  readonly failuresMax: number;
  readonly pauseSeconds: number;
  readonly clock: Clock;
}

/** Makes a closed circuit breaker. */
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
