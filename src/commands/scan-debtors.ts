/** `scan_debtors`: the scanner. */
import { readConfig } from "../config.ts";
import { startProcesses } from "../processes/start-processes.ts";
import { createLogger } from "../runtime/log.ts";
import type { Command } from "./command.ts";
import { withPool } from "./with-pool.ts";

export const scanDebtors: Command = {
  name: "scan_debtors",
  summary: "Run only the scanner",
  help: "One scanner per database is enough.",
  options: {
    days: {
      type: "string",
      valueName: "DAYS",
      meaning: "Approximate duration of a pass",
      variable: "APP_DEBTORS_SCAN_DAYS",
    },
    "quit-early": { type: "boolean", meaning: "Make one pass without long pauses, then exit" },
  },
  async run({ values, environment, signal }) {
    const config = readConfig(environment, ["realm", "postgresUrl"]);
    if (values["quit-early"] !== true) {
      const processes = [{ type: "scanner", count: 1 }] as const;
      return startProcesses({ command: "scan_debtors", processes, config, environment, signal });
    }
    const log = createLogger({ ...config.log, command: "scan_debtors" });
    const { runScanner } = await import("../processes/scanner.ts");
    await withPool({ url: config.postgresUrl, command: "scan_debtors" }, (pool) =>
      runScanner({ config, pool, log, signal, onePass: true }),
    );
    return 0;
  },
};
