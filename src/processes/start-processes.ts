/** Running parts of a node as child processes of the command. */
import { fileURLToPath } from "node:url";
import type { Config } from "../config.ts";
import type { Environment } from "../environment.ts";
import { createLogger } from "../runtime/log.ts";
import { supervise } from "../runtime/supervisor.ts";
import type { ProcessName } from "./run-process.ts";

/** Which parts, and for whom. */
export interface StartOptions {
  readonly command: string;
  readonly parts: readonly { readonly name: ProcessName; readonly processes: number }[];
  readonly config: Config;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  /** See `supervise`; false when not given. */
  readonly restart?: boolean;
  /** Whether the processes are to keep their memory small, at the cost of speed; false when not given. */
  readonly limitHeap?: boolean;
}

const program = fileURLToPath(new URL("../../bin/swpt-debtors.js", import.meta.url));

// Under `all`, the whole of a small node, memory goes before speed: young and old garbage is collected earlier than by
// default, glibc keeps a single arena, and where clients do not wait for it the code is compiled for size. Resident after
// load: about 340 MB, and 485 MB with V8's own settings but for the first (npm run bench -- --only memory). Who runs the
// parts apart is after speed: 12,200 transfers were created in a second without the small heap of the web server, 8,200
// with it, in two runs one after the other (npm run bench -- --only create-transfer).
const smallHeapOptions = ["--max-semi-space-size=2", "--heap-growing-percent=20"];
const smallHeapOptionsOf = (part: string): readonly string[] =>
  part === ("webserver" satisfies ProcessName) ? smallHeapOptions : [...smallHeapOptions, "--optimize-for-size"];
const smallHeapEnvironment = { MALLOC_ARENA_MAX: "1" };

/** Runs the parts until the signal is aborted, and resolves to the exit code. */
export function startProcesses({
  command,
  parts,
  config,
  environment,
  signal,
  restart = false,
  limitHeap = false,
}: StartOptions): Promise<number> {
  return supervise({
    parts,
    program,
    nodeOptionsOf: limitHeap ? smallHeapOptionsOf : () => [],
    environment: limitHeap ? { ...smallHeapEnvironment, ...environment } : environment,
    restart,
    monitoringPort: config.metricsPort,
    log: createLogger({ ...config.log, command }),
    signal,
  });
}
