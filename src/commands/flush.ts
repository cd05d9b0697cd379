/** `flush_…`: processes that send the messages in the outbox. */
import { readConfig } from "../config.ts";
import type { ProcessType } from "../processes/run-process.ts";
import { startProcesses } from "../processes/start-processes.ts";
import type { Command, CommandOption } from "./command.ts";

const options: Readonly<Record<string, CommandOption>> = {
  processes: { type: "string", valueName: "NUMBER", meaning: "Number of processes", variable: "FLUSH_PROCESSES" },
  wait: { type: "string", valueName: "SECONDS", meaning: "Polling interval", variable: "FLUSH_PERIOD" },
};

const flushCommand = (name: string, type: ProcessType, messages: string): Command => ({
  name,
  summary: `Run flusher processes only, for ${messages}`,
  help: "A message is deleted from the outbox once the broker has confirmed it and not returned it. Exits when a process dies.",
  options,
  run({ environment, signal }) {
    const config = readConfig(environment, ["realm", "postgresUrl"]);
    const processes = [{ type, count: config.flusher.processes }];
    return startProcesses({ command: name, processes, config, environment, signal });
  },
});

export const flushAll: Command = flushCommand("flush_all", "flusher", "all outgoing messages");
export const flushConfigureAccounts: Command = flushCommand(
  "flush_configure_accounts",
  "configure_accounts_flusher",
  "ConfigureAccount messages",
);
export const flushPrepareTransfers: Command = flushCommand(
  "flush_prepare_transfers",
  "prepare_transfers_flusher",
  "PrepareTransfer messages",
);
export const flushFinalizeTransfers: Command = flushCommand(
  "flush_finalize_transfers",
  "finalize_transfers_flusher",
  "FinalizeTransfer messages",
);
