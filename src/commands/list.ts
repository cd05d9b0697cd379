/** All commands. The file of a command is loaded only when the command runs, which keeps the other processes small. */
import { type Command, UsageError } from "./command.ts";

/** What runs when no command is named. */
export const DEFAULT_COMMAND = "all";

/** The commands by name, in the order in which they are listed. */
export const commandLoaders: Readonly<Record<string, () => Promise<Command>>> = {
  all: async () => (await import("./all.ts")).all,
  configure: async () => (await import("./configure.ts")).configure,
  await_migrations: async () => (await import("./await-migrations.ts")).awaitMigrations,
  webserver: async () => (await import("./webserver.ts")).webserver,
  consume_messages: async () => (await import("./consume-messages.ts")).consumeMessages,
  flush_all: async () => (await import("./flush.ts")).flushAll,
  flush_configure_accounts: async () => (await import("./flush.ts")).flushConfigureAccounts,
  flush_prepare_transfers: async () => (await import("./flush.ts")).flushPrepareTransfers,
  flush_finalize_transfers: async () => (await import("./flush.ts")).flushFinalizeTransfers,
  scan_debtors: async () => (await import("./scan-debtors.ts")).scanDebtors,
  subscribe: async () => (await import("./queue.ts")).subscribe,
  unsubscribe: async () => (await import("./queue.ts")).unsubscribe,
  delete_queue: async () => (await import("./queue.ts")).deleteQueue,
  confirm_database: async () => (await import("./confirm-database.ts")).confirmDatabase,
  verify_shard_content: async () => (await import("./verify-shard-content.ts")).verifyShardContent,
  "stomp serve": async () => (await import("./stomp.ts")).serve,
  "stomp send": async () => (await import("./stomp.ts")).send,
  "stomp drain": async () => (await import("./stomp.ts")).drain,
  "stomp configure-queue": async () => (await import("./stomp-peer.ts")).configureQueue,
  "stomp check": async () => (await import("./stomp-peer.ts")).check,
  "node_data init": async () => (await import("./node-data-create.ts")).init,
  "node_data info": async () => (await import("./node-data-show.ts")).info,
  "node_data server_certificate": async () => (await import("./node-data-create.ts")).serverCertificate,
  "node_data infobundle": async () => (await import("./node-data-create.ts")).infobundle,
  "node_data sign_peer": async () => (await import("./node-data-peers.ts")).signPeerCommand,
  "node_data register_peer": async () => (await import("./node-data-peers.ts")).registerPeerCommand,
  "node_data deactivate_peer": async () => (await import("./node-data-peers.ts")).deactivatePeerCommand,
  "node_data verify": async () => (await import("./node-data-show.ts")).verify,
  "subjects list": async () => (await import("./subjects.ts")).list,
  "subjects show": async () => (await import("./subjects.ts")).show,
  "subjects bind": async () => (await import("./subjects.ts")).bind,
  "subjects unbind": async () => (await import("./subjects.ts")).unbind,
  openapi: async () => (await import("./openapi.ts")).openapi,
};

/** Aliases: the names of the programs that do the same in existing installations. */
const commandAliases: Readonly<Record<string, string>> = {
  "swpt-server": "stomp serve",
  "swpt-client": "stomp send",
  "swpt-drainer": "stomp drain",
  "configure-queue": "stomp configure-queue",
};

/**
 * The name of the command that a command line begins with, which may have two words or be another name of it, and the
 * arguments after it. Throws a UsageError when the second word is missing or unknown; whether the first is known is not
 * looked at.
 */
export function splitCommandName(first: string, rest: readonly string[]): [name: string, args: readonly string[]] {
  if (Object.hasOwn(commandAliases, first)) return [commandAliases[first]!, rest];
  const subcommands = Object.keys(commandLoaders).filter((name) => name.startsWith(`${first} `));
  if (subcommands.length === 0) return [first, rest];
  const name = `${first} ${rest[0] ?? ""}`;
  if (subcommands.includes(name)) return [name, rest.slice(1)];
  const known = subcommands.map((subcommand) => subcommand.slice(first.length + 1)).join(", ");
  throw new UsageError(`${first} is followed by one of: ${known}. See \`swpt-debtors --help\`.`);
}
