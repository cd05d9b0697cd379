/** `await_migrations`: blocks until the schema is there. */
import { readConfig } from "../config.ts";
import { untilSchemaIsCurrent } from "../processes/readiness.ts";
import { createLogger } from "../runtime/log.ts";
import type { Command } from "./command.ts";
import { withPool } from "./with-pool.ts";

export const awaitMigrations: Command = {
  name: "await_migrations",
  summary: "Wait until the database schema is at this program's version",
  help: "Waits for ever, for the database, too. Stopped by a signal before that, its exit code is 1.",
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
