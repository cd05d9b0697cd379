/** Waking a loop that waits, from elsewhere in the process. */

/** A bell that remembers one ring. */
export interface Wakeup {
  ring(): void;
  /** Resolves at the next ring, or at once when it has rung since the last wait; after the time; or when aborted. */
  wait(millisMax: number, signal: AbortSignal): Promise<void>;
}

/** More than that a timer takes for none. */
const TIMER_MILLIS_MAX = 2_147_483_647;

/** Makes a bell that has not rung. */
export function createWakeup(): Wakeup {
  let hasRung = false;
  let wake = (): void => {};
  return {
    ring: () => {
      hasRung = true;
      wake();
    },
    wait: async (millisMax, signal) => {
      if (!hasRung && !signal.aborted) {
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
      hasRung = false;
    },
  };
}
