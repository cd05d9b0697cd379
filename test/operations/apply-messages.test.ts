import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { DatabaseUnavailableError, openPool, type Pool } from "../../src/database/database.ts";
import { findDebtor, insertDebtor, updateDebtor } from "../../src/database/debtors.ts";
import { findTransfer } from "../../src/database/running-transfers.ts";
import type { Debtor } from "../../src/domain/debtor.ts";
import type { RunningTransfer } from "../../src/domain/running-transfer.ts";
import type {
  FinalizedTransfer,
  IncomingMessage,
  PreparedTransfer,
  RejectedTransfer,
} from "../../src/messages/incoming.ts";
import { applyMessages, applyMessagesBisecting } from "../../src/operations/apply-messages.ts";
import { activateNewDebtor, deactivateDebtor, reserveDebtor } from "../../src/operations/debtors.ts";
import { cancelTransfer, createTransferBatcher, deleteTransfer } from "../../src/operations/transfers.ts";
import { type CalendarDate, now, plusSeconds, type Timestamp } from "../../src/values/timestamp.ts";
import { updateFor } from "../domain/account-messages.ts";
import { activeDebtor, reservedDebtor, runningTransfer, THEN } from "../domain/records.ts";
import { parseSample } from "../messages/sample-messages.ts";
import { createTestDatabase } from "../support/database.ts";
import { assertInvariants, configureAccounts, newTransfer, run, uuid } from "./ledger.ts";

const database = await createTestDatabase();
const { pool } = database;
after(() => database.close());
let lastDebtorId = 0n;
const newDebtorId = (): bigint => ++lastDebtorId;
const createTransfer = createTransferBatcher(pool, { actionsPerMonthMax: 1_000_000 });
const given = {
  debtor: (): Promise<Debtor> => activateNewDebtor(pool, newDebtorId()),
  transfer: async (debtor: Debtor, n = 1): Promise<RunningTransfer> =>
    (await createTransfer(newTransfer(debtor.debtorId, n, { transferNote: "note", transferNoteFormat: "-" }))).transfer,
};

const keyOf = (transfer: RunningTransfer) => ({
  debtorId: transfer.debtorId,
  coordinatorId: transfer.debtorId,
  coordinatorRequestId: transfer.coordinatorRequestId,
});

const preparedFor = (transfer: RunningTransfer, changes: Partial<PreparedTransfer> = {}): PreparedTransfer => ({
  ...parseSample("PreparedTransfer"),
  ...keyOf(transfer),
  transferId: 2n ** 53n + 1n,
  lockedAmount: transfer.amount,
  recipient: transfer.recipient,
  ...changes,
});

const finalizedFor = (transfer: RunningTransfer, changes: Partial<FinalizedTransfer> = {}): FinalizedTransfer => ({
  ...parseSample("FinalizedTransfer"),
  ...keyOf(transfer),
  transferId: 2n ** 53n + 1n,
  committedAmount: transfer.amount,
  ...changes,
});

const rejectedFor = (transfer: RunningTransfer, changes: Partial<RejectedTransfer> = {}): RejectedTransfer => ({
  ...parseSample("RejectedTransfer"),
  ...keyOf(transfer),
  totalLockedAmount: 5n,
  ...changes,
});

/** Rows of `finalize_transfer_signal`, in the order of their making. */
const finalizeTransfers = (pool: Pool, debtorId: bigint) =>
  pool.many<{ transferId: bigint; committedAmount: bigint }>({
    name: "test_finalize_transfers",
    text: `
      select inserted_at as ts, debtor_id as "debtorId", creditor_id as "creditorId", transfer_id as "transferId",
        coordinator_id as "coordinatorId", coordinator_request_id as "coordinatorRequestId",
        committed_amount as "committedAmount", transfer_note_format as "transferNoteFormat",
        transfer_note as "transferNote"
      from finalize_transfer_signal where debtor_id = $1::bigint order by signal_id`,
    values: [debtorId],
  });

describe("a batch", () => {
  test("activates the debtor whose reservation is right, and records its ConfigureAccount", async () => {
    const reserved = await reserveDebtor(pool, newDebtorId());
    const { debtorId } = reserved;
    const at = now();
    const activation = { ...parseSample("ActivateDebtor"), debtorId };

    await applyMessages(pool, [{ ...activation, reservationId: "x" }], at);
    assert.deepEqual(await findDebtor(pool, debtorId), reserved);

    const right = { ...activation, reservationId: String(reserved.reservationId) };
    await applyMessages(pool, [right, right], at);
    const activated = { ...reserved, statusFlags: 1, lastConfigTs: at, lastConfigSeqnum: 1 };
    assert.deepEqual(await findDebtor(pool, debtorId), activated);
    assert.deepEqual(await configureAccounts(pool, debtorId), [
      { ts: at, seqnum: 1, negligibleAmount: 9.223372e18, configData: "", configFlags: 0 },
    ]);
    await assertInvariants(pool);
  });

  test("lets each message see the effects of those before it", async () => {
    const reserved = await reserveDebtor(pool, newDebtorId());
    const at = now();
    const activation = {
      ...parseSample("ActivateDebtor"),
      debtorId: reserved.debtorId,
      reservationId: String(reserved.reservationId),
    };
    const configured = { ...reserved, lastConfigTs: at, lastConfigSeqnum: 1 };
    const rejection = {
      ...parseSample("RejectedConfig"),
      debtorId: reserved.debtorId,
      configTs: at,
      negligibleAmount: Number(-reserved.minBalance),
    };
    const purge = { ...parseSample("AccountPurge"), debtorId: reserved.debtorId };
    const update = updateFor(configured, { principal: -5n, lastChangeSeqnum: 2 });
    await applyMessages(pool, [activation, rejection, update, purge, rejection], at);
    const debtor = await findDebtor(pool, reserved.debtorId);
    assert.equal(debtor!.hasServerAccount, false);
    assert.equal(debtor!.accountLastChangeSeqnum, 2);
    assert.equal(debtor!.configError, "NO");
  });

  test("stores the state of accounts, exactly", async () => {
    const debtor = await given.debtor();
    const at = now();
    const event = { lastChangeTs: (THEN + 1n) as Timestamp, lastChangeSeqnum: -2147483648 };
    const update = updateFor(debtor, { ...event, principal: -(2n ** 63n), accountId: "a{,}\"\\ '\n", ts: at });
    await applyMessages(pool, [update], at);
    assert.deepEqual(await findDebtor(pool, debtor.debtorId), {
      ...debtor,
      hasServerAccount: true,
      accountCreationDate: "2026-01-01",
      accountLastChangeTs: event.lastChangeTs,
      accountLastChangeSeqnum: -2147483648,
      accountLastHeartbeatTs: at,
      accountId: "a{,}\"\\ '\n",
      balance: -(2n ** 63n),
      transferNoteMaxBytes: 500,
      isConfigEffectual: true,
    });
  });

  test("discards the account of an unknown debtor, once however many updates it holds", async () => {
    const debtorId = newDebtorId();
    const at = now();
    const orphan = updateFor(activeDebtor({ debtorId }));
    await applyMessages(pool, [orphan, orphan], at);
    const discard = { seqnum: 0, negligibleAmount: 1e30, configData: "", configFlags: 1 };
    assert.deepEqual(await configureAccounts(pool, debtorId), [{ ts: at, ...discard }]);
    const later = plusSeconds(at, 1);
    await applyMessages(pool, [orphan], later);
    assert.deepEqual(await configureAccounts(pool, debtorId), [
      { ts: at, ...discard },
      { ts: later, ...discard },
    ]);
  });

  test("settles, commits and finalizes transfers", async () => {
    const transfer = await given.transfer(await given.debtor());
    const at = now();
    const messages = [preparedFor(transfer), preparedFor(transfer), finalizedFor(transfer)];
    await applyMessages(pool, messages, at);
    assert.deepEqual(await findTransfer(pool, transfer.debtorId, transfer.transferUuid), {
      ...transfer,
      transferId: 2n ** 53n + 1n,
      finalizedAt: at,
    });
    const commit = {
      ts: at,
      ...keyOf(transfer),
      creditorId: 0n,
      transferId: 2n ** 53n + 1n,
      committedAmount: 1000n,
      transferNoteFormat: "-",
      transferNote: "note",
    };
    assert.deepEqual(await finalizeTransfers(pool, transfer.debtorId), [commit, commit]);
  });

  test("finds a transfer by its coordinator request, and dismisses an unknown one with the message's own IDs", async () => {
    const transfer = await given.transfer(await given.debtor());
    const other = newDebtorId();
    const prepared = preparedFor(transfer, { debtorId: other, creditorId: 4n });
    const unknown = preparedFor(transfer, { coordinatorRequestId: -1n, debtorId: other });
    await applyMessages(pool, [prepared, unknown, rejectedFor(transfer, { debtorId: other })], now());
    const dismissals = await finalizeTransfers(pool, other);
    assert.deepEqual(
      dismissals.map((message) => ({ ...prepared, ...message }).committedAmount),
      [0n, 0n],
    );
    assert.deepEqual({ ...dismissals[0], ...keyOf(transfer), debtorId: other, creditorId: 4n }, dismissals[0]);
    const stored = await findTransfer(pool, transfer.debtorId, transfer.transferUuid);
    assert.equal(stored!.errorCode, "UNEXPECTED_ERROR");
    assert.equal(stored!.totalLockedAmount, null);
    assert.equal(stored!.transferId, null);
  });

  test("of messages that can have no effect does not query the database", async () => {
    const unreachable = openPool({ url: "postgresql://127.0.0.1:1/none", size: 1, applicationName: "test" });
    const transfer = runningTransfer();
    const messages: IncomingMessage[] = [
      updateFor(activeDebtor(), { creditorId: 1n }),
      { ...parseSample("AccountPurge"), creditorId: -1n },
      { ...parseSample("RejectedConfig"), creditorId: 1n },
      preparedFor(transfer, { coordinatorType: "direct" }),
      rejectedFor(transfer, { coordinatorType: "Issuing" }),
      finalizedFor(transfer, { coordinatorType: "issuing " }),
    ];
    await applyMessages(unreachable, messages, now());
    await applyMessages(unreachable, [], now());
    await assert.rejects(applyMessagesBisecting(unreachable, [preparedFor(transfer)], now()), DatabaseUnavailableError);
    await unreachable.close();
  });
});

describe("a message that PostgreSQL cannot store", () => {
  test("leaves no trace of its batch", async () => {
    const debtor = await given.debtor();
    const transfer = await given.transfer(debtor);
    const poison = updateFor(debtor, { accountId: "\0" });
    await assert.rejects(applyMessages(pool, [preparedFor(transfer), poison], now()), { code: "22021" });
    assert.deepEqual(await findDebtor(pool, debtor.debtorId), { ...debtor, runningTransfersCount: 1, actionsCount: 1 });
    assert.deepEqual(await findTransfer(pool, debtor.debtorId, transfer.transferUuid), transfer);
    assert.deepEqual(await finalizeTransfers(pool, debtor.debtorId), []);
  });

  test("is separated from the others, which are applied in their order", async () => {
    const debtors = await Promise.all(Array.from({ length: 5 }, () => given.debtor()));
    const messages = debtors.flatMap((debtor, n) => [
      updateFor(debtor, { lastChangeSeqnum: 1, principal: -1n }),
      updateFor(debtor, { lastChangeSeqnum: 2, principal: -2n }),
      updateFor(debtor, { lastChangeSeqnum: 3, principal: -3n, accountId: n % 2 ? "\0" : "account" }),
    ]);
    const rejected = await applyMessagesBisecting(pool, messages, now());
    assert.deepEqual([...rejected.keys()], [5, 11]);
    for (const error of rejected.values()) assert.match(error.message, /invalid byte sequence/);
    const balances = await Promise.all(
      debtors.map(async ({ debtorId }) => (await findDebtor(pool, debtorId))!.balance),
    );
    assert.deepEqual(balances, [-3n, -2n, -3n, -2n, -3n]);
  });

  test("does not keep the others from writing to the outbox", async () => {
    const transfer = await given.transfer(await given.debtor());
    const poison = updateFor(await given.debtor(), { accountId: "\0" });
    const rejected = await applyMessagesBisecting(pool, [poison, preparedFor(transfer)], now());
    assert.deepEqual([...rejected.keys()], [0]);
    assert.equal((await finalizeTransfers(pool, transfer.debtorId)).length, 1);
  });
});

test("a batch gives the same rows as its messages one by one, repeated or not", async () => {
  const tests = await createTestDatabase();
  const records = {
    debtors: [
      reservedDebtor({ debtorId: 1n, reservationId: 11n }),
      activeDebtor({ debtorId: 2n, reservationId: 12n, minBalance: -1000n, configData: '{"info":{"iri":"x"}}' }),
    ],
    transfers: [1, 2, 3].map((n) =>
      runningTransfer({ debtorId: BigInt(1 + (n % 2)), transferUuid: uuid(n), coordinatorRequestId: BigInt(n) }),
    ),
  };
  const at = now();
  const isRepeated = fc.boolean();
  const sequence = fc.array(fc.tuple(messageAbout(records, at), isRepeated), { minLength: 1, maxLength: 30 });

  await fc.assert(
    fc.asyncProperty(sequence, async (sequence) => {
      const messages = sequence.map(([message]) => message);
      await restore(tests.pool, records);
      for (const message of messages) await applyMessages(tests.pool, [message], at);
      const oneByOne = await stateOf(tests.pool);

      await restore(tests.pool, records);
      await applyMessages(tests.pool, messages, at);
      assert.deepEqual(await stateOf(tests.pool), oneByOne);

      await restore(tests.pool, records);
      const withRepeats = sequence.flatMap(([message, isRepeated]) => (isRepeated ? [message, message] : [message]));
      await applyMessages(tests.pool, withRepeats, at);
      const { finalize_transfer_signal: answers, ...state } = await stateOf(tests.pool);
      const { finalize_transfer_signal: oneByOneAnswers, ...oneByOneState } = oneByOne;
      assert.deepEqual(state, oneByOneState);
      assert.deepEqual(new Set(answers), new Set(oneByOneAnswers));
    }),
    { numRuns: 30 },
  );
  await tests.close();
});

test("concurrent batches, cancellations, deletions and deactivations end as in some serial order", async () => {
  const debtors = await Promise.all(Array.from({ length: 8 }, () => given.debtor()));
  const transfers = await Promise.all(
    debtors.flatMap((debtor) => Array.from({ length: 10 }, (_, n) => given.transfer(debtor, n))),
  );
  const about = (seqnum: number): IncomingMessage[] => [
    ...debtors.map((debtor) => updateFor(debtor, { lastChangeSeqnum: seqnum, principal: BigInt(-seqnum) })),
    ...transfers.map((transfer) => preparedFor(transfer)),
    ...transfers.map((transfer) => finalizedFor(transfer)),
  ];
  const batches = Array.from({ length: 6 }, (_, n) => (n % 2 ? about(n + 1).reverse() : about(n + 1)));

  await Promise.all([
    ...batches.map((messages) => applyMessages(pool, messages, now())),
    ...transfers
      .slice(0, 20)
      .map((transfer) => cancelTransfer(pool, transfer.debtorId, transfer.transferUuid).catch(() => {})),
    ...transfers
      .slice(20, 40)
      .map((transfer) => deleteTransfer(pool, transfer.debtorId, transfer.transferUuid).catch(() => {})),
    ...debtors.slice(6).map((debtor) => deactivateDebtor(pool, debtor.debtorId)),
  ]);
  await assertInvariants(pool);
  for (const transfer of transfers) {
    const stored = await findTransfer(pool, transfer.debtorId, transfer.transferUuid);
    if (stored === undefined) continue;
    const answers = (await finalizeTransfers(pool, transfer.debtorId)) as unknown as (RunningTransfer & {
      committedAmount: bigint;
    })[];
    const own = answers.filter((answer) => answer.coordinatorRequestId === transfer.coordinatorRequestId);
    // Six times asked, six times answered: all commits when it has been settled, else all dismissals.
    const committedAmount = stored.transferId === null ? 0n : transfer.amount;
    assert.deepEqual(
      own.map((answer) => answer.committedAmount),
      Array(6).fill(committedAmount),
    );
    assert.equal(stored.errorCode === null, stored.transferId !== null);
  }
  for (const debtor of debtors.slice(0, 6)) {
    assert.equal((await findDebtor(pool, debtor.debtorId))!.balance, -6n);
  }
});

interface Records {
  readonly debtors: readonly Debtor[];
  readonly transfers: readonly RunningTransfer[];
}

/** Messages that fit the records, nearly fit them, or fit nothing. */
function messageAbout({ debtors, transfers }: Records, at: Timestamp): fc.Arbitrary<IncomingMessage> {
  const debtor = fc.constantFrom(...debtors, activeDebtor({ debtorId: 3n }));
  const transfer = fc.constantFrom(...transfers, runningTransfer({ coordinatorRequestId: 9n }));
  const creditorId = fc.constantFrom(0n, 0n, 0n, 1n);
  const creationDate = fc.constantFrom("2026-01-01" as CalendarDate, "2026-01-02" as CalendarDate);
  const coordinatorType = fc.constantFrom("issuing", "issuing", "issuing", "direct");
  const statusCode = fc.constantFrom("TIMEOUT", "");
  // What the reserved debtor's configuration will be, should it be activated.
  const configured = debtor.map((debtor) =>
    debtor.statusFlags === 0 ? { ...debtor, lastConfigTs: at, lastConfigSeqnum: 1 } : debtor,
  );
  const event = { lastChangeSeqnum: fc.integer({ min: 0, max: 5 }), configFlags: fc.constantFrom(0, 0, 1) };
  return fc.oneof(
    fc
      .record({ debtor, reservationId: fc.constantFrom("11", "12", "x") })
      .map(({ debtor: { debtorId }, reservationId }) => ({
        ...parseSample("ActivateDebtor"),
        debtorId,
        reservationId,
      })),
    fc
      .record({ debtor: configured, creditorId, creationDate, ...event, principal: fc.bigInt(-(2n ** 63n), 0n) })
      .map(({ debtor, ...changes }) => updateFor(debtor, changes)),
    fc
      .record({ debtor, creditorId, creationDate })
      .map(({ debtor: { debtorId }, ...changes }) => ({ ...parseSample("AccountPurge"), debtorId, ...changes })),
    fc.record({ debtor: configured, creditorId }).map(({ debtor, creditorId }) => ({
      ...parseSample("RejectedConfig"),
      debtorId: debtor.debtorId,
      creditorId,
      configTs: debtor.lastConfigTs,
      configSeqnum: debtor.lastConfigSeqnum,
      configData: debtor.configData,
      negligibleAmount: Number(-debtor.minBalance),
    })),
    fc
      .record({ transfer, creditorId, coordinatorType, transferId: fc.constantFrom(7n, 8n) })
      .map(({ transfer, ...changes }) => preparedFor(transfer, changes)),
    fc
      .record({ transfer, creditorId, coordinatorType, statusCode })
      .map(({ transfer, ...changes }) => rejectedFor(transfer, changes)),
    fc
      .record({ transfer, creditorId, coordinatorType, transferId: fc.constantFrom(7n, 8n), isDone: fc.boolean() })
      .map(({ transfer, isDone, ...changes }) =>
        finalizedFor(transfer, isDone ? changes : { ...changes, statusCode: "TIMEOUT", committedAmount: 0n }),
      ),
  );
}

const TABLES = ["debtor", "running_transfer", "configure_account_signal", "finalize_transfer_signal"] as const;

/** Makes the records the only ones. */
async function restore(pool: Pool, { debtors, transfers }: Records): Promise<void> {
  for (const table of TABLES) await run(pool, `delete from ${table}`);
  for (const debtor of debtors) {
    await insertDebtor(pool, debtor);
    await pool.transaction(async (tx) => updateDebtor(tx, debtor));
  }
  await run(pool, "update debtor set reservation_id = debtor_id + 10");
  for (const { debtorId, transferUuid, amount, recipient, coordinatorRequestId } of transfers) {
    await pool.run({
      name: "test_insert_transfer",
      text: `
        insert into running_transfer
          (debtor_id, transfer_uuid, amount, recipient_uri, recipient, transfer_note_format, transfer_note,
           initiated_at, coordinator_request_id)
        values ($1::bigint, $2::uuid, $3::bigint, '', $4::varchar, '', '', '2026-03-04T05:06:07Z', $5::bigint)`,
      values: [debtorId, transferUuid, amount, recipient, coordinatorRequestId],
    });
  }
}

/** All rows as text, without the numbers that a sequence gives. */
async function stateOf(pool: Pool): Promise<Record<(typeof TABLES)[number], string[]>> {
  const state = {} as Record<(typeof TABLES)[number], string[]>;
  for (const table of TABLES) {
    const order = table === "finalize_transfer_signal" ? "signal_id" : "1";
    const rows = await pool.many<{ row: string }>({
      name: `test_state_${table}`,
      text: `select (to_jsonb(t) - 'signal_id')::text as row from ${table} t order by ${order}`,
    });
    state[table] = rows.map(({ row }) => row);
  }
  return state;
}
