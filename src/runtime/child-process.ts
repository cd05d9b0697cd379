/** A child of the supervisor: it stops when told to, and answers questions. See `supervisor.ts`. */
import { EventEmitter } from "node:events";
import { pause } from "./backoff.ts";
import { CommandError } from "./command-error.ts";
import { type HandleSignals, STOP_MILLIS_MAX, untilAborted } from "./lifetime.ts";
import type { Logger } from "./log.ts";
import type { Metric } from "./metrics.ts";

/** What the supervisor says to a child. */
export type Request = { readonly type: "stop" } | { readonly type: "hangup" } | (Question & Numbered);

/** What it asks a child. */
export type Question = { readonly type: "metrics" } | { readonly type: "unreadyReasons"; readonly address: string };

/** What a child answers. */
export type Answer = Numbered &
  (
    | { readonly type: "metrics"; readonly metrics: readonly Metric[] }
    | { readonly type: "unreadyReasons"; readonly unreadyReasons: readonly string[] }
  );

/** An answer has the number of its question: several of one type may be asked at a time. */
interface Numbered {
  readonly number: number;
}

/** What a child can be asked. */
export interface SupervisedProcess {
  readonly metrics: () => Promise<readonly Metric[]>;
  /** Why it is not ready for work, in words; empty when it is. The address is the one of this machine that was asked. */
  readonly unreadyReasons: (address: string) => Promise<readonly string[]>;
}

const READINESS_MILLIS_MAX = 2_000;

/** Why a child is to stop: `SUPERVISOR`, or the name of a signal that it got by itself. Reason of the abort. */
type StopReason = typeof SUPERVISOR | "SIGTERM" | "SIGINT";
const SUPERVISOR = "supervisor";

/**
 * Aborted by the supervisor, or by the first SIGTERM or SIGINT: a terminal also sends these to the children. Later ones
 * are ignored, since the supervisor ends what does not end by itself; and when the supervisor is gone, so is its child
 * (`node:cluster` sees to that).
 */
export function stopWithSupervisor(handleSignals: HandleSignals): AbortSignal {
  const life = new AbortController();
  const stop = (reason: StopReason): void => life.abort(reason);
  handleSignals(stop);
  process.on("message", (request: Request) => {
    if (request.type === "stop") stop(SUPERVISOR);
    // For those who listen; a process that does not is not ended by this.
    if (request.type === "hangup") process.emit("SIGHUP", "SIGHUP");
  });
  return life.signal;
}

/** Resolves when the supervisor has next collected the metrics, when the signal is aborted, or after the time. */
export async function untilMetricsAreCollected(millisMax: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  metricsCollected.once(COLLECTED, resolve);
  await Promise.race([promise, pause(millisMax, signal)]);
}

const COLLECTED = "collected";
const metricsCollected = new EventEmitter();

/** Answers the supervisor's questions from now on. */
export function answerSupervisor({ metrics, unreadyReasons }: SupervisedProcess): void {
  const send = (answer: Answer): void => {
    if (process.connected) process.send?.(answer, undefined, undefined, () => {});
  };
  process.on("message", (request: Request) => {
    if (request.type === "metrics") {
      const { type, number } = request;
      void metrics().then((all) => {
        send({ type, number, metrics: all });
        metricsCollected.emit(COLLECTED);
      });
    }
    if (request.type === "unreadyReasons") {
      const { type, number, address } = request;
      void inTime(unreadyReasons(address)).then((all) => send({ type, number, unreadyReasons: all }));
    }
  });
}

/**
 * Runs the work to its end and resolves to the exit code: 0 when the supervisor asked for the end or the work is done,
 * 128 when a signal did. Work that takes longer than `STOP_MILLIS_MAX` after the
 * signal is abandoned; every process may be killed at any moment.
 */
export async function runToEnd(work: () => Promise<void>, signal: AbortSignal, log: Logger): Promise<number> {
  const overdue = async (): Promise<number> => {
    await untilAborted(signal);
    await new Promise((resolve) => setTimeout(resolve, STOP_MILLIS_MAX).unref());
    log.error("In-flight work did not finish in time; abandoning it");
    return 1;
  };
  try {
    const done = work().then(() => (signal.aborted && signal.reason !== SUPERVISOR ? 128 : 0));
    return await Promise.race([done, overdue()]);
  } catch (error) {
    if (error instanceof CommandError) log.error(error.message);
    else log.error({ err: error }, "The process exits because of an error");
    return 1;
  }
}

async function inTime(unreadyReasons: Promise<readonly string[]>): Promise<readonly string[]> {
  const late = new Promise<readonly string[]>((resolve) => {
    setTimeout(() => resolve(["The check timed out"]), READINESS_MILLIS_MAX).unref();
  });
  return Promise.race([unreadyReasons.catch((error: unknown) => [`The check failed: ${String(error)}`]), late]);
}
