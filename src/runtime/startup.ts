/** Steps of a start: each is bounded, reports when it takes long, and ends when the program is told to stop. */
import { CommandError } from "./command-error.ts";

export interface StartStepOptions {
  /** What is done, as in "creating the tables". */
  readonly what: string;
  readonly secondsMax: number;
  /** Aborted when the program is to stop. */
  readonly signal: AbortSignal;
  /** Called with a line for the user when the step takes longer than `PROGRESS_MILLIS`. */
  readonly onProgress: (line: string) => void;
}

/** After this time a start says what it is waiting for. */
export const PROGRESS_MILLIS = 3_000;

/**
 * Resolves or rejects as the work does. Throws a CommandError when the work takes too long, or the program is told to stop
 * before it is done; the work is abandoned then.
 */
export async function startStep<Result>(
  { what, secondsMax, signal, onProgress }: StartStepOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(new CommandError(`Stopped while ${what}.`));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  const timers = [
    setTimeout(() => onProgress(`Still ${what} …`), PROGRESS_MILLIS),
    setTimeout(() => reject(new CommandError(`Gave up after ${secondsMax} seconds of ${what}.`)), secondsMax * 1_000),
  ];
  try {
    return await Promise.race([ended, signal.aborted ? ended : work()]);
  } finally {
    signal.removeEventListener("abort", stop);
    timers.forEach(clearTimeout);
  }
}
