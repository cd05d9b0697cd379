/** `configure`: the schema of the database and, when wanted, the queue. */
import { readConfig } from "../config.ts";
import { type MigrationReport, migrate } from "../database/migrations.ts";
import { createLogger } from "../runtime/log.ts";
import { printResult } from "../runtime/output.ts";
import type { Command } from "./command.ts";
import { setUpQueue } from "./queue.ts";
import { whenDatabaseIsUp } from "./server-wait.ts";
import { withPool } from "./with-pool.ts";

/** How long the database, and then the broker, may take to come up. */
const WAIT_MILLIS_MAX = 30_000;
// Long enough for another process that is migrating, and for an index on a big table.
const STATEMENT_MILLIS_MAX = 3_600_000;

const messages: Record<MigrationReport["action"], string> = {
  created: "The schema has been created",
  adopted: "The database of the Python program has been adopted",
  upgraded: "The schema has been upgraded",
  none: "The schema is up to date",
};

export const configure: Command = {
  name: "configure",
  summary: "Create, adopt or upgrade the database schema",
  help: `Waits up to half a minute for the database. Safe to run at any time, and several times at once. With
SETUP_RABBITMQ_BINDINGS=yes it also does what \`subscribe\` does, and waits as long for the broker.`,
  options: {},
  async run({ environment, signal }) {
    const config = readConfig(environment, ["postgresUrl"]);
    const options = {
      url: config.postgresUrl,
      command: "configure",
      statementTimeoutMillis: STATEMENT_MILLIS_MAX,
    };
    const log = createLogger({ ...config.log, command: "configure" });
    const wait = { waitMillis: WAIT_MILLIS_MAX, signal, onWait: (line: string) => log.warn(line) };
    const { action, version, repairedSequences } = await withPool(options, (pool) =>
      whenDatabaseIsUp(() => migrate(pool), wait),
    );
    printResult(`${messages[action]} (version ${version}).\n`);
    for (const name of repairedSequences) {
      printResult(`The sequence ${name} was behind its rows and has been set forward.\n`);
    }
    if (config.broker.setUpBindings) await setUpQueue(config, wait);
    return 0;
  },
};
