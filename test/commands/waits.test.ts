/** Servers that accept connections and never answer: every command says what it waits for, and stops when it is told to. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { startCommand } from "../support/command.ts";
import { baseEnvironment } from "./environment.ts";

const sockets = new Set<Socket>();
const silent = createServer((socket) => sockets.add(socket.on("error", () => {}))).listen(0, "127.0.0.1");
await once(silent, "listening");
const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
after(() => {
  for (const socket of sockets) socket.destroy();
  silent.close();
});

const environment = {
  ...baseEnvironment,
  POSTGRES_URL: `postgresql://u:p@${address}/d?connect_timeout=600`,
  PROTOCOL_BROKER_URL: `amqp://u:p@${address}/v?connection_timeout=600000`,
  OAUTH2_ISSUER: "https://id.example.com",
};

for (const [signal, ...args] of [
  ["SIGTERM", "configure"],
  ["SIGINT", "confirm_database"],
  ["SIGTERM", "verify_shard_content"],
  ["SIGINT", "subjects", "list"],
  ["SIGTERM", "subjects", "show", "alice"],
  ["SIGTERM", "subjects", "bind", "alice", "1", "--reason", "test"],
  ["SIGINT", "subscribe"],
  ["SIGTERM", "unsubscribe"],
  ["SIGINT", "delete_queue"],
] as const) {
  test(`${args.join(" ")} says what it waits for, and ends at the first ${signal}`, async () => {
    const command = startCommand(args, environment);
    await using _ = command;
    await command.outputMatching(/warning .* Still waiting for the (?:database|broker)\n/);
    command.kill(signal);
    assert.deepEqual(await command.exit, { code: 1, signal: null }, command.output());
    assert.match(command.output(), /Stopped before [^\n]+\.\n$/);
  });
}

for (const [signal, servers, ...args] of [
  ["SIGTERM", ["database"], "await_migrations"],
  ["SIGINT", ["database"], "webserver"],
  ["SIGTERM", ["database"], "scan_debtors"],
  ["SIGTERM", ["broker", "database"], "consume_messages"],
  ["SIGINT", ["broker", "database"], "flush_all"],
  ["SIGTERM", ["broker", "database"], "all"],
] as const) {
  test(`${args.join(" ")} says that it waits for the ${servers.join(" and the ")}, and stops in order at a ${signal}`, async () => {
    const command = startCommand(args, environment);
    await using _ = command;
    for (const server of servers)
      await command.outputMatching(new RegExp(`warning .* Still waiting for the ${server}\n`));
    const code = args[0] === "await_migrations" ? 1 : 0;
    assert.deepEqual(await command.stop(signal), { code, signal: null }, command.output());
  });
}
