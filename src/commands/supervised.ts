/** Running parts of a node as child processes of the command. */
import { fileURLToPath } from "node:url";
import type { Config } from "../config.ts";
import { createLogger } from "../runtime/log.ts";
import { supervise } from "../runtime/supervisor.ts";
import type { Environment } from "./command.ts";
import type { PartName } from "./parts.ts";

/** Which parts, and for whom. */
export interface SupervisedParts {
  readonly command: string;
  readonly parts: readonly { readonly name: PartName; readonly processes: number }[];
  readonly config: Config;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  /** See `supervise`; false when not given. */
  readonly isRestarting?: boolean;
}

const program = fileURLToPath(new URL("../../bin/swpt-debtors.js", import.meta.url));

// Memory before speed, within reason. Young garbage is collected earlier than by default, the heap grows by a fifth between
// two collections of old garbage instead of up to fourfold, and glibc keeps one arena instead of eight for each processor:
// `all` had 353 MB resident after load, and 545 MB without the last two, which cost the web server 10 to 20 % of its speed
// (npm run bench -- --only memory).
const nodeOptions = ["--max-semi-space-size=2", "--heap-growing-percent=20"];
const allocatorSettings = { MALLOC_ARENA_MAX: "1" };

/** Runs the parts until the signal is aborted, and resolves to the exit code. */
export function superviseParts({
  command,
  parts,
  config,
  environment,
  signal,
  isRestarting = false,
}: SupervisedParts): Promise<number> {
  return supervise({
    parts,
    program,
    nodeOptions,
    environment: { ...allocatorSettings, ...environment },
    isRestarting,
    monitoringPort: config.metricsPort,
    log: createLogger({ ...config.log, command }),
    signal,
  });
}
