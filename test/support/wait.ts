/** Waiting for conditions. Tests never sleep for a time that is hoped to be enough. */
import { setTimeout as pause } from "node:timers/promises";

const LOOK_MILLIS = 20;

/**
 * Looks again and again until the condition gives something other than `undefined`, `false` or `null`, and returns that.
 * Rejects after `timeoutSeconds` with the text of `what`, and at once when the condition throws.
 */
export async function waitFor<Found>(
  condition: () => Found | Promise<Found>,
  { what = "the condition", timeoutSeconds = 60 }: { what?: string | (() => string); timeoutSeconds?: number } = {},
): Promise<Exclude<Found, undefined | false | null>> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    const found = await condition();
    if (found !== undefined && found !== false && found !== null) return found as never;
    if (performance.now() > deadline) {
      throw new Error(`Waited ${timeoutSeconds} s without success for ${typeof what === "string" ? what : what()}`);
    }
    await pause(LOOK_MILLIS);
  }
}
