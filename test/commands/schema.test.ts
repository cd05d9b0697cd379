import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import test from "node:test";
import { makeBreakable } from "../broker/breakable-connection.ts";
import { listeningUrl, runCommand, startCommand } from "../support/command.ts";
import { createEmptyDatabase } from "../support/database.ts";
import { baseEnvironment, createTestNode } from "./environment.ts";

const { length: version } = await readdir(new URL("../../src/database/migrations", import.meta.url));

test("configure creates the schema once, and await_migrations waits for it", async () => {
  await using database = await createEmptyDatabase();
  const environment = { ...baseEnvironment, POSTGRES_URL: database.url };
  await using waiting = startCommand(["await_migrations"], environment);
  await waiting.outputMatching(/Waiting: The database is not set up for this version/);

  const first = await runCommand(["configure"], environment);
  assert.deepEqual([first.code, first.output], [0, `The schema has been created (version ${version}).\n`]);
  assert.deepEqual(await waiting.exit, { code: 0, signal: null });

  const second = await runCommand(["configure"], environment);
  assert.deepEqual([second.code, second.output], [0, `The schema is up to date (version ${version}).\n`]);
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
    [0, `The database of the Python program has been adopted (version ${version}).\n`],
  );
});

test("configure waits for the database, and ends at once when it is told to", async () => {
  await using waiting = startCommand(["configure"], baseEnvironment);
  await using untilStopped = startCommand(["await_migrations"], baseEnvironment);
  await waiting.outputMatching(/Waiting: The database cannot be reached: /);
  await untilStopped.outputMatching(/Waiting: The database cannot be reached: /);

  assert.deepEqual(await waiting.stop(), { code: 1, signal: null });
  assert.match(waiting.output(), /\nStopped before the database answered\.\n$/);
  assert.deepEqual(await untilStopped.stop("SIGINT"), { code: 1, signal: null });
  assert.doesNotMatch(untilStopped.output() + waiting.output(), /hidden/);
});

test("configure also waits for the broker when it is to set up the queue", async () => {
  await using node = await createTestNode();
  await using relay = await makeBreakable(node.virtualHost.url);
  relay.setReachable(false);
  const environment = { ...node.environment, PROTOCOL_BROKER_URL: relay.url, SETUP_RABBITMQ_BINDINGS: "yes" };
  await using waiting = startCommand(["configure"], environment);
  await waiting.outputMatching(/Waiting: The broker cannot be reached: /);
  relay.setReachable(true);
  assert.deepEqual(await waiting.exit, { code: 0, signal: null });
  assert.match(waiting.output(), /The queue swpt_debtors is bound with #\./);

  const nowhere = { ...environment, PROTOCOL_BROKER_URL: baseEnvironment.PROTOCOL_BROKER_URL };
  await using untilStopped = startCommand(["configure"], nowhere);
  await untilStopped.outputMatching(/Waiting: The broker cannot be reached: /);
  assert.deepEqual(await untilStopped.stop(), { code: 1, signal: null });
  assert.match(untilStopped.output(), /\nStopped before the broker answered\.\n$/);
});

test("configure says in one line that the database or the user does not exist", async () => {
  await using database = await createEmptyDatabase();
  const [noDatabase, noUser] = [new URL(database.url), new URL(database.url)];
  noDatabase.pathname = "/swpt_debtors_no_such_database";
  noUser.username = "swpt_debtors_no_such_user";
  for (const [url, problem] of [
    [noDatabase, /database "swpt_debtors_no_such_database" does not exist/],
    [noUser, /swpt_debtors_no_such_user/],
  ] as const) {
    await using command = startCommand(["configure"], { ...baseEnvironment, POSTGRES_URL: url.href });
    const [line] = await command.outputMatching(/^.*Waiting: The database cannot be reached: .*\n/);
    assert.match(line, problem);
    await command.stop();
    assert.doesNotMatch(command.output(), /^ +at /m);
  }
});

test("a web server without its schema answers 503, says what it waits for, and serves once it is set up", async () => {
  await using database = await createEmptyDatabase();
  const environment = { ...baseEnvironment, POSTGRES_URL: database.url };
  await using command = startCommand(["webserver"], environment);
  const url = await listeningUrl(command);
  await command.outputMatching(/Waiting: The database is not set up for this version; run `swpt-debtors configure`/);
  const answer = await fetch(`${url}/debtors/1/`);
  assert.equal(answer.status, 503);
  assert.ok(answer.headers.get("retry-after"));

  assert.equal((await runCommand(["configure"], environment)).code, 0);
  assert.equal((await fetch(`${url}/debtors/1/`)).status, 403);
});

test("a web server whose database is dropped answers 503", async () => {
  await using node = await createTestNode();
  await using command = startCommand(["webserver"], node.environment);
  const url = await listeningUrl(command);
  assert.equal((await fetch(`${url}/debtors/1/`)).status, 403);
  await node.database.close();
  assert.equal((await fetch(`${url}/debtors/1/`)).status, 503);
  assert.equal((await fetch(`${url}/debtors/1/`)).status, 503);
});
