/** `all`: everything that one node needs, in one process tree. */
import { readConfig } from "../config.ts";
import { startProcesses } from "../processes/start-processes.ts";
import type { Command } from "./command.ts";

export const all: Command = {
  name: "all",
  summary: "Run everything that one node needs: web server, message consumers, flushers, scanner, gateway",
  help: `Run it exactly once per database. Processes that die are restarted after growing pauses. SIGTERM or SIGINT stops everything
in order; a second signal stops it at once. The gateway to the peers runs when SWPT_NODEDATA_URL is set.
Run \`swpt-debtors configure\` first.`,
  options: {},
  run({ environment, signal }) {
    const config = readConfig(environment, ["realm", "postgresUrl", "authentication"]);
    return startProcesses({
      command: "all",
      processes: [
        { type: "webserver", count: config.webserver.processes },
        { type: "consumer", count: config.consumer.processes },
        { type: "flusher_and_scanner", count: Math.min(config.flusher.processes, 1) },
        { type: "flusher", count: Math.max(config.flusher.processes - 1, 0) },
        { type: "scanner", count: config.flusher.processes === 0 ? 1 : 0 },
        { type: "gateway", count: config.gateway.isEnabled ? 1 : 0 },
      ],
      config,
      environment,
      signal,
      restart: true,
      limitHeap: true,
    });
  },
};
