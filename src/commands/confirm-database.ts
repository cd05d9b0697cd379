/** `confirm_database`: lets the flushers send again after the database has gone back in time. */
import { readConfig } from "../config.ts";
import { confirmDatabase as endAlarm } from "../database/flush-guard.ts";
import { printResult } from "../runtime/output.ts";
import type { Command } from "./command.ts";
import { oneTry, whenDatabaseIsUp } from "./server-wait.ts";
import { withPool } from "./with-pool.ts";

export const confirmDatabase: Command = {
  name: "confirm_database",
  summary: "Let messages be sent again after the database has gone back in time",
  help: `The flushers send nothing from the moment when they notice that committed transactions are gone, as after a restore or
a failover to a standby that was behind. Follow "Backup and restore" in the manual before you run this command.`,
  options: {},
  async run({ environment, signal }) {
    const config = readConfig(environment, ["postgresUrl"]);
    const alarm = await withPool({ url: config.postgresUrl, command: "confirm_database" }, (pool) =>
      whenDatabaseIsUp(() => endAlarm(pool), oneTry("confirm_database", config, signal)),
    );
    printResult(
      alarm === null
        ? "The database is confirmed; there was no alarm.\n"
        : "The alarm is over. Messages are sent again.\n",
    );
    return 0;
  },
};
