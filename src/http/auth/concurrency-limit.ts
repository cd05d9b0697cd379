/** A limit on how many tasks run at a time and how many wait. */

/** Runs tasks within the limit. */
export interface ConcurrencyLimit {
  /**
   * Runs the task as soon as there is room, in the order of the calls. Rejects with a TooBusyError when too many tasks
   * are waiting, and with the signal's reason when it aborts while the task waits.
   */
  run<Result>(task: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
}

/** Too many tasks are waiting. */
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
  // A Set keeps the order of insertion, and a task that gives up is removed at once.
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
      else if (waiting.size >= waitingMax) throw new TooBusyError(`${waitingMax} tasks are already waiting`);
      else await wait(signal); // A finished task hands over its place, so `running` stays the same.
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
