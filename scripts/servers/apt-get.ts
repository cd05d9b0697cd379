/** Debian's packages, for tests on machines that lack a program. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Installs the packages, as root or with a sudo that asks no password. Rejects with one line when that is impossible. */
export async function installPackages(names: readonly string[], say: (line: string) => void): Promise<void> {
  await aptGet("--version");
  say(`Installing ${names.join(" and ")}`);
  // The lists may be missing or old; whether they can be fetched shows in what comes next.
  await aptGet("update").catch(() => {});
  await aptGet("install", "-y", "--no-install-recommends", ...names);
}

async function aptGet(...args: string[]): Promise<void> {
  const command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", ...args];
  const [program, ...rest] = process.getuid?.() === 0 ? command : ["sudo", "-n", ...command];
  await promisify(execFile)(program!, rest, { timeout: 300_000, maxBuffer: 64 * 1024 * 1024 }).catch((error: Error) => {
    throw new Error(`apt-get ${args.join(" ")} failed (${lastLine(error)})`);
  });
}

const lastLine = (error: Error): string =>
  `${(error as { stderr?: string }).stderr || error.message}`.trim().split("\n").at(-1)!;
