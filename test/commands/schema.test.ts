import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { makeBreakable } from "../broker/breakable-connection.ts";
import { runCommand, startCommand } from "../support/command.ts";
import { createEmptyDatabase } from "../support/database.ts";
import { baseEnvironment, createTestNode } from "./environment.ts";

test("configure creates the schema once, and await_migrations waits for it", async () => {
  await using database = await createEmptyDatabase();
  const environment = { ...baseEnvironment, POSTGRES_URL: database.url };
  await using waiting = startCommand(["await_migrations"], environment);
  await waiting.outputMatching(/Waiting: the database schema is old/);

  const first = await runCommand(["configure"], environment);
  assert.deepEqual([first.code, first.output], [0, "The schema has been created (version 3).\n"]);
  assert.deepEqual(await waiting.exit, { code: 0, signal: null });

  const second = await runCommand(["configure"], environment);
  assert.deepEqual([second.code, second.output], [0, "The schema is up to date (version 3).\n"]);
});

test("several configure at once all succeed", async () => {
  await using database = await createEmptyDatabase();
  const environment = { ...baseEnvironment, POSTGRES_URL: database.url };
  const runs = await Promise.all([1, 2, 3].map(() => runCommand(["configure"], environment)));
  assert.deepEqual(
    runs.map(({ code }) => code),
    [0, 0, 0],
  );
  assert.equal(runs.filter(({ output }) => output.includes("created")).length, 1);
});

test("configure adopts a database of the Python program, and refuses one at another version", async () => {
  await using database = await createEmptyDatabase();
  const environment = { ...baseEnvironment, POSTGRES_URL: database.url.replace("postgresql:", "postgresql+psycopg:") };
  const sql = await readFile(new URL("../database/python-database.sql", import.meta.url), "utf8");
  await database.pool.run({ name: "", text: sql });
  await database.pool.run({ name: "", text: "update alembic_version set version_num = 'older'" });

  const refused = await runCommand(["configure"], environment);
  assert.equal(refused.code, 1);
  assert.match(refused.output, /^The database is at alembic_version older, [^\n]+\n$/);

  await database.pool.run({ name: "", text: "update alembic_version set version_num = '4eaef25ca564'" });
  const adopted = await runCommand(["configure"], environment);
  assert.deepEqual(
    [adopted.code, adopted.output],
    [0, "The database of the Python program has been adopted (version 3).\n"],
  );
});

test("configure waits for the database, and ends at once when it is told to", async () => {
  await using waiting = startCommand(["configure"], baseEnvironment);
  await using untilStopped = startCommand(["await_migrations"], baseEnvironment);
  await waiting.outputMatching(/Waiting: the database cannot be reached/);
  await untilStopped.outputMatching(/Waiting: the database cannot be reached/);

  assert.deepEqual(await waiting.stop(), { code: 1, signal: null });
  assert.match(waiting.output(), /\nStopped before the database answered\.\n$/);
  assert.deepEqual(await untilStopped.stop("SIGINT"), { code: 1, signal: null });
  assert.doesNotMatch(untilStopped.output() + waiting.output(), /hidden/);
});

test("configure waits for the broker, too, when it is to set up the queue", async () => {
  await using node = await createTestNode();
  await using relay = await makeBreakable(node.virtualHost.url);
  relay.setReachable(false);
  const environment = { ...node.environment, PROTOCOL_BROKER_URL: relay.url, SETUP_RABBITMQ_BINDINGS: "yes" };
  await using waiting = startCommand(["configure"], environment);
  await waiting.outputMatching(/Waiting: the broker cannot be reached/);
  relay.setReachable(true);
  assert.deepEqual(await waiting.exit, { code: 0, signal: null });
  assert.match(waiting.output(), /The queue swpt_debtors is bound with #\./);

  const nowhere = { ...environment, PROTOCOL_BROKER_URL: baseEnvironment.PROTOCOL_BROKER_URL };
  await using untilStopped = startCommand(["configure"], nowhere);
  await untilStopped.outputMatching(/Waiting: the broker cannot be reached/);
  assert.deepEqual(await untilStopped.stop(), { code: 1, signal: null });
  assert.match(untilStopped.output(), /\nStopped before the broker answered\.\n$/);
});
