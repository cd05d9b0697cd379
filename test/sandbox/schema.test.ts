import assert from "node:assert/strict";
import { test } from "node:test";
import { createTables } from "../../sandbox/accounting-authority/store.ts";
import { prepareStorage } from "../../sandbox/authorization-server/storage.ts";
import { openPool } from "../../src/database/database.ts";
import { createEmptyDatabase } from "../support/database.ts";

test("the processes of the sandbox may be started at the same time, each several times, on an empty database", async () => {
  await using database = await createEmptyDatabase();
  const pool = openPool({ url: database.url, size: 16, applicationName: "test" });
  try {
    const starts = Array.from({ length: 8 }, () => [createTables(pool), prepareStorage(pool)]);
    await Promise.all(starts.flat());
    const row = await pool.maybeOne<{ tables: bigint }>({
      name: "",
      text: "select count(*) as tables from information_schema.tables where table_schema = 'sandbox'",
    });
    assert.ok(row!.tables >= 5n);
  } finally {
    await pool.close();
  }
});
