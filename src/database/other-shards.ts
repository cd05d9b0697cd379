/** Whether a database is that of the shard which a split has made it. */
import type { Database } from "./database.ts";

/** The name under which the server shows the connections of a process; it shows 63 bytes at most. */
export const sessionNameOf = (routingKey: string, processName: string): string =>
  `swpt_debtors ${routingKey} ${processName}`;

/** The name of a session of a process of another shard, if there is one. */
export async function findSessionOfOtherShard(db: Database, routingKey: string): Promise<string | undefined> {
  const row = await db.maybeOne<{ name: string }>({
    name: "find_session_of_other_shard",
    text: `
      select application_name as name
      from pg_stat_activity
      where datname = current_database()
        and application_name ~ '^swpt_debtors ([01][.])*# '
        and not starts_with(application_name, $1::text)
      limit 1`,
    values: [sessionNameOf(routingKey, "")],
  });
  return row?.name;
}

/**
 * Makes the database that of the shard, if it has been nobody's or the parent's. Resolves to whose it is. The copies of a
 * database are nobody's, or the parent's, until then.
 */
export async function claimForShard(db: Database, routingKey: string, parentRoutingKey: string): Promise<string> {
  await db.run({
    name: "set_shard_of_database",
    text: `
      update swpt_debtors_guard.state set shard = $1::text
      where shard is null or shard = $2::text and shard <> $1::text`,
    values: [routingKey, parentRoutingKey],
  });
  const row = await db.maybeOne<{ shard: string }>({
    name: "read_shard_of_database",
    text: "select shard from swpt_debtors_guard.state",
  });
  return row!.shard;
}
