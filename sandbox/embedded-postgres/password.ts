/**
 * The password of the embedded server. It listens on the loopback interface, where every user of the machine can connect, and
 * its superuser may run any program as the user whose server it is.
 */
import { randomBytes } from "node:crypto";
import { chown, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type pg from "pg";
import type { User } from "./folder.ts";

const fileIn = (folder: string): string => path.join(folder, "password");

/** The password of the data in that folder; `undefined` when they have been made without one. */
export const readPassword = (folder: string): Promise<string | undefined> =>
  readFile(fileIn(folder), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });

/** Chooses a password for new data, and returns the file that has it, which the server's user can read. */
export async function choosePassword(folder: string, user: User | undefined): Promise<string> {
  const file = fileIn(folder);
  await rm(file, { force: true });
  await writeFile(file, makePassword(), { mode: 0o600, flag: "wx" });
  if (user) await chown(file, user.uid, user.gid);
  return file;
}

/** Gives a password to data of an earlier version, whose server lets everybody in. */
export async function addPassword(folder: string, dataFolder: string, client: pg.Client): Promise<string> {
  const password = makePassword();
  await client.query(`alter role postgres password '${password}'`);
  await writeFile(`${fileIn(folder)}.new`, password, { mode: 0o600 });
  await rename(`${fileIn(folder)}.new`, fileIn(folder));
  await requirePassword(dataFolder);
  await client.query("select pg_reload_conf()");
  return password;
}

/** Lets nobody in without the password, from the next start or reload on. */
export const requirePassword = (dataFolder: string): Promise<void> =>
  writeFile(path.join(dataFolder, "pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n");

const makePassword = (): string => randomBytes(24).toString("base64url");
