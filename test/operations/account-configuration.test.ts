import assert from "node:assert/strict";
import { after, test } from "node:test";
import { findDebtor } from "../../src/database/debtors.ts";
import { updateConfiguration } from "../../src/operations/account-configuration.ts";
import { activateNewDebtor, reserveDebtor } from "../../src/operations/debtors.ts";
import { createTestDatabase } from "../support/database.ts";
import { assertInvariants, assertRejected, configureAccounts, dump, run } from "./ledger.ts";

const database = await createTestDatabase();
const { pool } = database;
after(() => database.close());
const limits = { actionsPerMonthMax: 3 };

test("an update is stored as it is answered, and sent", async () => {
  await activateNewDebtor(pool, 1n);
  const configData = 'Ж "\\ \u2028 😀 é </';
  const updated = await updateConfiguration(pool, limits, { debtorId: 1n, configData, latestUpdateId: 2n });

  assert.deepEqual(await findDebtor(pool, 1n), updated);
  assert.equal(updated.actionsCount, 1);
  const message = (await configureAccounts(pool, 1n)).at(-1)!;
  assert.deepEqual([message.ts, message.seqnum, message.configData], [updated.lastConfigTs, 2, configData]);
});

test("a repetition sends nothing, but is counted", async () => {
  const activated = await activateNewDebtor(pool, 2n);
  const repeated = await updateConfiguration(pool, limits, { debtorId: 2n, configData: "", latestUpdateId: 1n });

  assert.deepEqual(repeated, { ...activated, actionsCount: 1 });
  assert.deepEqual(await findDebtor(pool, 2n), repeated);
  assert.equal((await configureAccounts(pool, 2n)).length, 1);
});

test("a conflict leaves no trace", async () => {
  await activateNewDebtor(pool, 3n);
  const before = await dump(pool);
  const conflict = { debtorId: 3n, configData: "x", latestUpdateId: 3n };
  await assertRejected(updateConfiguration(pool, limits, conflict), "UPDATE_CONFLICT");
  assert.equal(await dump(pool), before);
});

test("beyond the limit every update is rejected without a trace, until the month is over", async () => {
  await activateNewDebtor(pool, 4n);
  await run(
    pool,
    "update debtor set actions_count = 3, actions_count_reset_date = current_date - 30 where debtor_id = 4",
  );
  const before = await dump(pool);
  const update = { debtorId: 4n, configData: "", latestUpdateId: 1n };
  await assertRejected(updateConfiguration(pool, limits, update), "TOO_MANY_ACTIONS");
  assert.equal(await dump(pool), before);

  await run(pool, "update debtor set actions_count_reset_date = current_date - 31 where debtor_id = 4");
  assert.equal((await updateConfiguration(pool, limits, update)).actionsCount, 1);
});

test("only active debtors can be configured", async () => {
  await reserveDebtor(pool, 5n);
  for (const debtorId of [5n, 404n]) {
    const update = { debtorId, configData: "", latestUpdateId: 1n };
    await assertRejected(updateConfiguration(pool, limits, update), "DEBTOR_NOT_ACTIVE");
  }
});

test("of many updates at once with one ID, one is accepted and the others conflict", async () => {
  await activateNewDebtor(pool, 6n);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      updateConfiguration(
        pool,
        { actionsPerMonthMax: 100 },
        { debtorId: 6n, configData: `${index}`, latestUpdateId: 2n },
      ),
    ),
  );

  assert.equal(outcomes.filter((outcome) => outcome.status === "fulfilled").length, 1);
  assert.equal((await findDebtor(pool, 6n))!.actionsCount, 1);
  assert.equal((await configureAccounts(pool, 6n)).length, 2);
  await assertInvariants(pool);
});
