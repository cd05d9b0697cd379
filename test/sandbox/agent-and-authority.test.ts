import assert from "node:assert/strict";
import { test } from "node:test";
import { allFaults, createFaultInjector, type FaultInjector } from "../../sandbox/accounting-authority/faults.ts";
import type { SentMessage } from "../../sandbox/accounting-authority/sent-messages.ts";
import { updateConfiguration } from "../../src/operations/account-configuration.ts";
import { activateNewDebtor, deactivateDebtor, restrictDebtor } from "../../src/operations/debtors.ts";
import { type AgentFixture, createAgentFixture } from "./agent-fixture.ts";
import { ALICE, DAY, DEBTOR } from "./authority-fixtures.ts";

async function givenDebtor(options: Parameters<typeof createAgentFixture>[0] = {}): Promise<AgentFixture> {
  const fixture = await createAgentFixture(options);
  await activateNewDebtor(fixture.database.pool, DEBTOR);
  await fixture.exchangeMessages();
  return fixture;
}

const configureWith = (fixture: AgentFixture, latestUpdateId: bigint, configData: string) =>
  updateConfiguration(
    fixture.database.pool,
    { actionsPerMonthMax: 1000 },
    {
      debtorId: DEBTOR,
      configData,
      latestUpdateId,
    },
  );

test("a new debtor gets its account, and its configuration is effectual", async () => {
  await using fixture = await createAgentFixture();
  await activateNewDebtor(fixture.database.pool, DEBTOR);

  assert.deepEqual(await fixture.exchangeMessages(), ["ConfigureAccount", "AccountUpdate"]);

  assert.partialDeepStrictEqual(await fixture.debtor(), {
    hasServerAccount: true,
    accountId: "0",
    isConfigEffectual: true,
    accountLastChangeSeqnum: 1,
    transferNoteMaxBytes: 500,
  });
});

test("an unknown key in the configuration data becomes the debtor's configuration error, until it is corrected", async () => {
  await using fixture = await givenDebtor();

  await configureWith(fixture, 2n, '{"rate":0,"color":"red"}');
  assert.deepEqual(await fixture.exchangeMessages(), ["ConfigureAccount", "RejectedConfig"]);
  assert.equal((await fixture.debtor()).configError, "INVALID_CONFIGURATION");
  await configureWith(fixture, 3n, '{"rate":0,"info":{"iri":"https://example.com/"}}');
  await fixture.exchangeMessages();

  assert.partialDeepStrictEqual(await fixture.debtor(), {
    configError: null,
    isConfigEffectual: true,
    debtorInfoIri: "https://example.com/",
  });
});

test("issued money arrives, and the agent's balance follows", async () => {
  await using fixture = await givenDebtor();

  await fixture.issue(1, 100n, ALICE);
  assert.deepEqual(await fixture.exchangeMessages(), [
    "PrepareTransfer",
    "PreparedTransfer",
    "FinalizeTransfer",
    "FinalizedTransfer",
  ]);
  fixture.pass(1);
  assert.deepEqual(await fixture.scan(), ["AccountUpdate"]);

  assert.partialDeepStrictEqual(await fixture.transfer(1), { errorCode: null });
  assert.notEqual((await fixture.transfer(1)).finalizedAt, null);
  assert.equal((await fixture.debtor()).balance, -100n);
  await fixture.holders.pay({ debtorId: DEBTOR, sender: ALICE, recipient: 0n, amount: 30n });
  fixture.pass(1);
  assert.deepEqual(await fixture.scan(), ["AccountUpdate"]);
  assert.equal((await fixture.debtor()).balance, -70n);
});

test("of two locks for one transfer the agent commits one and dismisses the other: issued once", async () => {
  const faults = createFaultInjector([{ type: "PrepareTransfer", kind: "repeat", frequency: { count: 1 } }]);
  await using fixture = await givenDebtor({ faults });

  await fixture.issue(1, 100n, ALICE);
  await fixture.exchangeMessages();

  assert.equal((await fixture.holders.balances(DEBTOR)).circulation, 100n);
  assert.partialDeepStrictEqual(await fixture.transfer(1), { errorCode: null });
});

test("a restriction to -123456789 holds with the authority's precision, and is effectual in the agent", async () => {
  await using fixture = await givenDebtor();
  await restrictDebtor(fixture.database.pool, DEBTOR, -123_456_789n);
  await fixture.exchangeMessages();
  assert.equal((await fixture.debtor()).isConfigEffectual, true);

  await fixture.issue(1, 123_457_001n, ALICE);
  await fixture.issue(2, 123_457_000n, ALICE);
  await fixture.exchangeMessages();

  assert.partialDeepStrictEqual(await fixture.transfer(1), {
    errorCode: "INSUFFICIENT_AVAILABLE_AMOUNT",
    totalLockedAmount: 0n,
  });
  assert.partialDeepStrictEqual(await fixture.transfer(2), { errorCode: null });
});

test("after a deactivation the heartbeats stop, then come the final update and the purge, and no further messages", async () => {
  await using fixture = await givenDebtor();
  await deactivateDebtor(fixture.database.pool, DEBTOR);

  assert.deepEqual(await fixture.exchangeMessages(), [
    "ConfigureAccount",
    "AccountUpdate",
    "ConfigureAccount",
    "AccountUpdate",
  ]);
  assert.deepEqual(await fixture.scan(), ["AccountUpdate"]);
  assert.deepEqual(await fixture.scan(), []);
  fixture.pass(106 * DAY);
  assert.deepEqual(await fixture.scan(), ["AccountPurge"]);
  fixture.pass(30 * DAY);
  assert.deepEqual(await fixture.scan(), []);
});

test("with money in circulation a deactivated debtor's account stays", async () => {
  await using fixture = await givenDebtor();
  await fixture.issue(1, 100n, ALICE);
  await fixture.exchangeMessages();
  await deactivateDebtor(fixture.database.pool, DEBTOR);
  await fixture.exchangeMessages();

  for (let week = 0; week < 20; week++) {
    fixture.pass(7 * DAY);
    assert.deepEqual(await fixture.scan(), ["AccountUpdate"]);
  }
});

test("money that comes back to a deleted or a purged account brings it back, and it is discarded again", async () => {
  await using fixture = await givenDebtor();
  await fixture.issue(1, 0n, ALICE);
  await fixture.exchangeMessages();
  await deactivateDebtor(fixture.database.pool, DEBTOR);
  await fixture.exchangeMessages();
  assert.deepEqual(await fixture.scan(), ["AccountUpdate"]);
  const interest = (amount: bigint) =>
    fixture.holders.capitalizeInterest({ debtorId: DEBTOR, creditorId: ALICE, amount });

  await interest(5n);
  assert.deepEqual(await fixture.exchangeMessages(), ["AccountUpdate"]);
  await interest(-5n);
  fixture.pass(14 * DAY);
  assert.deepEqual(await fixture.scan(), ["AccountUpdate"]);
  fixture.pass(106 * DAY);
  assert.deepEqual(await fixture.scan(), ["AccountPurge"]);

  await interest(5n);
  assert.deepEqual(await fixture.exchangeMessages(), ["AccountUpdate", "ConfigureAccount", "AccountUpdate"]);
  assert.deepEqual(await fixture.scan(), []);
});

test("with every fault at 10 %, none of 1000 transfers is issued twice, and each ends unless its message was lost", async () => {
  const { faults, damaged } = watchDamage(createFaultInjector(allFaults(0.1), 20_261_124));
  await using fixture = await givenDebtor({ faults });
  // The first configuration may be lost as well; a later one replaces it.
  for (let updateId = 2n; !(await fixture.debtor()).hasServerAccount; updateId++) {
    await configureWith(fixture, updateId, "");
    await fixture.exchangeMessages();
  }
  const numbers = Array.from({ length: 1000 }, (_, index) => index);
  const creditorOf = (number: number): bigint => BigInt(1000 + number);

  await Promise.all(numbers.map((number) => fixture.issue(number, BigInt(number + 1), creditorOf(number))));
  await fixture.exchangeMessages();
  // Delayed messages arrive, and what stays prepared is announced again.
  for (let week = 0; week < 8; week++) {
    fixture.pass(7 * DAY);
    await fixture.scan();
  }

  const { circulation, holders } = await fixture.holders.balances(DEBTOR);
  const balances = new Map(holders.map(({ creditorId, balance }) => [creditorId, balance]));
  let finished = 0;
  let issued = 0n;
  for (const number of numbers) {
    const { finalizedAt, errorCode, coordinatorRequestId } = await fixture.transfer(number);
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
        const outboundMessages = injector.onSent(message);
        noteUnless(
          outboundMessages.some(
            (outbound) => outbound.body.at(-1) !== 0xff && lockOf(outbound.message) === lockOf(message),
          ),
          message,
        );
        return outboundMessages;
      },
    },
  };
}

const lockOf = (message: SentMessage): string =>
  `${"transferId" in message ? message.transferId : ""}/${"lockedAmount" in message ? message.lockedAmount : ""}`;
