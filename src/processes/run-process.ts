/** The types of processes that a node consists of. The code of each is loaded in its own process only. */
import { readConfig } from "../config.ts";
import type { Environment } from "../environment.ts";
import { runToEnd, stopWithSupervisor } from "../runtime/child-process.ts";
import type { HandleSignals } from "../runtime/lifetime.ts";
import { createLogger } from "../runtime/log.ts";
import type { ProcessInput } from "./process-input.ts";

/** The type of a process: the only argument of its program. */
export type ProcessType = keyof typeof processes;

const processes = {
  webserver: async (input) => (await import("./webserver.ts")).webserverProcess(input),
  consumer: async (input) => (await import("./consumer.ts")).consumerProcess(input),
  draining_consumer: async (input) => (await import("./consumer.ts")).consumerProcess(input, { drain: true }),
  flusher: async (input) => (await import("./flusher.ts")).flusherProcess(input),
  flusher_and_scanner: async (input) => (await import("./flusher-and-scanner.ts")).flusherAndScannerProcess(input),
  configure_accounts_flusher: async (input) =>
    (await import("./flusher.ts")).flusherProcess(input, ["configure_account"]),
  prepare_transfers_flusher: async (input) =>
    (await import("./flusher.ts")).flusherProcess(input, ["prepare_transfer"]),
  finalize_transfers_flusher: async (input) =>
    (await import("./flusher.ts")).flusherProcess(input, ["finalize_transfer"]),
  scanner: async (input) => (await import("./scanner.ts")).scannerProcess(input),
  gateway: async (input) => (await import("./gateway.ts")).gatewayProcess(input),
} satisfies Record<string, (input: ProcessInput) => Promise<void>>;

/** Runs a process until the supervisor says stop, and resolves to the exit code. */
export async function runProcess(
  type: string,
  environment: Environment,
  handleSignals: HandleSignals,
): Promise<number> {
  const signal = stopWithSupervisor(handleSignals);
  const log = createLogger({ ...readConfig(environment, []).log, command: type });
  return runToEnd(() => processes[type as ProcessType]({ name: type, environment, log, signal }), signal, log);
}
