import assert from "node:assert/strict";
import { after, test } from "node:test";
import { findDebtor } from "../../src/database/debtors.ts";
import { createDebtorLoader } from "../../src/operations/debtor-loader.ts";
import { activateNewDebtor, reserveDebtor, restrictDebtor } from "../../src/operations/debtors.ts";
import { createTestDatabase } from "../support/database.ts";

const database = await createTestDatabase();
const { pool } = database;
after(() => database.close());

test("many reads at once find what single reads find", async () => {
  await reserveDebtor(pool, 1n);
  await activateNewDebtor(pool, -1n);
  const find = createDebtorLoader(pool);
  const debtorIds = [1n, -1n, 404n, 1n, 1n, -1n];

  assert.deepEqual(
    await Promise.all(debtorIds.map(find)),
    await Promise.all(debtorIds.map((debtorId) => findDebtor(pool, debtorId))),
  );
});

test("a read sees what was committed before it, while many other reads are in progress", async () => {
  await activateNewDebtor(pool, 2n);
  const find = createDebtorLoader(pool);
  const others: Promise<unknown>[] = [];
  for (let n = 1n; n <= 20n; n++) {
    others.push(find(2n), find(2n));
    await restrictDebtor(pool, 2n, -n);
    others.push(find(2n));
    assert.equal((await find(2n))?.minBalance, -n);
  }
  await Promise.all(others);
});
