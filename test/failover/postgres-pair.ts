/** A PostgreSQL primary with a standby, which a test may kill, freeze, promote and rebuild as an operator does. */
import { execFile } from "node:child_process";
import { accessSync, constants, globSync } from "node:fs";
import { appendFile, chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { serverUser } from "../../sandbox/embedded-postgres/folder.ts";
import { type GuardedProcess, startGuarded } from "../../sandbox/guarded-process.ts";
import { findFreePort } from "../support/command.ts";
import { makeWritable } from "../support/unprivileged.ts";
import { waitFor } from "../support/wait.ts";
import { type FrozenProcesses, freezeProcesses } from "./freeze.ts";

/** Two servers, one of which takes writes. `await using` stops them. */
export interface PostgresPair extends AsyncDisposable {
  /** Both servers, and the one that takes writes is wanted. */
  readonly url: string;
  /** The name of the server that takes writes. */
  primary(): string;
  /**
   * SIGKILL for all of the primary, or it hangs from now on; then the standby is promoted. Resolves when that takes writes.
   */
  failOver(how: "killed" | "frozen"): Promise<void>;
  /** Makes the server that was the primary a standby of the other one. One that hangs is killed first. */
  rebuildStandby(): Promise<void>;
  /** Suspends the standby: its connections stand, and it answers nobody. */
  freezeStandby(): Promise<void>;
  thawStandby(): Promise<void>;
  /** The standby gets nothing more, and the primary does not wait for it: an asynchronous standby that is behind. */
  cutOff(): Promise<void>;
}

interface Server {
  readonly name: string;
  readonly port: number;
  readonly data: string;
  running: GuardedProcess | undefined;
  frozen: FrozenProcesses | undefined;
}

/** Whether a commit waits for the standby. */
export type Replication = "synchronous" | "asynchronous";

/** The folder of PostgreSQL's programs, of the newest version that is installed; `undefined` when there is none. */
export function findPostgresPrograms(): string | undefined {
  const folders = [
    ...globSync("/usr/lib/postgresql/*/bin").sort((a, b) => b.localeCompare(a, "en", { numeric: true })),
    ...(process.env.PATH ?? "").split(path.delimiter),
  ];
  return folders.find((folder) => {
    try {
      accessSync(path.join(folder, "pg_basebackup"), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Starts both with an empty database `debtors`. */
export async function startPostgresPair(replication: Replication): Promise<PostgresPair> {
  const programs = findPostgresPrograms();
  if (programs === undefined) throw new Error("PostgreSQL's server programs are not installed");
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-pair-"));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await chmod(folder, 0o711);
  const servers: Server[] = [];
  for (const name of ["pg1", "pg2"]) {
    const data = path.join(folder, name);
    await makeDataFolder(data);
    servers.push({ name, port: await findFreePort(), data, running: undefined, frozen: undefined });
  }
  let [primary, standby] = servers as [Server, Server];
  stack.defer(async () => {
    for (const server of servers) await killAsAMachineDoes(server);
  });
  const run = async (program: string, ...args: string[]): Promise<void> => {
    await promisify(execFile)(path.join(programs, program), args, { ...serverUser(), cwd: "/", env: environment });
  };

  const start = async (server: Server): Promise<void> => {
    const { data, port } = server;
    server.running = startGuarded({
      command: path.join(programs, "postgres"),
      args: ["-D", data, "-c", `port=${port}`, "-c", `cluster_name=${server.name}`],
      stopSignal: "INT",
      environment,
      user: serverUser(),
      folder: "/",
    });
    await waitFor(() => isAnswering(server), { what: () => `${server.name} to start: ${server.running?.output()}` });
  };
  const settle = (server: Server, ...statements: string[]) =>
    onServer(server, async (client) => {
      for (const statement of statements) await client.query(statement);
      await client.query("select pg_reload_conf()");
    });

  async function rebuildStandby(): Promise<void> {
    await killAsAMachineDoes(standby);
    await rm(standby.data, { recursive: true, force: true });
    await makeDataFolder(standby.data);
    const from = `host=127.0.0.1 port=${primary.port} user=postgres application_name=${standby.name}`;
    await run("pg_basebackup", "-d", from, "-D", standby.data, "-R", "-c", "fast", "-X", "stream");
    await start(standby);
    await settle(primary, `alter system set synchronous_standby_names = '${replication === "synchronous" ? "*" : ""}'`);
    const wanted = replication === "synchronous" ? "sync" : "async";
    await waitFor(
      () =>
        onServer(primary, async (client) => {
          const { rows } = await client.query("select sync_state from pg_stat_replication where state = 'streaming'");
          return rows[0]?.sync_state === wanted;
        }),
      { what: `the standby to be ${wanted}` },
    );
  }

  await run("initdb", "-D", primary.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync");
  await appendFile(path.join(primary.data, "postgresql.conf"), CONFIGURATION);
  await start(primary);
  await onServer(primary, (client) => client.query("create database debtors"));
  await rebuildStandby();
  const moved = stack.move();
  return {
    url: `postgresql://postgres@${servers.map(({ port }) => `127.0.0.1:${port}`).join()}/debtors?target_session_attrs=read-write&sslmode=disable`,
    primary: () => primary.name,
    failOver: async (how) => {
      await (how === "killed" ? killAsAMachineDoes(primary) : freeze(primary));
      [primary, standby] = [standby, primary];
      // As a failover manager does that goes on without a standby until there is a new one.
      await settle(primary, "alter system set synchronous_standby_names = ''");
      await onServer(primary, (client) => client.query("select pg_promote()"));
    },
    rebuildStandby,
    freezeStandby: () => freeze(standby),
    thawStandby: async () => {
      await standby.frozen!.thaw();
      standby.frozen = undefined;
    },
    cutOff: () => settle(standby, "alter system set primary_conninfo = ''"),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/**
 * SIGKILL for all processes of the server at the same time. When only the postmaster is killed, its children end one by one,
 * and for moments show each other commits that the standby never gets.
 */
async function killAsAMachineDoes(server: Server): Promise<void> {
  if (server.running === undefined) return;
  if (server.frozen === undefined) await freeze(server);
  server.frozen!.kill();
  await server.running.kill();
  server.running = undefined;
  server.frozen = undefined;
}

async function freeze(server: Server): Promise<void> {
  server.frozen = await freezeProcesses(server.running!.pid!);
}

// The data need not survive a power failure, only SIGKILL.
const CONFIGURATION = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
wal_level = replica
hot_standby = on
synchronous_commit = on
fsync = off
`;

async function makeDataFolder(data: string): Promise<void> {
  await mkdir(data, { mode: 0o700 });
  await makeWritable(data);
}

const environment = { PATH: process.env.PATH, TZ: "UTC", LANG: "C.UTF-8" };

async function onServer<Result>({ port }: Server, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ host: "127.0.0.1", port, user: "postgres", database: "postgres" });
  client.on("error", () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

async function isAnswering(server: Server): Promise<boolean> {
  if (server.running?.hasEnded()) throw new Error(`${server.name} does not start: ${server.running.output()}`);
  return onServer(server, async () => true).catch(() => false);
}
