import type { Clock } from "../../src/http/auth/clock.ts";

/** A clock that a test sets. The wall clock can be set back alone. */
export interface FakeClock extends Clock {
  pass(seconds: number): void;
  setWall(seconds: number): void;
}

export function createFakeClock(): FakeClock {
  let steady = 1000;
  let wall = 1_900_000_000;
  return {
    wallSeconds: () => wall,
    steadySeconds: () => steady,
    pass(seconds) {
      steady += seconds;
      wall += seconds;
    },
    setWall(seconds) {
      wall = seconds;
    },
  };
}
