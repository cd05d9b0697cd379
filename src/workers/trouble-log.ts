/** Logging what keeps a worker from its work: at once, and from then on once in a while until it is over. */
import type { Logger } from "pino";

/** Trouble that goes on is logged at most this often. */
const TROUBLE_LOG_MILLIS = 60_000;

/** Says what is wrong, and when that is over. */
export interface TroubleLog {
  /** `error` is for what does not pass by itself. Another event than the last one is logged at once. */
  report(level: "warn" | "error", event: string, details: object): void;
  /** All is well: logs the given event when trouble had been reported before. */
  end(event: string): void;
}

/** `context` goes into every line. */
export function createTroubleLog(log: Logger, context: object): TroubleLog {
  let last: { readonly event: string; readonly at: number } | undefined;
  return {
    report: (level, event, details) => {
      const at = performance.now();
      if (last?.event === event && at - last.at < TROUBLE_LOG_MILLIS) return;
      last = { event, at };
      log[level]({ ...context, ...details }, event);
    },
    end: (event) => {
      if (last !== undefined) log.warn(context, event);
      last = undefined;
    },
  };
}
