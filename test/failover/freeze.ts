/** Servers that hang: SIGSTOP for all of their processes, which keeps their connections and answers nobody. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

/** The processes of a server, none of which is running. */
export interface FrozenProcesses {
  /** Lets them go on where they were. */
  thaw(): Promise<void>;
  /** SIGKILL for all of them at once: none goes on without the others. */
  kill(): void;
}

/** Freezes a process and all that it has started, parents first: those start no others meanwhile. */
export async function freezeProcesses(root: number): Promise<FrozenProcesses> {
  const pids = new Set<number>();
  for (let found = [root]; found.length > 0; found = await childrenOf(pids)) {
    for (const pid of found) {
      pids.add(pid);
      signalQuietly(pid, "SIGSTOP");
    }
  }
  // A shell lets them go on when its standard input is closed, which the system does when this process has been killed.
  const thawer = spawn("/bin/sh", ["-c", 'read -r nothing; kill -s CONT "$@"', "thaw", ...[...pids].map(String)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  return {
    thaw: async () => {
      thawer.stdin.end();
      await once(thawer, "close");
    },
    kill: () => {
      thawer.kill("SIGKILL");
      for (const pid of pids) signalQuietly(pid, "SIGKILL");
    },
  };
}

/** Those that are not among the parents themselves. */
async function childrenOf(parents: ReadonlySet<number>): Promise<number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid="]);
  const rows = stdout.trim().split("\n");
  const processes = rows.map((row) => row.trim().split(/\s+/).map(Number) as [pid: number, parent: number]);
  return processes.filter(([pid, parent]) => parents.has(parent) && !parents.has(pid)).map(([pid]) => pid);
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
