/** `verify_shard_content`: checks that all rows belong to this node. */
import { readConfig } from "../config.ts";
import { findForeignRows } from "../operations/verify-shard-content.ts";
import { CommandError } from "../runtime/command-error.ts";
import { abandonWhenAborted } from "../runtime/lifetime.ts";
import { printResult } from "../runtime/output.ts";
import type { Command } from "./command.ts";
import { oneTry, whenDatabaseIsUp } from "./server-wait.ts";
import { withPool } from "./with-pool.ts";

export const verifyShardContent: Command = {
  name: "verify_shard_content",
  summary: "Verify that every row belongs to this shard",
  help: `Reads the debtors and the messages that wait to be sent. Exit code 0 when all of them belong to the shard
PROTOCOL_BROKER_QUEUE_ROUTING_KEY, 1 otherwise. A row outside of MIN_DEBTOR_ID..MAX_DEBTOR_ID is reported, and does not
change the exit code: a split waits for exit code 0, and nothing deletes such rows.`,
  options: {},
  async run({ environment, signal }) {
    const config = readConfig(environment, ["realm", "postgresUrl"]);
    const { postgresUrl, realm, verification } = config;
    const { otherShard, outsideInterval } = await withPool(
      { url: postgresUrl, command: "verify_shard_content" },
      async (pool) => {
        await whenDatabaseIsUp(
          () => pool.run({ name: "", text: "select 1" }),
          oneTry("verify_shard_content", config, signal),
        );
        // A statement may wait for a lock when the signal comes.
        const reading = findForeignRows(pool, realm, verification, signal);
        return abandonWhenAborted(reading, signal, () => new CommandError("Stopped before all rows were read."));
      },
    );
    if (otherShard !== undefined) {
      const { table, debtorId } = otherShard;
      throw new CommandError(`A row of ${table} belongs to debtor ${debtorId}, which is of another shard.`);
    }
    if (outsideInterval === undefined) {
      printResult("Every row belongs to this shard.\n");
    } else {
      const { table, debtorId } = outsideInterval;
      printResult(
        `Every row belongs to this shard, but a row of ${table} belongs to debtor ${debtorId}, which is outside of ` +
          "MIN_DEBTOR_ID..MAX_DEBTOR_ID. The flushers stop at its messages.\n",
      );
    }
    return 0;
  },
};
