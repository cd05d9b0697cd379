/** Logs what keeps a worker from working: at once, and then at intervals until it is over. */
import type { Logger } from "pino";

/** Repeated trouble is logged at most this often. */
const TROUBLE_LOG_MILLIS = 60_000;

/** Reports problems, and their end. */
export interface TroubleLog {
  /** `error` is for problems that do not end by themselves. An event that differs from the last one is logged at once. */
  report(level: "warn" | "error", event: string, details: object): void;
  /** The problem is over: logs the given event if one had been reported. */
  end(event: string): void;
}

/** `context` is added to every line. */
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
