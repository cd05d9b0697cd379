import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestDatabase } from "../support/database.ts";

test("a transfer is looked up by all of its key, though most debtors have one transfer only", async () => {
  await using database = await createTestDatabase();
  const run = (text: string) => database.pool.run({ name: "", text });
  const insertTransfers = (debtorIds: string) =>
    run(`
      insert into running_transfer
        (debtor_id, transfer_uuid, amount, recipient_uri, recipient, transfer_note_format, transfer_note, initiated_at)
      select debtor_id, gen_random_uuid(), 1, '', '', '', '', now()
      from ${debtorIds} as d (debtor_id)`);
  await run("insert into debtor (debtor_id) select generate_series(0, 2000)");
  await insertTransfers("generate_series(1, 2000)");
  await run("analyze running_transfer");
  await insertTransfers("(select 0 from generate_series(1, 1000))");

  const text = `
    explain (format json)
    select from running_transfer where debtor_id = 0 and transfer_uuid = '00000000-0000-0000-0000-000000000000'`;
  const [row] = await database.pool.many({ name: "", text });
  assert.match(JSON.stringify(row), /running_transfer_pkey/);
});
