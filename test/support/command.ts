/** The program itself, as a child process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { waitFor } from "./wait.ts";

/** How a process has ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running `swpt-debtors COMMAND`. `await using` stops it. */
export interface RunningCommand extends AsyncDisposable {
  readonly pid: number;
  /** What it has written so far, to standard output and standard error, in one text. */
  output(): string;
  /** What it has written to standard output alone. */
  standardOutput(): string;
  /** Waits until it has written something that matches. Rejects when it ends before. */
  outputMatching(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when it has ended. */
  readonly exit: Promise<Exit>;
  hasEnded(): boolean;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM (or another signal), and waits for the end; SIGKILL after 40 seconds. A no-op when it has ended. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

/** How it is started, where that is not as the test itself is. */
export interface StartOptions {
  readonly nodeProgram?: string;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
}

const program = fileURLToPath(new URL("../../bin/swpt-debtors.js", import.meta.url));
const STOP_MILLIS_MAX = 40_000;

/**
 * Starts `swpt-debtors` with these arguments. It gets the given environment and nothing of the tests' own, except what a process needs to
 * run at all; METRICS_PORT is 0 unless given.
 */
export function startCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
  options: StartOptions = {},
): RunningCommand {
  return startProgram(program, args, environment, options);
}

/** The same for another program, given by its file. */
export function startProgram(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  { nodeProgram = process.execPath, ...spawnOptions }: StartOptions = {},
): RunningCommand {
  const child = spawn(nodeProgram, [file, ...args], {
    ...spawnOptions,
    env: { ...inheritedEnvironment(), METRICS_PORT: "0", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let standardOutput = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    standardOutput += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const exit = once(child, "close").then(([code, signal]): Exit => ({ code, signal }));
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<Exit> => {
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MILLIS_MAX);
    child.kill(signal);
    return exit.finally(() => clearTimeout(timer));
  };
  killWithTest(child);
  return {
    pid: child.pid!,
    output: () => output,
    standardOutput: () => standardOutput,
    outputMatching: (pattern) =>
      waitFor(
        () => {
          const match = pattern.exec(output);
          if (!match && hasEnded()) throw new Error(`${args.join(" ")} ended before it wrote ${pattern}:\n${output}`);
          return match;
        },
        { what: () => `${pattern} in the output of ${args.join(" ")}:\n${output}` },
      ),
    exit,
    hasEnded,
    kill: (signal) => child.kill(signal),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

/** Waits until the web server of a command listens; its URL. The command must log at the level info. */
export const listeningUrl = async (command: RunningCommand): Promise<string> =>
  (await command.outputMatching(/Listening url="([^"]+)"/))[1]!;

/** Runs the program to its end. */
export async function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
  options: StartOptions = {},
): Promise<Exit & { output: string; standardOutput: string }> {
  const command = startCommand(args, environment, options);
  const exit = await command.exit;
  return { ...exit, output: command.output(), standardOutput: command.standardOutput() };
}

/** A TCP port that was free a moment ago, on all addresses. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

const inheritedEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    ["PATH", "HOME", "TMPDIR", "LANG", "NODE_V8_COVERAGE"].flatMap((name) =>
      process.env[name] === undefined ? [] : [[name, process.env[name]]],
    ),
  );

// A failing test must not leave processes behind.
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
function killWithTest(child: ChildProcess): void {
  running.add(child);
  child.once("close", () => running.delete(child));
}
