/** `npm test` itself: what it says about programs that are missing, and how it ends when tests fail. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, afterEach, beforeEach, test } from "node:test";
import { type ToolsOptions, withTools } from "../../scripts/servers/tools.ts";
import { isOpenToOthers } from "../support/unprivileged.ts";
import { root } from "./sources.ts";

const scratch = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-runner-"));
after(() => rm(scratch, { recursive: true, force: true }));

/** Without a path to look in three need a program that is not there, the third for what it imports; the last needs none. */
const files = [
  "test/deploy/dashboards.test.ts",
  "test/commands/processes.test.ts",
  "test/chaos/chaos.test.ts",
  "test/values/json.test.ts",
];
const searchPath = process.env.PATH;
beforeEach(() => {
  process.env.PATH = "";
});
afterEach(() => {
  process.env.PATH = searchPath;
});

async function runnableFiles(options: ToolsOptions) {
  const lines: string[] = [];
  return { runnable: await withTools(files, options, (line) => lines.push(line)), lines };
}

test("each missing program is one line with the files that are left out and the packages to install", async () => {
  const { runnable, lines } = await runnableFiles({ install: false, require: false });
  assert.deepEqual(runnable, ["test/values/json.test.ts"]);
  assert.deepEqual(lines, [
    "Without promtool these are left out: test/deploy/dashboards.test.ts. " +
      "To run them, install prometheus, or let `npm test -- --install` do so",
    "Without ps these are left out: test/commands/processes.test.ts, test/chaos/chaos.test.ts. " +
      "To run them, install procps, or let `npm test -- --install` do so",
  ]);
});

test("where installing has been tried, the line says why it failed, and does not advise to try it again", async () => {
  const { runnable, lines } = await runnableFiles({ install: true, require: false });
  assert.deepEqual(runnable, ["test/values/json.test.ts"]);
  assert.match(lines[0]!, /To run them, install prometheus: apt-get --version failed \(.+\)$/);
  assert.doesNotMatch(lines.join(), /--install/);
});

test("where every test must run, a missing program ends the run", async () => {
  await assert.rejects(
    runnableFiles({ install: true, require: true }),
    /^Error: The tests need promtool: install prometheus: apt-get --version failed/,
  );
});

test("the packages that npm test asks for are those that .ci/run installs", async () => {
  const script = await readFile(path.join(root, ".ci/run"), "utf8");
  const installed = new Set([...script.matchAll(/missing\+=\(([^)]*)\)/g)].flatMap(([, names]) => names!.split(" ")));
  const { lines } = await runnableFiles({ install: false, require: false });
  const asked = lines.flatMap((line) => /install ([^,]+),/.exec(line)![1]!.split(" and "));
  assert.deepEqual(
    asked.filter((name) => !installed.has(name)),
    [],
  );
});

test("a repository can be read by other users, or is in a folder or has files that are not for them", async () => {
  const file = path.join(scratch, "open", "repository", "package.json");
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, "{}");
  for (const folder of [scratch, path.join(scratch, "open"), path.dirname(file)]) await chmod(folder, 0o755);
  await chmod(file, 0o644);
  assert.equal(isOpenToOthers("/etc/passwd"), true);
  for (const target of [path.join(scratch, "open"), path.dirname(file), file]) {
    const { mode } = await stat(target);
    await chmod(target, 0o700);
    assert.equal(isOpenToOthers(file), false, target);
    await chmod(target, mode);
  }
});

test("a file that does not end is ended, with a line that says so", async () => {
  const file = path.join(scratch, "endless.test.js");
  await writeFile(
    file,
    'import test from "node:test"; setInterval(() => {}, 1000); test("waits", () => new Promise(() => {}));',
  );
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const { code, output } = await runNode(["--test", `--import=${path.join(root, "scripts/test-guard.js")}`, file], {
    ...environment,
    TEST_FILE_SECONDS_MAX: "1",
  });
  assert.equal(code, 1, output);
  assert.match(output, /endless\.test\.js has not ended after 1 s: /);
});

test("a failing test that leaves everything open neither hangs the run nor leaves a folder behind", async () => {
  // A repository of one test file.
  const [repository, temporary] = [path.join(scratch, "repository"), path.join(scratch, "tmp")];
  for (const folder of ["scripts", "test/install"]) await mkdir(path.join(repository, folder), { recursive: true });
  await mkdir(temporary);
  for (const file of ["test.ts", "test-guard.js", "test-reporter.ts"]) {
    await copyFile(path.join(root, "scripts", file), path.join(repository, "scripts", file));
  }
  for (const name of ["scripts/servers", "bin", "src", "sandbox", "node_modules", "package.json"]) {
    await symlink(path.join(root, name), path.join(repository, name));
  }
  await writeFile(
    path.join(repository, "test/install/failing.test.ts"),
    `import { mkdtempSync } from "node:fs";
     import { createServer } from "node:net";
     import os from "node:os";
     import { test } from "node:test";
     for (let count = 0; count < 500; count++) test("one of very many " + "x".repeat(200), () => {});
     test("fails", async () => {
       mkdtempSync(os.tmpdir() + "/left-behind-");
       console.log("PGSSLMODE is " + process.env.PGSSLMODE);
       createServer().listen(0);
       setInterval(() => {}, 1000);
       throw new Error("on purpose");
     });`,
  );
  const { NODE_TEST_CONTEXT: _, CI: __, ...environment } = process.env;
  const { code, output } = await runNode([path.join(repository, "scripts/test.ts"), "--suite=install"], {
    ...environment,
    PATH: searchPath,
    TMPDIR: temporary,
    TEST_LINGER_SECONDS_MAX: "1",
    PGSSLMODE: "require",
  });
  assert.equal(code, 1, output);
  assert.match(output, /✖ fails[\s\S]*on purpose/);
  assert.match(output, /failing\.test\.ts leaves something open: .*TCPServerWrap/);
  // None is lost: those that pass are as many as there are.
  assert.match(output, /tests 501\n/);
  assert.match(output, /PGSSLMODE is undefined/);
  assert.deepEqual(await readdir(temporary), []);
});

/** Runs Node.js to its end. */
const runNode = (args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ code: unknown; output: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, args, { env, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    );
  });
