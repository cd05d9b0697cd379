/** Where an embedded server keeps its files, and as whom it runs. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, chown, lstat, mkdtemp, readdir, realpath } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { isOutOfReach, makeFolder } from "../../bin/private-folder.js";
import { EmbeddedPostgresError } from "./error.ts";

/** A user of the system. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root: then it runs as the user "nobody", who is 65534 everywhere. */
export const serverUser = (): User | undefined => (process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined);

/**
 * A folder that the server's user can pass through: the wanted one, unless a folder above it is closed to that user. It
 * belongs to this process's user, so that the server's user, who may be "nobody", cannot replace what is in it.
 */
export async function prepareFolder(wanted: string | undefined, user: User | undefined): Promise<string> {
  const folder =
    wanted === undefined ? await mkdtemp(await temporaryPath("postgres-")) : await chooseFolder(wanted, user);
  if (user) await chmod(folder, 0o711);
  return folder;
}

async function chooseFolder(wanted: string, user: User | undefined): Promise<string> {
  makeFolder(path.dirname(wanted), 0o755);
  const folder = (await isReachable(path.dirname(wanted), user))
    ? wanted
    : // The same place at the next start, so that the data are found again.
      await temporaryPath(`sandbox-${createHash("sha256").update(wanted).digest("hex").slice(0, 12)}`);
  makeFolder(folder, 0o700);
  const stranger = await findStranger(folder);
  if (stranger !== undefined) {
    throw new EmbeddedPostgresError(
      `${folder} has other files, such as ${stranger}; choose a new or an empty folder with --data-dir`,
    );
  }
  const { uid, mode } = await lstat(folder);
  // A sandbox started by root has once belonged to the server's user.
  if (uid === user?.uid && folder === wanted) await chown(folder, 0, 0);
  else if (uid !== process.getuid?.()) throw new EmbeddedPostgresError(`${folder} belongs to another user`);
  if ((mode & 0o022) !== 0) throw new EmbeddedPostgresError(`Other users may write to ${folder}; change its mode`);
  return folder;
}

/** What a server keeps in its folder, with what an interrupted start has left, and what file managers and file systems add. */
const OWN_ENTRY = /^(?:data|data-\d+-\d+|initdb-\w+|password|password\.new|program|lost\+found|\..*)$/;

/** The name of something in the folder that no server has made: the folder may have been named by mistake. */
async function findStranger(folder: string): Promise<string | undefined> {
  const entries = await readdir(folder);
  const data = entries.includes("data") ? await readdir(path.join(folder, "data")) : [];
  const hasData = data.includes("PG_VERSION");
  if (hasData && entries.includes("password")) return undefined;
  return entries.find((entry) => !OWN_ENTRY.test(entry)) ?? (hasData || data.length === 0 ? undefined : "data");
}

/** A path for a private folder among the temporary files, which no other user can replace. */
export async function temporaryPath(name: string): Promise<string> {
  const folder = await realpath(os.tmpdir());
  if (!isOutOfReach(folder, process.getuid?.() ?? 0)) {
    throw new EmbeddedPostgresError(`Other users could replace files in ${folder}; set TMPDIR to another folder`);
  }
  return path.join(folder, `swpt-debtors-${name}`);
}

/** Whether the user can pass through the folder. */
const isReachable = async (folder: string, user: User | undefined): Promise<boolean> =>
  promisify(execFile)("/bin/sh", ["-c", 'cd -- "$1"', "sh", folder], { ...user, cwd: "/" }).then(
    () => true,
    () => false,
  );
