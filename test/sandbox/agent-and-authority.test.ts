import assert from "node:assert/strict";
import { test } from "node:test";
import { allFaults, createFaultInjector, type FaultInjector } from "../../sandbox/accounting-authority/faults.ts";
import type { SentMessage } from "../../sandbox/accounting-authority/sent-messages.ts";
import { updateConfiguration } from "../../src/operations/configuration.ts";
import { activateNewDebtor, deactivateDebtor, restrictDebtor } from "../../src/operations/debtors.ts";
import { type AgentStage, createAgentStage } from "./agent-on-stage.ts";
import { ALICE, DAY, DEBTOR } from "./authority-cast.ts";

async function givenDebtor(options: Parameters<typeof createAgentStage>[0] = {}): Promise<AgentStage> {
  const stage = await createAgentStage(options);
  await activateNewDebtor(stage.database.pool, DEBTOR);
  await stage.talk();
  return stage;
}

const configureWith = (stage: AgentStage, latestUpdateId: bigint, configData: string) =>
  updateConfiguration(
    stage.database.pool,
    { actionsPerMonthMax: 1000 },
    {
      debtorId: DEBTOR,
      configData,
      latestUpdateId,
    },
  );

test("a new debtor gets its account, and its configuration is effectual", async () => {
  await using stage = await createAgentStage();
  await activateNewDebtor(stage.database.pool, DEBTOR);

  assert.deepEqual(await stage.talk(), ["ConfigureAccount", "AccountUpdate"]);

  assert.partialDeepStrictEqual(await stage.debtor(), {
    hasServerAccount: true,
    accountId: "0",
    isConfigEffectual: true,
    accountLastChangeSeqnum: 1,
    transferNoteMaxBytes: 500,
  });
});

test("an unknown key in the configuration data becomes the debtor's configuration error, until it is mended", async () => {
  await using stage = await givenDebtor();

  await configureWith(stage, 2n, '{"rate":0,"colour":"red"}');
  assert.deepEqual(await stage.talk(), ["ConfigureAccount", "RejectedConfig"]);
  assert.equal((await stage.debtor()).configError, "INVALID_CONFIGURATION");
  await configureWith(stage, 3n, '{"rate":0,"info":{"iri":"https://example.com/"}}');
  await stage.talk();

  assert.partialDeepStrictEqual(await stage.debtor(), {
    configError: null,
    isConfigEffectual: true,
    debtorInfoIri: "https://example.com/",
  });
});

test("issued money arrives, and the agent's balance follows", async () => {
  await using stage = await givenDebtor();

  await stage.issue(1, 100n, ALICE);
  assert.deepEqual(await stage.talk(), [
    "PrepareTransfer",
    "PreparedTransfer",
    "FinalizeTransfer",
    "FinalizedTransfer",
  ]);
  stage.pass(1);
  assert.deepEqual(await stage.scan(), ["AccountUpdate"]);

  assert.partialDeepStrictEqual(await stage.transfer(1), { errorCode: null });
  assert.notEqual((await stage.transfer(1)).finalizedAt, null);
  assert.equal((await stage.debtor()).balance, -100n);
  await stage.holders.pay({ debtorId: DEBTOR, sender: ALICE, recipient: 0n, amount: 30n });
  stage.pass(1);
  assert.deepEqual(await stage.scan(), ["AccountUpdate"]);
  assert.equal((await stage.debtor()).balance, -70n);
});

test("of two locks for one transfer the agent commits one and dismisses the other: issued once", async () => {
  const faults = createFaultInjector([{ type: "PrepareTransfer", kind: "repeat", frequency: { count: 1 } }]);
  await using stage = await givenDebtor({ faults });

  await stage.issue(1, 100n, ALICE);
  await stage.talk();

  assert.equal((await stage.holders.balances(DEBTOR)).circulation, 100n);
  assert.partialDeepStrictEqual(await stage.transfer(1), { errorCode: null });
});

test("a restriction to -123456789 holds with the authority's precision, and is effectual in the agent", async () => {
  await using stage = await givenDebtor();
  await restrictDebtor(stage.database.pool, DEBTOR, -123_456_789n);
  await stage.talk();
  assert.equal((await stage.debtor()).isConfigEffectual, true);

  await stage.issue(1, 123_456_800n, ALICE);
  await stage.issue(2, 123_456_790n, ALICE);
  await stage.talk();

  assert.partialDeepStrictEqual(await stage.transfer(1), {
    errorCode: "INSUFFICIENT_AVAILABLE_AMOUNT",
    totalLockedAmount: 0n,
  });
  assert.partialDeepStrictEqual(await stage.transfer(2), { errorCode: null });
});

test("deactivation ends in silence, then comes the final update, then the purge, and no ping-pong", async () => {
  await using stage = await givenDebtor();
  await deactivateDebtor(stage.database.pool, DEBTOR);

  assert.deepEqual(await stage.talk(), ["ConfigureAccount", "AccountUpdate", "ConfigureAccount", "AccountUpdate"]);
  assert.deepEqual(await stage.scan(), ["AccountUpdate"]);
  assert.deepEqual(await stage.scan(), []);
  stage.pass(106 * DAY);
  assert.deepEqual(await stage.scan(), ["AccountPurge"]);
  stage.pass(30 * DAY);
  assert.deepEqual(await stage.scan(), []);
});

test("with money in circulation a deactivated debtor's account stays", async () => {
  await using stage = await givenDebtor();
  await stage.issue(1, 100n, ALICE);
  await stage.talk();
  await deactivateDebtor(stage.database.pool, DEBTOR);
  await stage.talk();

  for (let week = 0; week < 20; week++) {
    stage.pass(7 * DAY);
    assert.deepEqual(await stage.scan(), ["AccountUpdate"]);
  }
});

test("money that comes back to a deleted or a purged account brings it back, and it is discarded again", async () => {
  await using stage = await givenDebtor();
  await stage.issue(1, 0n, ALICE);
  await stage.talk();
  await deactivateDebtor(stage.database.pool, DEBTOR);
  await stage.talk();
  assert.deepEqual(await stage.scan(), ["AccountUpdate"]);
  const interest = (amount: bigint) =>
    stage.holders.capitalizeInterest({ debtorId: DEBTOR, creditorId: ALICE, amount });

  await interest(5n);
  assert.deepEqual(await stage.talk(), ["AccountUpdate"]);
  await interest(-5n);
  stage.pass(14 * DAY);
  assert.deepEqual(await stage.scan(), ["AccountUpdate"]);
  stage.pass(106 * DAY);
  assert.deepEqual(await stage.scan(), ["AccountPurge"]);

  await interest(5n);
  assert.deepEqual(await stage.talk(), ["AccountUpdate", "ConfigureAccount", "AccountUpdate"]);
  assert.deepEqual(await stage.scan(), []);
});

test("with every fault at 10 %, of 1000 transfers none is issued twice, and each ends unless a fault has lost it", async () => {
  const { faults, damaged } = watchDamage(createFaultInjector(allFaults(0.1), 20_261_124));
  await using stage = await givenDebtor({ faults });
  // The first configuration may be lost, too; a later one makes up for it.
  for (let updateId = 2n; !(await stage.debtor()).hasServerAccount; updateId++) {
    await configureWith(stage, updateId, "");
    await stage.talk();
  }
  const numbers = Array.from({ length: 1000 }, (_, index) => index);
  const creditorOf = (number: number): bigint => BigInt(1000 + number);

  await Promise.all(numbers.map((number) => stage.issue(number, BigInt(number + 1), creditorOf(number))));
  await stage.talk();
  // Delayed messages arrive, and what stays prepared is announced again.
  for (let week = 0; week < 8; week++) {
    stage.pass(7 * DAY);
    await stage.scan();
  }

  const { circulation, holders } = await stage.holders.balances(DEBTOR);
  const balances = new Map(holders.map(({ creditorId, balance }) => [creditorId, balance]));
  let finished = 0;
  let issued = 0n;
  for (const number of numbers) {
    const { finalizedAt, errorCode, coordinatorRequestId } = await stage.transfer(number);
    const balance = balances.get(creditorOf(number)) ?? 0n;
    const what = `transfer ${number}: ${errorCode ?? "no error"}, ${balance} issued`;
    assert.ok(balance === 0n || balance === BigInt(number + 1), what);
    issued += balance;
    if (finalizedAt === null) {
      assert.ok(damaged.has(coordinatorRequestId), `${what}, and open although nothing was lost`);
      continue;
    }
    finished++;
    if (errorCode === null) assert.ok(balance > 0n, what);
    else if (balance > 0n) assert.equal(errorCode, "UNEXPECTED_ERROR", what);
  }
  assert.equal(issued, circulation);
  assert.ok(finished > 500, `${finished} of 1000 finished`);
});

/** Notes the requests of which a message was lost, or did not tell what has been locked. */
function watchDamage(injector: FaultInjector): { faults: FaultInjector; damaged: ReadonlySet<bigint> } {
  const damaged = new Set<bigint>();
  const noteUnless = (isIntact: boolean, message: object): void => {
    if (!isIntact && "coordinatorRequestId" in message) damaged.add(message.coordinatorRequestId as bigint);
  };
  return {
    damaged,
    faults: {
      ...injector,
      onReceived: (message) => {
        const outcome = injector.onReceived(message);
        noteUnless(outcome.copies > 0, message);
        return outcome;
      },
      onSent: (message) => {
        const parcels = injector.onSent(message);
        noteUnless(
          parcels.some((parcel) => parcel.body.at(-1) !== 0xff && lockOf(parcel.message) === lockOf(message)),
          message,
        );
        return parcels;
      },
    },
  };
}

const lockOf = (message: SentMessage): string =>
  `${"transferId" in message ? message.transferId : ""}/${"lockedAmount" in message ? message.lockedAmount : ""}`;
