/** Logs what keeps a worker from working: at once, and then at intervals until it is over. */
import type { Logger } from "pino";

/** A problem that goes on is logged at most this often. */
const REPEAT_MILLIS = 60_000;

/** Reports problems, and their end. */
export interface ProblemLog {
  /** `error` is for problems that do not end by themselves. An event that differs from the last one is logged at once. */
  report(level: "warn" | "error", event: string, details: object): void;
  /** The problem is over: logs the given event if one had been reported. */
  end(event: string): void;
}

/** `context` is added to every line. */
export function createProblemLog(log: Logger, context: object): ProblemLog {
  let last: { readonly event: string; readonly at: number } | undefined;
  return {
    report: (level, event, details) => {
      const at = performance.now();
      if (last?.event === event && at - last.at < REPEAT_MILLIS) return;
      last = { event, at };
      log[level]({ ...context, ...details }, event);
    },
    end: (event) => {
      if (last !== undefined) log.warn(context, event);
      last = undefined;
    },
  };
}
