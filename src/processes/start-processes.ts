/** Running processes of a node as children of the command. */
import { fileURLToPath } from "node:url";
import type { Config } from "../config.ts";
import type { Environment } from "../environment.ts";
import { createLogger } from "../runtime/log.ts";
import { supervise } from "../runtime/supervisor.ts";
import type { ProcessType } from "./run-process.ts";

/** Which processes, and for which command. */
export interface StartOptions {
  readonly command: string;
  readonly processes: readonly { readonly type: ProcessType; readonly count: number }[];
  readonly config: Config;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  /** See `supervise`; false when not given. */
  readonly restart?: boolean | undefined;
  /** Keep the memory of the processes small, at the cost of speed; false when not given. */
  readonly limitHeap?: boolean | undefined;
}

const program = fileURLToPath(new URL("../../bin/swpt-debtors.js", import.meta.url));

// Under `all`, which runs a small node, memory is more important than speed: garbage is collected earlier than by default,
// glibc keeps a single arena, and code is compiled for size where no client waits for it. Resident after load: about 340 MB,
// and 485 MB with V8's own settings but for the first (npm run bench -- --only memory). Commands that run apart prefer speed:
// 12,200 transfers per second were created without the small heap of the web server, and 8,200 with it, in two runs in
// succession (npm run bench -- --only create-transfer).
const smallHeapOptions = ["--max-semi-space-size=2", "--heap-growing-percent=20"];
const smallHeapOptionsOf = (processType: string): readonly string[] =>
  processType === ("webserver" satisfies ProcessType) ? smallHeapOptions : [...smallHeapOptions, "--optimize-for-size"];
const smallHeapEnvironment = { MALLOC_ARENA_MAX: "1" };

// amqplib reads headers by recursion, and those of one message, which fit into a frame of 128 KiB, may be nested 26,000 deep.
// With V8's 984 KB of stack such a message would break each connection that it is delivered on. Systems give a process 8 MB.
const stackOptions = ["--stack-size=4000"];

/** Runs the processes until the signal is aborted, and resolves to the exit code. */
export function startProcesses({
  command,
  processes,
  config,
  environment,
  signal,
  restart = false,
  limitHeap = false,
}: StartOptions): Promise<number> {
  if (signal.aborted) return Promise.resolve(0);
  return supervise({
    processes,
    program,
    nodeOptionsOf: (type) => [...stackOptions, ...(limitHeap ? smallHeapOptionsOf(type) : [])],
    environment: limitHeap ? { ...smallHeapEnvironment, ...environment } : environment,
    restart,
    servingType: processes.find(({ type, count }) => type === "webserver" && count > 0)?.type,
    // The gateway then looks for a new certificate. A terminal that is closed ends everything as ever.
    passesHangup: processes.some(({ type, count }) => type === "gateway" && count > 0) && !process.stdin.isTTY,
    monitoringPort: config.metricsPort,
    log: createLogger({ ...config.log, command }),
    signal,
  });
}
