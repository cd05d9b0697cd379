/** `webserver`: web server processes that share one port. */
import { readConfig } from "../config.ts";
import { startProcesses } from "../processes/start-processes.ts";
import type { Command } from "./command.ts";

export const webserver: Command = {
  name: "webserver",
  summary: "Run only web server processes",
  help: "Any number of these commands may run on one database, each on its own port. Exits when a process dies.",
  options: {},
  run({ environment, signal }) {
    const config = readConfig(environment, ["realm", "postgresUrl", "authentication"]);
    const processes = [{ type: "webserver", count: config.webserver.processes }] as const;
    return startProcesses({ command: "webserver", processes, config, environment, signal });
  },
};
