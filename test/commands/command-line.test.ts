import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { commandLoaders } from "../../src/commands/list.ts";
import { runCommand } from "../support/command.ts";
import { baseEnvironment } from "./environment.ts";

test("--help lists every command, with the default one", async () => {
  const { code, standardOutput } = await runCommand(["--help"]);
  assert.equal(code, 0);
  assert.match(standardOutput, /without one: all/);
  for (const name of Object.keys(commandLoaders)) assert.match(standardOutput, new RegExp(`^  ${name} `, "m"));
});

test("every command has a help of its own, needs no settings for it, and is found by its name", async () => {
  for (const [name, load] of Object.entries(commandLoaders)) assert.equal((await load()).name, name);

  const { code, standardOutput } = await runCommand(["consume_messages", "--help"]);
  assert.equal(code, 0);
  for (const option of ["url", "queue", "processes", "threads", "prefetch-size", "prefetch-count", "draining-mode"]) {
    assert.match(standardOutput, new RegExp(`--${option} `));
  }
});

test("--version prints the version of the package", async () => {
  const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  const { code, standardOutput } = await runCommand(["--version"]);
  assert.deepEqual([code, standardOutput], [0, `${version}\n`]);
});

for (const [what, args, problem] of [
  ["an unknown command", ["dance"], /Unknown command "dance"/],
  ["a name that objects have", ["constructor"], /Unknown command "constructor"/],
  ["an unknown option", ["flush_all", "--dance"], /'--dance'/],
  ["an unknown option without a command", ["--dance"], /'--dance'/],
  ["an option without its value", ["flush_all", "--wait"], /--wait/],
  ["a stray argument", ["configure", "dance"], /'dance'/],
] as const) {
  test(`${what} is one clear line and exit code 2`, async () => {
    const { code, output } = await runCommand(args, baseEnvironment);
    assert.equal(code, 2);
    assert.match(output, problem);
    assert.match(output, /^[^\n]+--help`\.\n$/);
  });
}

test("all bad settings are reported at once, without a stack, and the exit code is 1", async () => {
  const { code, output } = await runCommand([], {
    MAX_DEBTOR_ID: "many",
    POSTGRES_URL: "mysql://root:hidden@localhost/x",
    WEBSERVER_PORT: "99999",
  });
  assert.equal(code, 1);
  const lines = output.trim().split("\n");
  for (const name of ["MIN_DEBTOR_ID", "MAX_DEBTOR_ID", "POSTGRES_URL", "WEBSERVER_PORT", "OAUTH2_INTROSPECT_URL"]) {
    assert.equal(lines.filter((line) => line.includes(name)).length, 1, name);
  }
  assert.equal(lines.length, 5);
  assert.doesNotMatch(output, /hidden|^\s+at /m);
});

test("an option overrides the variable, and is checked like it", async () => {
  const bad = await runCommand(["consume_messages", "--processes", "some"], baseEnvironment);
  assert.equal(bad.code, 1);
  assert.match(bad.output, /PROTOCOL_BROKER_PROCESSES: "some" is not valid/);

  const good = await runCommand(["subscribe", "--url", "amqp://127.0.0.1:1"], {
    ...baseEnvironment,
    PROTOCOL_BROKER_URL: "http://this.is.wrong",
  });
  assert.equal(good.code, 1);
  assert.match(good.output, /The broker cannot be used/);
});

test("openapi prints the document without any settings", async () => {
  const { code, standardOutput } = await runCommand(["openapi"]);
  assert.equal(code, 0);
  assert.match(JSON.parse(standardOutput).openapi, /^3\./);
});
