/** What every type of process is given. */
import type { Environment } from "../environment.ts";
import type { Logger } from "../runtime/log.ts";

/** What a process is given. It reads the settings that it needs, and opens the connections that it needs. */
export interface ProcessInput {
  /** The type of the process; the servers show it. */
  readonly name: string;
  readonly environment: Environment;
  readonly log: Logger;
  /** Aborted when the process is to stop. */
  readonly signal: AbortSignal;
}
