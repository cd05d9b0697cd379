/** `verify_shard_content`: checks that all rows belong to this node. */
import { readConfig } from "../config.ts";
import { findForeignRow } from "../operations/verify-shard-content.ts";
import { CommandError } from "../runtime/command-error.ts";
import { printResult } from "../runtime/output.ts";
import type { Command } from "./command.ts";
import { withPool } from "./with-pool.ts";

export const verifyShardContent: Command = {
  name: "verify_shard_content",
  summary: "Verify that every row belongs to this shard",
  help: `Reads the debtors and the messages that wait to be sent. Exit code 0 when all of them belong to the interval
MIN_DEBTOR_ID..MAX_DEBTOR_ID and to the shard PROTOCOL_BROKER_QUEUE_ROUTING_KEY, 1 otherwise.`,
  options: {},
  async run({ environment, signal }) {
    const { postgresUrl, realm, verification } = readConfig(environment, ["realm", "postgresUrl"]);
    const foreign = await withPool({ url: postgresUrl, command: "verify_shard_content" }, (pool) =>
      findForeignRow(pool, realm, verification, signal),
    ).catch((error: unknown) => {
      throw signal.aborted ? new CommandError("Stopped before all rows were read.") : error;
    });
    if (foreign === undefined) {
      printResult("Every row belongs to this shard.\n");
      return 0;
    }
    throw new CommandError(
      `A row of ${foreign.table} belongs to debtor ${foreign.debtorId}, which is not of this shard.`,
    );
  },
};
