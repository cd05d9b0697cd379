/**
 * Installs and starts the repository with the versions of npm and Node.js that people have: `npm run test:install`.
 * Needs a package registry.
 */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findFreePort } from "../support/command.ts";
import { waitFor } from "../support/wait.ts";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../..", import.meta.url));
const scratch = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-install-"));
// The embedded PostgreSQL, which never runs as root, has its data here.
await chmod(scratch, 0o755);
after(() => rm(scratch, { recursive: true, force: true }));

/** Only what a shell of a newcomer has: none of the variables that the npm which runs this test has set. */
const environmentWith = (...folders: string[]): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$|^NODE$|^INIT_CWD$/i.test(name)),
  ),
  PATH: [...folders, "/usr/local/bin", "/usr/bin", "/bin"].join(path.delimiter),
});

interface Tools {
  readonly folder: string;
  readonly node: string;
  readonly npmProgram: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Runs npm in the folder. */
  npm(...args: string[]): Promise<string>;
}

/** A Node.js and an npm in a folder, and beside them a copy of the repository as git would clone it. */
async function prepare(npmVersion: string, nodeMajor: string): Promise<Tools> {
  const tools = path.join(scratch, `npm-${npmVersion}`);
  const folder = path.join(tools, "repository");
  await mkdir(folder, { recursive: true });
  const nodePackage = `node-${process.platform}-${process.arch}`;
  const wanted = [`npm@${npmVersion}`, `${nodePackage}@${nodeMajor}`];
  await run("npm", ["install", "--prefix", tools, "--no-fund", "--no-audit", "--ignore-scripts", ...wanted], {
    env: environmentWith(path.dirname(process.execPath)),
  });
  const nodeFolder = path.join(tools, "node_modules", nodePackage, "bin");
  const { stdout } = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: repository,
  });
  for (const file of stdout.split("\0").filter((name) => name !== "")) {
    await cp(path.join(repository, file), path.join(folder, file), { force: true }).catch((error) => {
      if (error.code !== "ENOENT") throw error; // removed, and not yet committed
    });
  }
  const environment = environmentWith(nodeFolder);
  const [node, npmProgram] = [path.join(nodeFolder, "node"), path.join(tools, "node_modules/npm/bin/npm-cli.js")];
  const npm = async (...args: string[]): Promise<string> => {
    const options = { cwd: folder, env: environment, timeout: 300_000, maxBuffer: 1e8 };
    const { stdout: output, stderr } = await run(node, [npmProgram, ...args], options);
    return output + stderr;
  };
  return { folder, node, npmProgram, environment, npm };
}

/** Starts the sandbox, asks it, stops it with the signal, and resolves to how the process that was started has ended. */
async function startAndStop(
  { folder, node, environment }: Tools,
  args: readonly string[],
  stop: (pid: number) => void,
): Promise<unknown> {
  const port = await findFreePort();
  const child = spawn(node, [...args, "--port", String(port), "--data-dir", `${folder}-data`], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  const keep = (text: string): void => {
    output += text;
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", keep);
  const exit = once(child, "close");
  try {
    const url = await waitFor(
      () => {
        assert.equal(child.exitCode, null, output);
        return /(http:\S+)\/debtors\/\.docs\/ /.exec(output)?.[1];
      },
      { what: () => `the sandbox to be ready: ${output}`, timeoutSeconds: 60 },
    );
    assert.equal((await fetch(`${url}/debtors/health/check/public`)).status, 200);
    stop(child.pid!);
    const end = await exit;
    await assert.rejects(fetch(url), "the program itself has ended");
    return end;
  } finally {
    if (child.exitCode === null) process.kill(-child.pid!, "SIGKILL");
  }
}

/** A SIGINT for npm and for all that it has started. */
const pressCtrlC = (pid: number): void => void process.kill(-pid, "SIGINT");

for (const [npmVersion, nodeMajor] of [
  ["9.2.0", "18"],
  ["10.9.4", "20"],
  ["11.5.2", "22"],
] as const) {
  test(`npm ${npmVersion} on Node.js ${nodeMajor} installs everything, changes no file, and starts it`, async () => {
    const tools = await prepare(npmVersion, nodeMajor);
    const lockFile = path.join(tools.folder, "package-lock.json");
    const locked = await readFile(lockFile, "utf8");
    assert.doesNotMatch(await tools.npm("install"), /warn (?!Unknown)/i);
    assert.equal(await readFile(lockFile, "utf8"), locked, "`npm run lock` makes it the same for every npm");

    // What exit code npm itself has then depends on its version.
    await startAndStop(tools, [tools.npmProgram, "start", "--"], pressCtrlC);
    const end = await startAndStop(tools, ["bin/swpt-debtors.js", "sandbox"], (pid) => process.kill(pid, "SIGTERM"));
    assert.deepEqual(end, [0, null]);
    await tools.npm("run", "typecheck");
    await tools.npm("run", "lint");
    const { version } = JSON.parse(await readFile(path.join(repository, "package.json"), "utf8"));
    assert.match(await tools.npm("exec", "--yes", "swpt-debtors", "--", "--version"), new RegExp(`^${version}$`, "m"));
  });
}
