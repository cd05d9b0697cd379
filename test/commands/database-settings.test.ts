/** A database that is set so that the program cannot work: the reason is said, and all is well when it is set right again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPool } from "../../src/database/database.ts";
import { findFreePort, listeningUrl, runCommand, startCommand } from "../support/command.ts";
import { withParameter } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";
import { createTestNode } from "./environment.ts";

const READ_ONLY = /transactions are read-only; the server is a standby, or default_transaction_read_only is on/;

test("while the database only reads, /ready and the log say so, requests that write get 503, and it passes by itself", async () => {
  await using node = await createTestNode();
  const name = new URL(node.database.url).pathname.slice(1);
  const writer = openPool({
    url: withParameter(node.database.url, "options=-c%20default_transaction_read_only%3Doff"),
    size: 1,
    applicationName: "writer",
  });
  const set = (text: string) => writer.run({ name: "", text: `alter database ${name} ${text}` });
  const port = await findFreePort();
  await using command = startCommand(["webserver"], { ...node.environment, METRICS_PORT: String(port) });
  const url = await listeningUrl(command);
  const reasons = async (): Promise<readonly string[]> => {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`);
    const { unreadyReasons } = (await answer.json()) as { unreadyReasons: string[] };
    assert.equal(answer.status, unreadyReasons.length === 0 ? 200 : 503);
    return unreadyReasons;
  };
  const activate = () =>
    fetch(`${url}/debtors/7/activate`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
  await waitFor(async () => (await reasons()).length === 0);

  await set("set default_transaction_read_only = on");
  await node.database.pool.run({
    name: "",
    text: "select pg_terminate_backend(pid) from pg_stat_activity where application_name like '%webserver%'",
  });
  await waitFor(async () => (await reasons()).some((reason) => READ_ONLY.test(reason)));
  const refused = await activate();
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "5"]);
  await command.outputMatching(/in a read-only transaction; the server is a standby, or default_transaction_read_only/);

  await set("reset default_transaction_read_only");
  await waitFor(async () => (await reasons()).length === 0);
  await waitFor(async () => (await activate()).status === 200);
  await writer.close();
});

test("configure says in one line that the search_path does not lead to the tables, and does not wait", async () => {
  await using node = await createTestNode();
  await node.database.pool.run({ name: "", text: "create schema other" });
  const configured = await runCommand(["configure"], {
    ...node.environment,
    POSTGRES_URL: withParameter(node.database.url, "options=-c%20search_path%3Dother"),
  });
  assert.equal(configured.code, 1);
  assert.match(configured.output, /^The tables are in the schema public, to which [^\n]+\n$/);
});
