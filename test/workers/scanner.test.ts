import assert from "node:assert/strict";
import test from "node:test";
import { openPool } from "../../src/database/database.ts";
import { createHealth } from "../../src/runtime/health.ts";
import { createLogger } from "../../src/runtime/log.ts";
import { parseShard } from "../../src/values/shard.ts";
import { createScanner, type ScannerMetrics } from "../../src/workers/scanner.ts";
import { createTestDatabase } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";

const rules = {
  realm: { minDebtorId: -(2n ** 63n), maxDebtorId: 2n ** 63n - 1n, shard: parseShard("#")! },
  deleteParentShardRecords: false,
  inactiveDebtorRetentionDays: 14,
  heartbeatDelayDaysMax: 365,
  configDelayHoursMax: 24,
};

function openLog() {
  const lines: string[] = [];
  return {
    lines,
    log: createLogger({ level: "debug", format: "text", command: "test", write: (line) => lines.push(line) }),
  };
}

function countPasses(): ScannerMetrics & { readonly fractions: number[]; passes: number } {
  const counts = {
    fractions: [] as number[],
    passes: 0,
    progress: (fraction: number) => void counts.fractions.push(fraction),
    passDone: () => void counts.passes++,
  };
  return counts;
}

test("the scanner makes pass after pass over all blocks until it is stopped", async () => {
  await using database = await createTestDatabase();
  await database.pool.run({
    name: "",
    text: "insert into debtor (debtor_id, created_at) select id, now() - interval '1 year' from generate_series(1, 2000) as id",
  });
  const metrics = countPasses();
  const pace = { days: 1e-6, blocksPerQuery: 5, beatMillis: 1 };
  const scanner = createScanner({ pool: database.pool, rules, pace, log: openLog().log, metrics });
  const life = new AbortController();
  const running = scanner.run(life.signal);

  // It may have begun anywhere, so the second pass is the first whole one.
  await waitFor(() => metrics.passes >= 2);
  life.abort();
  await running;

  assert.deepEqual(await database.pool.many({ name: "", text: "select from debtor" }), []);
  assert.ok(metrics.fractions.every((fraction) => fraction > 0 && fraction <= 1));
});

test("between two reads the scanner waits as long as its pace says, and stops at once", async () => {
  await using database = await createTestDatabase();
  const metrics = countPasses();
  const pace = { days: 7, blocksPerQuery: 40, beatMillis: 1 };
  const scanner = createScanner({ pool: database.pool, rules, pace, log: openLog().log, metrics });
  const life = new AbortController();
  const running = scanner.run(life.signal);
  await waitFor(() => metrics.passes === 1);

  life.abort();
  await running;

  assert.equal(metrics.passes, 1);
});

test("the scanner waits while a trigger keeps it from its work, and says why", async () => {
  await using database = await createTestDatabase();
  const run = (text: string) => database.pool.run({ name: "", text });
  await run("insert into debtor (debtor_id, created_at) values (1, now() - interval '1 year')");
  await run(`create function refuse() returns trigger language plpgsql as 'begin raise exception ''not today''; end';
    create trigger refuse before delete on debtor for each row execute function refuse()`);
  const health = createHealth();
  const pace = { days: 1e-6, blocksPerQuery: 5, beatMillis: 1 };
  const scanner = createScanner({ pool: database.pool, rules, pace, log: openLog().log, health });
  const life = new AbortController();
  const running = scanner.run(life.signal);
  await Promise.race([running, waitFor(() => health.reasons().some((reason) => /not today/.test(reason)))]);
  await run("drop function refuse cascade");
  await waitFor(() => health.reasons().length === 0);
  life.abort();
  await running;
  assert.deepEqual(await database.pool.many({ name: "", text: "select from debtor" }), []);
});

test("the scanner waits for a database that is unavailable, and one pass alone fails", async () => {
  const pool = openPool({ url: "postgresql://nobody@127.0.0.1:1/nowhere", size: 1, applicationName: "test" });
  const { log, lines } = openLog();
  const scanner = createScanner({ pool, rules, pace: { days: 1, blocksPerQuery: 1, beatMillis: 1 }, log });
  const life = new AbortController();

  const running = scanner.run(life.signal);
  await waitFor(() => lines.some((line) => line.includes("Waiting for the database")));
  life.abort();
  await running;
  await assert.rejects(scanner.runOnce(new AbortController().signal), /The database cannot be reached/);
  await pool.close();
});
