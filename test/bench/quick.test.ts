import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Figure } from "../../bench/figures.ts";
import { findPgbench } from "../../bench/pgbench.ts";

const program = fileURLToPath(new URL("../../bench/run.ts", import.meta.url));

test("npm run bench -- --quick measures the program, and writes the figures as JSON", async () => {
  const hasPgbench = await findPgbench().then(
    () => true,
    () => false,
  );
  const wanted = ["consume", "flush", "cold-start", "introspection", ...(hasPgbench ? ["create-transfer"] : [])];
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-bench-"));
  try {
    const options = ["--quick", "--results", folder, ...wanted.flatMap((name) => ["--only", name])];
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...options]);
    assert.match(stdout, /^\| what +\| debtors \| +figure \|/);
    const [file, ...others] = await readdir(folder);
    assert.deepEqual(others, []);
    const { figures } = JSON.parse(await readFile(path.join(folder, file!), "utf8")) as { figures: Figure[] };
    assert.deepEqual(
      figures.map(({ name }) => name),
      [
        "consume PreparedTransfer",
        "flush PrepareTransfer",
        "create transfer in a new database, last 1 s to first",
        "get debtor with introspection, to without",
        "get debtor with introspection of a bound subject, to without",
        ...(hasPgbench ? ["create transfer"] : []),
      ],
    );
    for (const { name, value } of figures) assert.ok(value > 0 && Number.isFinite(value), name);
  } finally {
    await rm(folder, { recursive: true });
  }
});
