/** At most one command changes a node's directory at a time. */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { makeFolder, removeTemporaries } from "./atomic-writes.ts";
import { NodeDataError } from "./node-data-error.ts";

const WAIT_MILLIS_MAX = 10_000;
const RETRY_MILLIS = 50;
const SQLITE_BUSY = 5;

/**
 * Does the work while no other command changes the directory, after removing what an interrupted one has left behind.
 * Waits up to 10 seconds for others, then throws a NodeDataError.
 */
export async function withLock<Result>(directory: string, work: () => Promise<Result>): Promise<Result> {
  await makeFolder(path.join(directory, "db"));
  using _lock = await acquire(path.join(directory, "db/.lock"));
  await removeTemporaries(await foldersOf(directory));
  return await work();
}

/**
 * Node.js has no file locks, but SQLite has: an exclusive transaction on an empty database. The system releases it when
 * the process dies.
 */
async function acquire(file: string): Promise<DatabaseSync> {
  const deadline = performance.now() + WAIT_MILLIS_MAX;
  for (;;) {
    try {
      return openExclusively(file);
    } catch (error) {
      const { errcode, message } = error as { errcode?: number; message: string };
      if (errcode !== SQLITE_BUSY) throw new NodeDataError(`${file}: cannot be locked (${message}).`, { cause: error });
      if (performance.now() > deadline) {
        throw new NodeDataError(`${file}: another command is changing the directory; try again later.`);
      }
      await pause(RETRY_MILLIS);
    }
  }
}

function openExclusively(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("pragma journal_mode = off; begin exclusive");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The folders in which the commands write. */
async function foldersOf(directory: string): Promise<readonly string[]> {
  const within = (name: string): string => path.join(directory, name);
  const peers = await readdir(within("peers")).catch(() => []);
  const fixed = ["", "db", "certs", "private", "nodeinfo", "peers"];
  return [...fixed, ...peers.flatMap((name) => [`peers/${name}`, `peers/${name}/nodeinfo`])].map(within);
}
