/** Pauses between attempts that fail, for which a test does not wait. */
import { syncBuiltinESMExports } from "node:module";
import type { TestContext } from "node:test";
import timers from "node:timers/promises";

/** Until a pause that doubles has grown as far as it ever does. */
const PAUSES = 30;

/**
 * For the rest of the test, pauses end at once, and are as long as chance allows. Resolves to the longest of the first ones, in
 * milliseconds.
 */
export function longestOfSkippedPauses(t: TestContext): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const pauses: number[] = [];
  const wait = timers.setTimeout;
  t.mock.method(Math, "random", () => 1);
  t.mock.method(timers, "setTimeout", (millis: number, value: unknown, options: object) => {
    pauses.push(millis);
    if (pauses.length === PAUSES) resolve(Math.max(...pauses));
    return wait(0, value, options);
  });
  // For those who import it by name.
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  return promise;
}
