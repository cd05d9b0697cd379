/** `consume_messages`: processes that take messages from the queue and apply them. */
import { readConfig } from "../config.ts";
import { startProcesses } from "../processes/start-processes.ts";
import type { Command } from "./command.ts";
import { queueOptions } from "./queue-options.ts";

export const consumeMessages: Command = {
  name: "consume_messages",
  summary: "Run message consumer processes only",
  help: `Exits when a process dies, or on a message for a debtor of another node; that message stays in the queue. In draining mode
it exits when the queue has been deleted.`,
  options: {
    ...queueOptions,
    processes: {
      type: "string",
      valueName: "NUMBER",
      meaning: "Number of processes",
      variable: "PROTOCOL_BROKER_PROCESSES",
    },
    threads: {
      type: "string",
      valueName: "NUMBER",
      meaning: "Batches that a process works on at the same time",
      variable: "PROTOCOL_BROKER_THREADS",
    },
    "prefetch-size": {
      type: "string",
      valueName: "BYTES",
      meaning: "Maximum unacknowledged bytes; 0 for no limit",
      variable: "PROTOCOL_BROKER_PREFETCH_SIZE",
    },
    "prefetch-count": {
      type: "string",
      valueName: "NUMBER",
      meaning: "Maximum unacknowledged messages",
      variable: "PROTOCOL_BROKER_PREFETCH_COUNT",
    },
    "draining-mode": {
      type: "boolean",
      meaning: "Periodically stop consuming an empty queue, so that it can be deleted",
    },
  },
  run({ values, environment, signal }) {
    const config = readConfig(environment, ["realm", "postgresUrl"]);
    const type = values["draining-mode"] === true ? "draining_consumer" : "consumer";
    const processes = [{ type, count: config.consumer.processes }] as const;
    return startProcesses({ command: "consume_messages", processes, config, environment, signal });
  },
};
