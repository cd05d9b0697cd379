import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type RunningCommand, runCommand, startCommand } from "../support/command.ts";
import { waitFor } from "../support/wait.ts";

const program = fileURLToPath(new URL("../../bin/swpt-debtors.js", import.meta.url));
const isRoot = process.getuid?.() === 0;
let parent: string;
before(async () => {
  parent = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-test-"));
  await chmod(parent, 0o755); // As root the server runs as somebody else, who must be able to pass through.
});
after(() => rm(parent, { recursive: true, force: true }));

const start = (folder: string, args: readonly string[] = [], environment = {}): RunningCommand =>
  startCommand(["sandbox", "--open", "--port", "20000", "--data-dir", folder, ...args], environment);

test("the sandbox ignores PG variables, and a second one on the same data says what to do", async () => {
  const folder = path.join(parent, "first");
  const variables = {
    PGSSLMODE: "require",
    PGOPTIONS: "-c default_transaction_read_only=on",
    PGUSER: "nobody",
    PGPORT: "1",
  };
  await using first = start(folder, [], variables);
  await first.outputMatching(/Stop with Ctrl-C/);

  for (const args of [[], ["--fresh"]]) {
    await using second = start(folder, args);
    assert.deepEqual(await second.exit, { code: 1, signal: null });
    assert.match(
      second.output(),
      /^(Still starting [^\n]+\n)*Another sandbox is using \S+first \(its PostgreSQL is process \d+\)\. Stop it, or choose [^\n]+\n$/,
    );
  }
  assert.deepEqual(await first.stop("SIGINT"), { code: 0, signal: null });
});

test("data of another version of PostgreSQL are rejected, and --fresh starts without them", async () => {
  const folder = path.join(parent, "old");
  await mkdir(path.join(folder, "data"), { recursive: true, mode: 0o700 });
  await writeFile(path.join(folder, "data", "PG_VERSION"), "9\n");
  await using rejected = start(folder);
  assert.deepEqual(await rejected.exit, { code: 1, signal: null });
  assert.match(
    rejected.output(),
    /^The data in \S+ are of PostgreSQL 9, and this is PostgreSQL \d+\. Start afresh with --fresh, or [^\n]+\n$/,
  );
  await using afresh = start(folder, ["--fresh"]);
  await afresh.outputMatching(/Stop with Ctrl-C/);
  assert.equal((await readdir(folder)).filter((name) => name.startsWith("data-9-")).length, 1);
});

for (const [what, folder, problem] of [
  [
    "a file in the way",
    path.join(import.meta.filename, "below"),
    /^Cannot create the folder \S+; choose another one with --data-dir\.\n$/,
  ],
  [
    "a folder that cannot be created",
    "/proc/none/below",
    /^Cannot create the folder \S+; choose another one with --data-dir\.\n$/,
  ],
] as const) {
  test(`${what} is one line that says what to do`, async () => {
    const { code, output } = await runCommand(["sandbox", "--data-dir", folder]);
    assert.equal(code, 1);
    assert.match(output, problem);
  });
}

test("keys of nodes are not written where other users could replace them", async () => {
  const folder = path.join(parent, "open");
  await mkdir(folder);
  await chmod(folder, 0o777);
  await using command = start(path.join(parent, "linked"), ["--link"], { TMPDIR: folder });
  assert.deepEqual(await command.exit, { code: 1, signal: null });
  assert.match(command.output(), /^Other users could replace files in \S+open; set TMPDIR to another folder\.\n$/);
  assert.deepEqual(await readdir(folder), []);
});

test("a folder without the right to write is one line that says what to do", { skip: isRoot }, async () => {
  const folder = path.join(parent, "closed");
  await mkdir(folder, { mode: 0o500 });
  const { code, output } = await runCommand(["sandbox", "--data-dir", path.join(folder, "below")]);
  assert.equal(code, 1);
  assert.match(output, /^Cannot write to \S+; change its owner, or choose another folder with --data-dir\.\n$/);
});

interface Isolated {
  readonly script: string;
  /** The script's arguments from the third on; the first two are Node.js and the program. */
  readonly args: readonly string[];
  /** Output at which it gets a SIGINT. */
  readonly stopAt?: RegExp;
}

/** Runs a script in namespaces of its own, where this machine lets us. `undefined` where it does not. */
async function runIsolated(options: Isolated): Promise<{ code: number; output: string } | undefined> {
  const { script, args, stopAt } = options;
  try {
    execFileSync("unshare", ["--mount", "--net", "ip", "link", "set", "lo", "up"], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  const shell = spawn("unshare", ["--mount", "--net", "/bin/sh", "-c", script, process.execPath, program, ...args]);
  let output = "";
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (stopAt?.test(output)) shell.kill("SIGINT");
    });
  }
  const [code] = await once(shell, "close");
  return { code, output };
}

test("a full disk is one line that says what to do", async (context) => {
  const disk = path.join(parent, "disk");
  await mkdir(disk);
  const script =
    'ip link set lo up; mount -t tmpfs -o size=2m,mode=755 tmpfs "$2" && exec "$0" "$1" sandbox --data-dir "$2/data"';
  const result = await runIsolated({ script, args: [disk] });
  if (result === undefined) return context.skip("no namespaces");
  assert.equal(result.code, 1);
  assert.match(
    result.output,
    /^There is no space left on the disk of \S+; free some, or choose another folder with --data-dir\.\n$/,
  );
});

test("a machine without IPv4 is one line that says what to do", async (context) => {
  const result = await runIsolated({
    script: 'ip link set lo up; ip address flush dev lo; exec "$0" "$1" sandbox --data-dir "$2"',
    args: [path.join(parent, "no-network")],
  });
  if (result === undefined) return context.skip("no namespaces");
  assert.equal(result.code, 1);
  assert.match(
    result.output,
    /^Cannot listen on 127\.0\.0\.1 \(EADDRNOTAVAIL\); the sandbox needs the IPv4 loopback interface\.\n$/,
  );
});

test("where the repository is read-only it starts, and says why there is no web client", async (context) => {
  const webapp = fileURLToPath(new URL("../../webapp", import.meta.url));
  await mkdir(path.join(webapp, "dist"), { recursive: true });
  const script = `ip link set lo up; mount --bind "$3" "$3" && cd "$3" && mount -t tmpfs -o ro tmpfs dist &&
    mount -o remount,bind,ro "$3" && exec "$0" "$1" sandbox --data-dir "$2"`;
  const args = [path.join(parent, "read-only"), webapp];
  const result = await runIsolated({ script, args, stopAt: /Stop with Ctrl-C/ });
  if (result === undefined) return context.skip("no namespaces");
  assert.equal(result.code, 0, result.output);
  assert.match(
    result.output,
    /^The web client cannot be built, so there is none; `npm run build` [^\n]+\(EROFS[^\n]+\)\.$/m,
  );
  assert.doesNotMatch(result.output, /debtors-webapp/);
});

test("the first Ctrl-C stops the sandbox while it starts", async () => {
  const folder = path.join(parent, "interrupted");
  await using command = start(folder);
  // Its data folder is being created.
  await waitFor(() => existsSync(folder) && readdirSync(folder).length > 0);
  assert.deepEqual(await command.stop("SIGINT"), { code: 1, signal: null });
  assert.equal(command.output(), "Stopped while starting the embedded PostgreSQL.\n");
});
