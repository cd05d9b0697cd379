/** Runs so many tasks at a time, lets so many wait, and refuses the rest. */

/** Gives tasks their turn. */
export interface ConcurrencyLimit {
  /**
   * Runs the task as soon as there is a place, first come, first served. Rejects with a TooBusyError when too many wait
   * already, and with the signal's reason when it aborts while waiting.
   */
  run<Result>(task: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
}

/** So many wait already that one more is refused. */
export class TooBusyError extends Error {
  override readonly name = "TooBusyError";
}

/** Makes a limit. `runningMax` and `waitingMax` are numbers of tasks. */
export function createConcurrencyLimit({
  runningMax,
  waitingMax,
}: {
  readonly runningMax: number;
  readonly waitingMax: number;
}): ConcurrencyLimit {
  // A Set walks in the order of insertion, and whoever gives up leaves it at once.
  const waiting = new Set<() => void>();
  let running = 0;

  const wait = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const begin = (): void => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = (): void => {
        waiting.delete(begin);
        reject(signal.reason as Error);
      };
      waiting.add(begin);
      signal.addEventListener("abort", giveUp, { once: true });
    });

  return {
    async run(task, signal) {
      signal.throwIfAborted();
      if (running < runningMax) running += 1;
      else if (waiting.size >= waitingMax) throw new TooBusyError(`${waitingMax} tasks are waiting already`);
      else await wait(signal); // Whoever leaves hands over its place, so `running` stays.
      try {
        return await task();
      } finally {
        const [next] = waiting;
        if (next === undefined) running -= 1;
        else {
          waiting.delete(next);
          next();
        }
      }
    },
  };
}
