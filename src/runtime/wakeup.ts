/** Waking a loop that waits, from elsewhere in the process. */

/** A notification that is remembered until the next wait. */
export interface Wakeup {
  notify(): void;
  /** Resolves at the next notification, or at once when there was one since the last wait; after the time; or when aborted. */
  wait(millisMax: number, signal: AbortSignal): Promise<void>;
}

/** A timer with a longer time would fire at once. */
const TIMER_MILLIS_MAX = 2_147_483_647;

/** Makes one that has not been notified. */
export function createWakeup(): Wakeup {
  let isNotified = false;
  let wake = (): void => {};
  return {
    notify: () => {
      isNotified = true;
      wake();
    },
    wait: async (millisMax, signal) => {
      if (!isNotified && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(millisMax, TIMER_MILLIS_MAX));
          wake = () => {
            clearTimeout(timer);
            signal.removeEventListener("abort", wake);
            resolve();
          };
          signal.addEventListener("abort", wake, { once: true });
        });
        wake();
        wake = () => {};
      }
      isNotified = false;
    },
  };
}
