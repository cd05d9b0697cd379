/**
 * One process that starts others, starts them again when they die, and stops them. They are workers of `node:cluster`:
 * those that listen on the same port share it, and they end when the supervisor does. Spec: operations, "Life and death
 * of processes".
 */
import cluster, { type Worker } from "node:cluster";
import { errorText } from "../values/error-text.ts";
import { createBackoff, pause } from "./backoff.ts";
import { STOP_MILLIS_MAX, untilAborted } from "./lifetime.ts";
import type { Logger } from "./log.ts";
import { formatMetrics, measureLostLogLines, type ProcessMetrics } from "./metrics.ts";
import { type Readiness, startMonitoring } from "./monitoring.ts";
import { ask, send } from "./questions.ts";

export interface SupervisorOptions {
  /** What is to run, and in how many processes. */
  readonly processes: readonly { readonly type: string; readonly count: number }[];
  /** The program of a child; it is given the type of its process as the only argument. */
  readonly program: string;
  /** Options of Node.js for the child that runs a process of this type. */
  readonly nodeOptionsOf: (processType: string) => readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Restart a child that dies. Otherwise everything stops, and the exit code is 1. */
  readonly restart: boolean;
  /** The type of the processes that clients depend on: these alone decide `/ready`. `undefined`: all of them do. */
  readonly servingType: string | undefined;
  /** Whether SIGHUP is passed on to the children, instead of ending everything. */
  readonly passesHangup: boolean;
  /** 0 for no monitoring. */
  readonly monitoringPort: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const RESTART_PAUSE_MILLIS = 500;
const RESTART_PAUSE_MILLIS_MAX = 30_000;
/** After this time a process counts as healthy: when it ends, the pauses begin with the shortest again. */
const HEALTHY_LIFE_MILLIS = 60_000;
/** A child may get a SIGTERM for the whole process group a moment before the supervisor does. */
const SAME_SIGNAL_MILLIS = 500;
/** After this time a child that was told to stop is killed; by itself it gives up a little earlier. */
const KILL_MILLIS = STOP_MILLIS_MAX + 1_000;

/**
 * Runs the processes until the signal is aborted or all of them have finished their work (exit code 0), and resolves to the
 * exit code. All children have ended by then.
 */
export async function supervise(options: SupervisorOptions): Promise<number> {
  const { processes, restart, log } = options;
  const failure = new AbortController();
  const stop = AbortSignal.any([options.signal, failure.signal]);
  const slots: Slot[] = [];
  let hasKilled = false;

  async function keepAlive(slot: Slot): Promise<void> {
    const backoff = createBackoff({ minMillis: RESTART_PAUSE_MILLIS, maxMillis: RESTART_PAUSE_MILLIS_MAX });
    for (;;) {
      const start = performance.now();
      const end = await endOf(slot.worker);
      if (end.code === 0) return; // It was told to stop, or its work is done.
      if (!stop.aborted && !restart) await pause(SAME_SIGNAL_MILLIS, stop);
      if (stop.aborted) return;
      log.error({ processType: slot.processType, ...end }, "A process has died");
      if (!restart) return failure.abort();
      if (performance.now() - start > HEALTHY_LIFE_MILLIS) backoff.reset();
      await pause(backoff.nextMillis(), stop);
      if (stop.aborted) return;
      slot.worker = startWorker(slot.processType);
    }
  }

  function startWorker(processType: string): Worker {
    const { program: exec, nodeOptionsOf } = options;
    cluster.setupPrimary({
      exec,
      args: [processType],
      execArgv: [...nodeOptionsOf(processType)],
      serialization: "advanced",
    });
    return cluster.fork(options.environment);
  }

  /** Resolves when the process has ended; when it has been told to stop, that takes `KILL_MILLIS` at most. */
  async function endOf(worker: Worker): Promise<ProcessExit> {
    const timers: NodeJS.Timeout[] = [];
    const stopWorker = (): void => {
      send(worker, { type: "stop" });
      timers.push(
        setTimeout(() => {
          hasKilled = true;
          worker.process.kill("SIGKILL");
        }, KILL_MILLIS),
      );
    };
    if (stop.aborted) stopWorker();
    else stop.addEventListener("abort", stopWorker);
    const end = await new Promise<ProcessExit>((resolve) => {
      worker.once("exit", (code: number | null, killedBy: string | null) => resolve({ code, killedBy }));
      // One that could not be started has no exit.
      worker.on("error", (error) => {
        if (worker.process.pid === undefined) resolve({ code: null, killedBy: null, notStarted: errorText(error) });
      });
    });
    stop.removeEventListener("abort", stopWorker);
    timers.forEach(clearTimeout);
    return end;
  }

  const monitoring = await startMonitoring({
    port: options.monitoringPort,
    log,
    metrics: async () => formatMetrics([...(await collectMetrics(slots)), supervisorMetrics()]),
    readiness: async ({ processType, address }) => {
      const reasons = await collectUnreadyReasons(slots, address);
      return decideReadiness(reasons, processType ?? options.servingType ?? ALL_PROCESSES);
    },
  });
  for (const { type, count } of processes) {
    for (let number = 1; number <= count; number++)
      slots.push({ processType: type, number, worker: startWorker(type) });
  }
  const passHangup = (): void => {
    for (const { worker } of slots) send(worker, { type: "hangup" });
  };
  if (options.passesHangup) process.on("SIGHUP", passHangup);
  // With all numbers of processes set to 0 it still runs, and does nothing.
  await (slots.length === 0 ? untilAborted(stop) : Promise.all(slots.map(keepAlive)));
  process.off("SIGHUP", passHangup);
  await monitoring.close();
  if (hasKilled) log.error("Killed processes that did not stop in time");
  return failure.signal.aborted || hasKilled ? 1 : 0;
}

interface ProcessExit {
  readonly code: number | null;
  readonly killedBy: string | null;
  /** Why it could not be started. */
  readonly notStarted?: string;
}

/** A place for a child; the child in it changes when it is started again. */
interface Slot {
  readonly processType: string;
  readonly number: number;
  worker: Worker;
}

async function collectMetrics(slots: readonly Slot[]): Promise<ProcessMetrics[]> {
  const all = await Promise.all(
    slots.map(async ({ processType, number, worker }) => {
      const answer = await ask(worker, { type: "metrics" });
      return answer && { labels: { process_type: processType, process: String(number) }, metrics: answer.metrics };
    }),
  );
  return all.filter((report) => report !== undefined);
}

/** For each type of process the reasons why it is not ready, if any. */
async function collectUnreadyReasons(slots: readonly Slot[], address: string): Promise<Map<string, string[]>> {
  const reasons = new Map<string, string[]>();
  await Promise.all(
    slots.map(async ({ processType, worker }) => {
      const ofType = reasons.getOrInsert(processType, []);
      const answer = await ask(worker, { type: "unreadyReasons", address });
      for (const reason of answer?.unreadyReasons ?? ["The process does not answer"]) {
        if (!ofType.includes(reason)) ofType.push(reason);
      }
    }),
  );
  return reasons;
}

/** Asked for in the place of a type of process. */
const ALL_PROCESSES = "all";

/** `undefined` when there is no process of this type. */
function decideReadiness(reasons: ReadonlyMap<string, readonly string[]>, processType: string): Readiness | undefined {
  const decisive = processType === ALL_PROCESSES ? [...reasons.keys()] : [processType];
  if (!decisive.every((type) => reasons.has(type))) return undefined;
  return {
    unreadyReasons: decisive.flatMap((type) => reasons.get(type)!.map((reason) => `${type}: ${reason}`)),
    processes: Object.fromEntries(reasons),
  };
}

const supervisorMetrics = (): ProcessMetrics => ({
  labels: { process_type: "supervisor", process: "1" },
  metrics: [measureLostLogLines()],
});
