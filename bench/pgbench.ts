/** pgbench, the measure of what PostgreSQL itself can do with a statement on this machine. */
import { execFile } from "node:child_process";
import { glob, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { FIRST_DEBTOR_ID, type Fixture } from "./fixture.ts";
import type { Plan } from "./plan.ts";

// As in src/database/sessions.ts: both must have the same plans.
const SESSION_OPTIONS =
  "-c TimeZone=UTC -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c enable_sort=off -c jit=off";

/** Runs one statement for random debtors (`:debtor_id`), and resolves to how often per second it ran. */
export async function runPgbench(fixture: Fixture, statement: string, { clients, seconds }: Plan): Promise<number> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-bench-"));
  try {
    const script = path.join(folder, "script.sql");
    const last = FIRST_DEBTOR_ID + fixture.debtorCount - 1;
    await writeFile(script, `\\set debtor_id random(${FIRST_DEBTOR_ID}, ${last})\n${statement};\n`);
    const { stdout } = await promisify(execFile)(
      await findPgbench(),
      [
        "-n",
        "-M",
        "prepared",
        "-c",
        String(clients),
        "-j",
        "1",
        "-T",
        String(seconds),
        "-f",
        script,
        fixture.databaseUrl,
      ],
      { env: { ...process.env, PGOPTIONS: SESSION_OPTIONS }, cwd: folder },
    );
    const failed = /number of failed transactions: (\d+)/.exec(stdout)?.[1] ?? "0";
    if (failed !== "0") throw new Error(`pgbench has seen ${failed} transactions fail:\n${stdout}`);
    return Number(/^tps = ([0-9.]+)/m.exec(stdout)![1]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

let pgbench: Promise<string> | undefined;

/** The program. Rejects when it is not installed. It is in Debian's package postgresql-contrib or postgresql-N, and there often outside the search path. */
export function findPgbench(): Promise<string> {
  pgbench ??= (async () => {
    for await (const found of glob("/usr/lib/postgresql/*/bin/pgbench")) return found;
    try {
      await promisify(execFile)("pgbench", ["--version"]);
    } catch {
      throw new Error("pgbench is not installed; it comes with the server packages of PostgreSQL");
    }
    return "pgbench";
  })();
  return pgbench;
}
