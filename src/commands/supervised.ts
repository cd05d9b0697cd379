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

// Young garbage is collected earlier than by default: with bursts of 5000 messages a flusher had 140 MB resident instead
// of 220 MB, the other processes up to 15 MB less.
const nodeOptions = ["--max-semi-space-size=2"];

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
    environment,
    isRestarting,
    monitoringPort: config.metricsPort,
    log: createLogger({ ...config.log, command }),
    signal,
  });
}
