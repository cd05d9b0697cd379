import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import type { AccountUpdate } from "../../src/messages/incoming.ts";
import { applyMessages } from "../../src/operations/apply-messages.ts";
import { activateNewDebtor, activateReservedDebtor, reserveDebtor } from "../../src/operations/debtors.ts";
import { now, plusSeconds } from "../../src/values/timestamp.ts";
import { parseSample } from "../messages/sample-messages.ts";
import { createTestDatabase } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";
import { assertInvariants, configureAccounts } from "./ledger.ts";

const database = await createTestDatabase();
const { pool } = database;
after(() => database.close());
afterEach(() => assertInvariants(pool));
let lastDebtorId = 0n;
const newDebtorId = (): bigint => ++lastDebtorId;

const updateFor = (debtorId: bigint): AccountUpdate => ({ ...parseSample("AccountUpdate"), debtorId });

/** The sequence numbers of what has been recorded, in the order that counts for the accounting authority. */
const seqnumsFor = async (debtorId: bigint): Promise<number[]> =>
  (await configureAccounts(pool, debtorId)).map(({ seqnum }) => seqnum);

/** Does the first thing up to the recording of its ConfigureAccount, begins the second, and lets both go on. */
async function overlap(first: () => Promise<unknown>, second: () => Promise<unknown>): Promise<void> {
  const works: Promise<unknown>[] = [];
  const waiters = async (): Promise<bigint> =>
    (await pool.maybeOne<{ count: bigint }>({
      name: "count_waiters",
      text: `
        select count(distinct l.pid) as count
        from pg_locks l join pg_database d on d.oid = l.database
        where not l.granted and d.datname = current_database()`,
    }))!.count;
  await pool.transaction(async (db) => {
    await db.run({ name: "hold", text: "lock table configure_account_signal in exclusive mode" });
    for (const work of [first, second]) {
      works.push(work());
      await waitFor(async () => (await waiters()) === BigInt(works.length), { what: "the work to be under way" });
    }
  });
  await Promise.all(works);
}

test("an account whose debtor is being activated is not discarded", async () => {
  const debtorId = newDebtorId();
  await overlap(
    () => activateNewDebtor(pool, debtorId),
    () => applyMessages(pool, [updateFor(debtorId)], now()),
  );
  assert.deepEqual(await seqnumsFor(debtorId), [1]);
});

test("an activation while the account is being discarded sends the later configuration", async () => {
  const debtorId = newDebtorId();
  await overlap(
    () => applyMessages(pool, [updateFor(debtorId)], now()),
    () => activateNewDebtor(pool, debtorId),
  );
  assert.deepEqual(await seqnumsFor(debtorId), [0, 1]);
});

test("a reservation is activated after its account was discarded, even if the clock is behind", async () => {
  const debtorId = newDebtorId();
  const { reservationId } = await reserveDebtor(pool, debtorId);
  const ahead = plusSeconds(now(), 60);
  await applyMessages(pool, [updateFor(debtorId)], ahead);
  const { lastConfigTs } = await activateReservedDebtor(pool, debtorId, String(reservationId));
  assert.equal(lastConfigTs, ahead);
  assert.deepEqual(await seqnumsFor(debtorId), [0, 1]);
});
