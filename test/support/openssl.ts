/** The program `openssl`, which checks what the program writes, and writes what peers would. */
import { spawnSync } from "node:child_process";

/** Runs `openssl` to its end, and returns what it has written. Throws when it fails. */
export function openssl(args: readonly string[], { cwd, input }: { cwd?: string; input?: string } = {}): string {
  const { error, status, stdout, stderr } = spawnSync("openssl", args, { cwd, input: input ?? "", encoding: "utf8" });
  if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT") {
    throw new Error("These tests need the program openssl. Install it (Debian: apt install openssl).");
  }
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`openssl ${args.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/**
 * The arguments of `openssl x509 -req` by which a certificate expires in so many days, or has expired when they are less than
 * 0: since 3.4 there are other options for that, and this one is refused.
 */
export function validFor(days: number): string[] {
  if (days >= 0) return ["-days", String(days)];
  const [, major, minor] = /^OpenSSL (\d+)\.(\d+)/.exec(openssl(["version"])) ?? [];
  const isNew = Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 4);
  return isNew ? ["-not_before", "20200101000000Z", "-not_after", "20200102000000Z"] : ["-days", String(days)];
}
