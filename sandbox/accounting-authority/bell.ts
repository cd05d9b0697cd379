/** Something that one loop rings and another one waits for. */

/** A bell that remembers one ring. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring, or at once when it has rung since the last wait; after the time; or when aborted. */
  wait(millisMax: number, signal: AbortSignal): Promise<void>;
}

/** Makes a bell that has not rung. */
export function createBell(): Bell {
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
          const timer = setTimeout(resolve, millisMax);
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
