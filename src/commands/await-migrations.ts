/** `await_migrations`: waits for the schema. */
import { readConfig } from "../config.ts";
import { untilSchemaIsCurrent } from "../processes/readiness.ts";
import { createLogger } from "../runtime/log.ts";
import type { Command } from "./command.ts";
import { withPool } from "./with-pool.ts";

export const awaitMigrations: Command = {
  name: "await_migrations",
  summary: "Wait until the database schema is at this program's version",
  help: "Waits without a limit, also for the database. The exit code is 1 when a signal stops it before.",
  options: {},
  async run({ environment, signal }) {
    const config = readConfig(environment, ["postgresUrl"]);
    const log = createLogger({ ...config.log, command: "await_migrations" });
    const isCurrent = await withPool({ url: config.postgresUrl, command: "await_migrations" }, async (pool) => {
      await untilSchemaIsCurrent(pool, log, signal);
      return !signal.aborted;
    });
    return isCurrent ? 0 : 1;
  },
};
