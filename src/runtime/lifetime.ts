/** When a process ends. Spec: operations, "Life and death of processes". */
import os from "node:os";
import type { Logger } from "./log.ts";

/** Maximum time from the request to stop to the end of the process. Docker kills after 10 seconds. */
export const STOP_MILLIS_MAX = 8_000;

/** Calls the handler for each SIGTERM and SIGINT, also for those that came before. It replaces the handler before it. */
export type HandleSignals = (handler: (name: "SIGTERM" | "SIGINT") => void) => void;

/**
 * The signal of this process's life: aborted by the first SIGTERM or SIGINT. A second one ends the process at once,
 * with the exit code that a shell gives to a process that a signal killed.
 */
export function stopOnSignals(handleSignals: HandleSignals): AbortSignal {
  const life = new AbortController();
  handleSignals((name) => {
    if (life.signal.aborted) process.exit(128 + os.constants.signals[name]);
    life.abort();
  });
  return life.signal;
}

/** Resolves when the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/**
 * Settles as the work does, or rejects as soon as the signal is aborted: with its reason, or with the error that is given. The
 * work is abandoned then.
 */
export function abandonWhenAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal,
  errorOf: () => unknown = () => signal.reason,
): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(errorOf());
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener("abort", abort));
}

/** One phase of a shutdown: resolves when the work is done or has timed out, which is logged. Never rejects. */
export async function finishWithin(
  millisMax: number,
  phase: string,
  work: Promise<unknown>,
  log: Logger,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      log.warn({ phase, millisMax }, "Shutdown phase timed out; continuing");
      resolve();
    }, millisMax);
  });
  const done = work.then(
    () => {},
    (error: unknown) => log.warn({ err: error, phase }, "Shutdown phase failed; continuing"),
  );
  await Promise.race([done, late]);
  clearTimeout(timer);
}

/**
 * Runs several things that go on until their signal is aborted, and resolves when all have ended. When one of them
 * fails, the others are stopped; then the first error is thrown.
 */
export async function runTogether(
  works: readonly ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  await Promise.allSettled(works.map((work) => work(stop).catch((error: unknown) => failure.abort(error))));
  if (failure.signal.aborted) throw failure.signal.reason;
}
