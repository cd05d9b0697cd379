/** Commands without the rights of root, where the tests have them. */
import { constants, statSync } from "node:fs";
import { chown } from "node:fs/promises";
import path from "node:path";

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

/** Whether every user can read the file: by its own mode, and by those of the folders above. */
export function isOpenToOthers(file: string): boolean {
  if ((statSync(file).mode & constants.S_IROTH) === 0) return false;
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    if ((statSync(folder).mode & constants.S_IXOTH) === 0) return false;
    if (folder === path.dirname(folder)) return true;
  }
}
