/** Child processes that end when this process ends, even after SIGKILL. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";

/** A server that runs as a child process. */
export interface GuardedProcess {
  /** Of the shell that stands between: the parent of the server. */
  readonly pid: number | undefined;
  /** The last 64 KB of what it has written to standard output and standard error. */
  output(): string;
  hasEnded(): boolean;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** Asks it to end and waits; after 20 seconds it is killed. */
  stop(): Promise<void>;
  /** Kills it and all that it has started, and waits: for a server whose data are thrown away. */
  kill(): Promise<void>;
}

export interface GuardedProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The signal that asks it to end: its name without `SIG`. */
  readonly stopSignal: "INT" | "TERM";
  readonly environment?: NodeJS.ProcessEnv;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  readonly folder?: string | undefined;
}

const OUTPUT_LENGTH_MAX = 65_536;
const STOP_MILLIS_MAX = 20_000;

// A shell stands between. Its standard input is a pipe from us, which the system closes when we are gone, by SIGKILL too;
// then it passes the stop signal on. It ends when the server ends, with the server's exit code.
const GUARD = `
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r nothing <&3; kill -s "$STOP_SIGNAL" $server; } >/dev/null 2>&1 &
watcher=$!
wait $server
status=$?
kill $watcher
exit $status`;

/** Starts the command in a session of its own, so that Ctrl-C reaches it only by way of `stop`. */
export function startGuarded(options: GuardedProcessOptions): GuardedProcess {
  const { command, args, stopSignal, environment = process.env, user, folder } = options;
  const spawnOptions: SpawnOptions = {
    env: { ...environment, STOP_SIGNAL: stopSignal },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
    cwd: folder,
    ...user,
  };
  const child = spawn("/bin/sh", ["-c", GUARD, "guard", command, ...args], spawnOptions);
  let output = "";
  const keep = (text: Buffer): void => {
    output = (output + text).slice(-OUTPUT_LENGTH_MAX);
  };
  child.stdout!.on("data", keep);
  child.stderr!.on("data", keep);
  child.stdin!.on("error", () => {});
  child.once("exit", () => child.stdin!.destroy());
  child.on("error", (error) => keep(Buffer.from(error.message)));
  const ended = once(child, "close").then(
    () => {},
    () => {},
  );
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  const stop = async (): Promise<void> => {
    const timer = setTimeout(() => killGroup(child), STOP_MILLIS_MAX);
    child.stdin!.end();
    await ended;
    clearTimeout(timer);
  };
  const kill = async (): Promise<void> => {
    killGroup(child);
    await ended;
  };
  return { pid: child.pid, output: () => output, hasEnded, ended, stop, kill };
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, "SIGKILL");
  } catch {
    // It has ended in this moment.
  }
}
