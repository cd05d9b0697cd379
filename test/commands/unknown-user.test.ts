/** A user ID that no file of the machine knows, without a home: what a cluster may run a container as. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { runCommand } from "../support/command.ts";
import { createEmptyDatabase } from "../support/database.ts";
import { baseEnvironment } from "./environment.ts";

const database = await createEmptyDatabase();
after(() => database.close());

/** Only root can run a process as another user. */
const skip = process.getuid?.() !== 0;

const runNameless = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  runCommand(
    args,
    { ...baseEnvironment, HOME: undefined, ...environment },
    { uid: 54_321, gid: 0, cwd: "/" }, // The group is as OpenShift has it.
  );

test("a user without a home starts the program", { skip }, async () => {
  const { code, output } = await runNameless(["--version"]);
  assert.equal(code, 0, output);
  assert.match(output, /^[^\n]+\n$/);
});

test("a user without a home works on the database", { skip }, async () => {
  const { code, output } = await runNameless(["configure"], { POSTGRES_URL: database.url });
  assert.equal(code, 0, output);
  assert.match(output, /^The schema has been created [^\n]+\n$/);
});

test("a user without a home gets TLS as the URL wants it, without files of the user's own", { skip }, async () => {
  const url = `${database.url}${database.url.includes("?") ? "&" : "?"}sslmode=prefer`;
  const { code, output } = await runNameless(["configure"], { POSTGRES_URL: url });
  assert.equal(code, 0, output);
});

test("a user without a name needs one in the URL, which is one line", { skip }, async () => {
  const { code, output } = await runNameless(["configure"], { POSTGRES_URL: "postgresql://127.0.0.1:1/db" });
  assert.equal(code, 1);
  assert.match(output, /POSTGRES_URL.*it names no user, and the operating system has no name/);
  assert.doesNotMatch(output, /\n\s+at /);
});
