/** What keeps a split from deleting in a database that is not the shard's own. */
import type { Database } from "../database/database.ts";
import { claimForShard, findSessionOfOtherShard } from "../database/other-shards.ts";
import { CommandError } from "../runtime/command-error.ts";
import { parentShard, type Shard } from "../values/shard.ts";

/**
 * Throws a CommandError when processes of another shard use the database, or when it has become another child's: what
 * the split deletes as left over may not exist anywhere else. Otherwise the database is this shard's from now on.
 */
export async function refuseForeignDatabase(db: Database, shard: Shard): Promise<void> {
  const { routingKey } = shard;
  const session = await findSessionOfOtherShard(db, routingKey);
  if (session !== undefined) throw refusal(routingKey, `"${session}" is connected to the same database`);
  const owner = await claimForShard(db, routingKey, parentShard(shard).routingKey);
  if (owner !== routingKey) throw refusal(routingKey, `the database has become that of the shard ${owner}`);
}

const refusal = (routingKey: string, reason: string): CommandError =>
  new CommandError(
    `Nothing is deleted: this process is of the shard ${routingKey}, but ${reason}. Each child of a split needs a copy ` +
      "of its own; check POSTGRES_URL",
  );
