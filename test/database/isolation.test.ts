import assert from "node:assert/strict";
import { test } from "node:test";
import { openPool } from "../../src/database/database.ts";
import { createEmptyDatabase } from "../support/database.ts";

test("transactions are read committed, whatever the default of the database", async () => {
  await using database = await createEmptyDatabase();
  const name = new URL(database.url).pathname.slice(1);
  const text = `alter database ${name} set default_transaction_isolation = 'serializable'`;
  await database.pool.run({ name: "set_default", text });
  const pool = openPool({ url: database.url, size: 1, applicationName: "test" });

  const show = { name: "show_isolation", text: "show transaction_isolation" };
  assert.deepEqual(await pool.maybeOne(show), { transaction_isolation: "read committed" });
  assert.deepEqual(await pool.transaction((db) => db.maybeOne(show)), { transaction_isolation: "read committed" });

  await pool.close();
});
