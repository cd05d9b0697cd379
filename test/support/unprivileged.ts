/** Commands without the rights of root, where the tests have them. */
import { chown } from "node:fs/promises";

/** A user that may do nothing here. */
const NOBODY = 65534;
/** Runs the command as the user nobody, when the tests run as root. */
export const unprivileged = (command: readonly string[]): [string, string[]] =>
  process.getuid?.() === 0
    ? ["setpriv", [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--no-new-privs", ...command]]
    : [command[0]!, command.slice(1)];

/** Lets the user of `unprivileged` write to the folder. */
export async function makeWritable(folder: string): Promise<void> {
  if (process.getuid?.() === 0) await chown(folder, NOBODY, NOBODY);
}
