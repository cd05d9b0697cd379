/** All commands. Each file is loaded when its command is wanted: a flusher has no use for the web server's memory. */
import type { Command } from "./command.ts";

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

/** Other names of commands: those that the programs go by which do the same in existing installations. */
export const commandAliases: Readonly<Record<string, string>> = {
  "swpt-server": "stomp serve",
  "swpt-client": "stomp send",
  "swpt-drainer": "stomp drain",
  "configure-queue": "stomp configure-queue",
};
