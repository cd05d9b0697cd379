import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import type { Pool } from "../../src/database/database.ts";
import { findDebtor } from "../../src/database/debtors.ts";
import { findTransfer } from "../../src/database/running-transfers.ts";
import { updateConfiguration } from "../../src/operations/account-configuration.ts";
import {
  activateNewDebtor,
  activateReservedDebtor,
  deactivateDebtor,
  reserveDebtor,
  restrictDebtor,
} from "../../src/operations/debtors.ts";
import { OperationError } from "../../src/operations/operation-error.ts";
import { cancelTransfer, createTransferBatcher, deleteTransfer } from "../../src/operations/transfers.ts";
import { createTestDatabase } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";
import { assertInvariants, configureAccounts, newTransfer, prepareTransfers, uuid } from "./ledger.ts";

const database = await createTestDatabase();
const { pool } = database;
after(() => database.close());
let lastDebtorId = 0n;
const newDebtorId = (): bigint => ++lastDebtorId;

/** Two web servers on one database: each has a group commit of its own. */
const creators = (actionsPerMonthMax: number) => [
  createTransferBatcher(pool, { actionsPerMonthMax }),
  createTransferBatcher(pool, { actionsPerMonthMax }),
];

/** Runs all at once. Only operation errors may result: no deadlock, no constraint violation. */
async function atOnce<Result>(operations: readonly (() => Promise<Result>)[]): Promise<(Result | OperationError)[]> {
  return Promise.all(
    operations.map((operation) =>
      operation().catch((error: unknown) => {
        if (error instanceof OperationError) return error;
        throw error;
      }),
    ),
  );
}

test("of many equal creations at once, one creates the transfer and the others return it", async () => {
  const debtorId = newDebtorId();
  await activateNewDebtor(pool, debtorId);
  const [here, there] = creators(1);
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, n) => (n % 2 ? here! : there!)(newTransfer(debtorId, 1))),
  );

  assert.equal(outcomes.filter((outcome) => outcome.isNew).length, 1);
  assert.equal(new Set(outcomes.map((outcome) => outcome.transfer.coordinatorRequestId)).size, 1);
  assert.equal((await prepareTransfers(pool, debtorId)).length, 1);
  await assertInvariants(pool);
});

test("no more concurrent creations succeed than the limit allows", async () => {
  const debtorId = newDebtorId();
  await activateNewDebtor(pool, debtorId);
  const [here, there] = creators(7);
  const outcomes = await atOnce(
    Array.from({ length: 20 }, (_, n) => () => (n % 2 ? here! : there!)(newTransfer(debtorId, n))),
  );

  const codes = outcomes.map((outcome) => (outcome instanceof OperationError ? outcome.code : "created"));
  assert.equal(codes.filter((code) => code === "created").length, 7);
  assert.equal(codes.filter((code) => code === "TOO_MANY_ACTIONS").length, 13);
  const debtor = (await findDebtor(pool, debtorId))!;
  assert.deepEqual([debtor.actionsCount, debtor.runningTransfersCount], [7, 7]);
  await assertInvariants(pool);
});

test("concurrent creations, cancellations and deletions leave the right counts", async () => {
  const debtorIds = Array.from({ length: 4 }, newDebtorId);
  for (const debtorId of debtorIds) await activateNewDebtor(pool, debtorId);
  const [here, there] = creators(1000);
  const operations = Array.from({ length: 20 }, (_, n) => n).flatMap((n) =>
    debtorIds.flatMap((debtorId): (() => Promise<unknown>)[] => [
      () => here!(newTransfer(debtorId, n)),
      () => there!(newTransfer(debtorId, n)),
      () => deleteTransfer(pool, debtorId, uuid(n)),
      () => cancelTransfer(pool, debtorId, uuid(n)),
    ]),
  );
  await atOnce(operations);
  await assertInvariants(pool);
});

test("a deactivation among other operations leaves no transfer, and sends the last configuration", async () => {
  for (let round = 0; round < 5; round++) {
    const debtorId = newDebtorId();
    await activateNewDebtor(pool, debtorId);
    const [here, there] = creators(1000);
    await atOnce<unknown>([
      ...Array.from({ length: 8 }, (_, n) => () => (n % 2 ? here! : there!)(newTransfer(debtorId, n))),
      ...Array.from({ length: 4 }, (_, n) => () => deleteTransfer(pool, debtorId, uuid(n))),
      () => deactivateDebtor(pool, debtorId),
      () => deactivateDebtor(pool, debtorId),
      ...Array.from({ length: 4 }, (_, n) => () => restrictDebtor(pool, debtorId, -BigInt(n))),
      () => there!(newTransfer(debtorId, 100)),
    ]);

    const debtor = (await findDebtor(pool, debtorId))!;
    assert.equal(debtor.runningTransfersCount, 0);
    const flags = (await configureAccounts(pool, debtorId)).map((message) => message.configFlags);
    assert.equal(flags.filter((flag) => flag === 1).length, 1);
    assert.equal(flags.at(-1), 1);
    await assertInvariants(pool);
  }
});

test("of many activations of one reservation at once, one sends the message", async () => {
  const debtorId = newDebtorId();
  const { reservationId } = await reserveDebtor(pool, debtorId);
  const activated = await Promise.all(
    Array.from({ length: 20 }, () => activateReservedDebtor(pool, debtorId, String(reservationId))),
  );

  for (const debtor of activated) assert.deepEqual(debtor, activated[0]);
  assert.equal((await configureAccounts(pool, debtorId)).length, 1);
});

for (const [what, remove] of [
  ["the deletion of a transfer", (debtorId: bigint) => deleteTransfer(pool, debtorId, uuid(1))],
  ["the deactivation of its debtor", (debtorId: bigint) => deactivateDebtor(pool, debtorId)],
] as const) {
  test(`${what} waits for a transaction that changes the transfer, and deletes it all the same`, async () => {
    const debtorId = newDebtorId();
    await activateNewDebtor(pool, debtorId);
    const create = createTransferBatcher(pool, { actionsPerMonthMax: 10 });
    await create(newTransfer(debtorId, 1));
    await create(newTransfer(debtorId, 2));
    const removal = await pool.transaction(async (tx) => {
      await tx.run({
        name: "test_change_transfer",
        text: "update running_transfer set transfer_id = 7 where debtor_id = $1::bigint and transfer_uuid = $2::uuid",
        values: [debtorId, uuid(1)],
      });
      const removal = remove(debtorId);
      await waitFor(() => pool.run({ name: "test_waits", text: `select from pg_locks where not granted and ${ofUs}` }));
      return { done: removal };
    });
    await removal.done;

    assert.equal(await findTransfer(pool, debtorId, uuid(1)), undefined);
    await assertInvariants(pool);
  });
}

const ofUs = "pid in (select pid from pg_stat_activity where datname = current_database())";

test("of many activations of one new debtor at once, one succeeds", async () => {
  const debtorId = newDebtorId();
  const outcomes = await atOnce(Array.from({ length: 20 }, () => () => activateNewDebtor(pool, debtorId)));

  assert.equal(outcomes.filter((outcome) => !(outcome instanceof OperationError)).length, 1);
  assert.equal((await configureAccounts(pool, debtorId)).length, 1);
});

test("a batch gives the same answers as its requests one after the other", async () => {
  const request = fc.record({
    debtor: fc.integer({ min: 0, max: 2 }),
    n: fc.integer({ min: 0, max: 3 }),
    amount: fc.bigInt({ min: 1n, max: 2n }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 20 }), fc.integer({ min: 0, max: 4 }), async (requests, limit) => {
      const answer = async (inOneBatch: boolean): Promise<unknown[]> => {
        const debtorIds = [newDebtorId(), newDebtorId(), newDebtorId()];
        await activateNewDebtor(pool, debtorIds[0]!);
        await activateNewDebtor(pool, debtorIds[1]!);
        const create = createTransferBatcher(pool, { actionsPerMonthMax: limit });
        const calls = requests.map(({ debtor, n, amount }) => async () => {
          const outcome = await create(newTransfer(debtorIds[debtor]!, n, { amount })).catch((error: unknown) => error);
          if (outcome instanceof Error) return (outcome as OperationError).code;
          return (outcome as { isNew: boolean }).isNew;
        });
        if (inOneBatch) return Promise.all(calls.map((call) => call()));
        const answers = [];
        for (const call of calls) answers.push(await call());
        return answers;
      };
      assert.deepEqual(await answer(true), await answer(false));
    }),
    { numRuns: 15 },
  );
  await assertInvariants(pool);
});

type Action = readonly [kind: "create" | "cancel" | "delete" | "configure" | "restrict" | "deactivate", n: number];

/** What one debtor is like after any actions, one after the other. */
interface Model {
  isActive: boolean;
  transfers: Map<number, "initiated" | "canceled">;
  actions: number;
  updateId: bigint;
  messages: number;
}

const LIMIT = 6;

async function perform(pool: Pool, debtorId: bigint, [kind, n]: Action, model: Model): Promise<void> {
  const create = createTransferBatcher(pool, { actionsPerMonthMax: LIMIT });
  const outcome = async (operation: Promise<unknown>): Promise<string> =>
    operation.then(
      () => "done",
      (error: OperationError) => error.code,
    );
  switch (kind) {
    case "create": {
      const expected = model.transfers.has(n)
        ? "done"
        : !model.isActive
          ? "DEBTOR_NOT_ACTIVE"
          : model.actions >= LIMIT
            ? "TOO_MANY_ACTIONS"
            : "done";
      if (expected === "done" && !model.transfers.has(n)) {
        model.transfers.set(n, "initiated");
        model.actions++;
      }
      assert.equal(await outcome(create(newTransfer(debtorId, n))), expected);
      break;
    }
    case "cancel":
      assert.equal(
        await outcome(cancelTransfer(pool, debtorId, uuid(n))),
        model.transfers.has(n) ? "done" : "TRANSFER_NOT_FOUND",
      );
      if (model.transfers.has(n)) model.transfers.set(n, "canceled");
      break;
    case "delete":
      model.transfers.delete(n);
      assert.equal(await outcome(deleteTransfer(pool, debtorId, uuid(n))), "done");
      break;
    case "configure": {
      const latestUpdateId = model.updateId + BigInt(n % 3);
      const expected = !model.isActive
        ? "DEBTOR_NOT_ACTIVE"
        : model.actions >= LIMIT
          ? "TOO_MANY_ACTIONS"
          : n % 3 === 2
            ? "UPDATE_CONFLICT"
            : "done";
      if (expected === "done") model.actions++;
      if (expected === "done" && n % 3 === 1) {
        model.updateId++;
        model.messages++;
      }
      const update = { debtorId, configData: "", latestUpdateId };
      assert.equal(await outcome(updateConfiguration(pool, { actionsPerMonthMax: LIMIT }, update)), expected);
      break;
    }
    case "restrict":
      if (model.isActive) model.messages++;
      assert.equal(
        await outcome(restrictDebtor(pool, debtorId, -BigInt(n))),
        model.isActive ? "done" : "DEBTOR_NOT_ACTIVE",
      );
      break;
    case "deactivate":
      if (model.isActive) model.messages++;
      model.isActive = false;
      model.transfers.clear();
      assert.equal(await outcome(deactivateDebtor(pool, debtorId)), "done");
  }
}

test("after any operations of a debtor, rows, counts and messages equal those of a simple model", async () => {
  const action: fc.Arbitrary<Action> = fc.tuple(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom("create", "cancel", "delete", "configure", "restrict") },
      { weight: 1, arbitrary: fc.constant("deactivate") },
    ) as fc.Arbitrary<Action[0]>,
    fc.integer({ min: 0, max: 4 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
      const debtorId = newDebtorId();
      await activateNewDebtor(pool, debtorId);
      const model: Model = { isActive: true, transfers: new Map(), actions: 0, updateId: 1n, messages: 1 };
      for (const action of actions) await perform(pool, debtorId, action, model);

      const debtor = (await findDebtor(pool, debtorId))!;
      assert.deepEqual(
        [debtor.runningTransfersCount, debtor.actionsCount, debtor.configLatestUpdateId],
        [model.transfers.size, model.actions, model.updateId],
      );
      assert.equal((await configureAccounts(pool, debtorId)).length, model.messages);
      for (const [n, state] of model.transfers) {
        const transfer = await findTransfer(pool, debtorId, uuid(n));
        assert.equal(transfer?.errorCode, state === "canceled" ? "CANCELED_BY_THE_SENDER" : null);
      }
    }),
    { numRuns: 25 },
  );
  await assertInvariants(pool);
});
