/** The program `openssl`, as the judge of what we write and as the maker of what others write. */
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
