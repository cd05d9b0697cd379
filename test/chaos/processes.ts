/** The processes of a node, each a stand-alone command, which a test may kill, freeze and start again. */
import { execFile } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import type { RunningCommand } from "../support/command.ts";

/** A command that is started again whenever the test has killed it. */
export interface ManagedProcess {
  readonly name: string;
  /** Kills it, its children or both, waits for the end, and starts it again. `justBefore` is what else goes wrong then. */
  killAndRestart(how: Killing, justBefore: () => Promise<void>): Promise<void>;
  /** Suspends it, and resumes it after this many milliseconds. */
  freeze(millis: number): Promise<void>;
  /** Log lines that must never be logged, and unexpected exits. */
  problems(): string[];
  /** Asks it to stop for good. Resolves to its exit code. */
  stop(): Promise<number | null>;
}

/** `worker`: SIGKILL for the children, so that the command ends by itself; `all`: SIGKILL for all; `term`: a clean stop. */
export type Killing = "worker" | "all" | "term";

const FORBIDDEN_LINES =
  /failed unexpectedly|could not be sent|ends with an error|UnhandledPromise|Uncaught|^\s+at .*\.ts:/;

/** Starts it, and starts it again whenever it is killed. */
export function manageProcess(name: string, startOne: () => RunningCommand): ManagedProcess {
  const problems: string[] = [];
  let running: RunningCommand;
  let isEndExpected = false;

  function start(): void {
    isEndExpected = false;
    const command = startOne();
    running = command;
    void command.exit.then(({ code, signal }) => {
      const lines = command.output().split("\n");
      problems.push(...lines.filter((line) => FORBIDDEN_LINES.test(line)).map((line) => `${name}: ${line}`));
      if (!isEndExpected || running !== command) {
        if (running === command)
          problems.push(`${name} has ended by itself (${code ?? signal}): ${lines.slice(-5).join(" | ")}`);
      }
    });
  }

  start();
  return {
    name,
    killAndRestart: async (how, justBefore) => {
      isEndExpected = true;
      const { pid } = running;
      const children = how === "term" ? [] : await childrenOf(pid);
      await justBefore();
      if (how === "term") running.kill("SIGTERM");
      for (const child of children) killQuietly(child, "SIGKILL");
      // One that has just been started may have no children yet.
      if (how === "all" || (how === "worker" && children.length === 0)) running.kill("SIGKILL");
      await running.exit;
      start();
    },
    freeze: async (millis) => {
      const pids = [running.pid, ...(await childrenOf(running.pid))];
      for (const pid of pids) killQuietly(pid, "SIGSTOP");
      await pause(millis);
      for (const pid of pids) killQuietly(pid, "SIGCONT");
    },
    problems: () => [...problems],
    stop: async () => {
      isEndExpected = true;
      return (await running.stop()).code;
    },
  };
}

async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid="]);
  return stdout
    .trim()
    .split("\n")
    .map((row) => row.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (parent === pid ? [child!] : []));
}

function killQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
