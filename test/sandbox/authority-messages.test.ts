import assert from "node:assert/strict";
import { test } from "node:test";
import { listJournal } from "../../sandbox/accounting-authority/journal.ts";
import { findUnbalancedCurrencies } from "../../sandbox/accounting-authority/store.ts";
import { AUTHORITY_QUEUE } from "../../sandbox/accounting-authority/topology.ts";
import { topicMatches } from "../../src/broker/memory.ts";
import type { PreparedTransfer } from "../../src/messages/incoming.ts";
import {
  type ConfigureAccount,
  encodeConfigureAccount,
  encodeFinalizeTransfer,
  encodePrepareTransfer,
  type FinalizeTransfer,
} from "../../src/messages/outgoing.ts";
import { messageRoutingKey } from "../../src/values/shard.ts";
import { formatTimestamp } from "../../src/values/timestamp.ts";
import { waitFor } from "../support/wait.ts";
import { createFixture, deliveryOf, type Fixture } from "./authority-fixture.ts";
import { ALICE, DAY, DEBTOR, REQUEST, START } from "./authority-fixtures.ts";

const configuration = (changes: Partial<ConfigureAccount> = {}) =>
  encodeConfigureAccount({
    debtorId: DEBTOR,
    ts: START,
    seqnum: 1,
    negligibleAmount: 9.223372e18,
    configData: "",
    configFlags: 0,
    ...changes,
  });

const request = (amount: bigint, coordinatorRequestId = REQUEST, recipient = "17") =>
  encodePrepareTransfer({ debtorId: DEBTOR, coordinatorRequestId, amount, recipient, ts: START });

const commit = (prepared: PreparedTransfer, committedAmount: bigint, changes: Partial<FinalizeTransfer> = {}) =>
  encodeFinalizeTransfer({
    debtorId: prepared.debtorId,
    creditorId: prepared.creditorId,
    transferId: prepared.transferId,
    coordinatorId: prepared.coordinatorId,
    coordinatorRequestId: prepared.coordinatorRequestId,
    committedAmount,
    transferNoteFormat: "",
    transferNote: "за „хляб“ \u{1f35e}",
    ts: START,
    ...changes,
  });

async function issue(fixture: Fixture, amount: bigint): Promise<void> {
  await fixture.deliver(request(amount));
  const [prepared] = fixture.take() as PreparedTransfer[];
  await fixture.deliver(commit(prepared!, amount));
  assert.partialDeepStrictEqual(fixture.take(), [
    { type: "FinalizedTransfer", statusCode: "OK", committedAmount: amount },
  ]);
}

test("a configuration is answered over the broker with one update, and a repeat with none", async () => {
  await using fixture = await createFixture();

  await fixture.deliver(configuration());
  const [first] = fixture.takeRaw();
  await fixture.deliver(configuration());

  assert.partialDeepStrictEqual(first, {
    contentType: "application/json",
    type: "AccountUpdate",
    headers: { "message-type": "AccountUpdate", "debtor-id": DEBTOR, "creditor-id": 0n },
  });
  assert.match(first!.body.toString(), /"last_change_seqnum":1,"principal":0,/);
  assert.deepEqual(fixture.takeRaw(), []);
});

test("a transfer succeeds, the update follows later, and the journal has all messages in order", async () => {
  await using fixture = await createFixture();
  await fixture.deliver(configuration());
  fixture.take();

  await issue(fixture, 100n);
  await fixture.authority.scanOnce();
  await fixture.authority.sendDue();
  assert.deepEqual(fixture.take(), []);
  fixture.pass(1);
  await fixture.authority.scanOnce();
  await fixture.authority.sendDue();

  assert.partialDeepStrictEqual(fixture.take(), [{ type: "AccountUpdate", principal: -100n }]);
  assert.deepEqual(await fixture.holders.balances(DEBTOR), {
    circulation: 100n,
    holders: [{ creditorId: ALICE, balance: 100n }],
  });
  assert.deepEqual(
    (await listJournal(fixture.database.pool, 100)).map(({ direction, type }) => `${direction} ${type}`),
    [
      "in ConfigureAccount",
      "out AccountUpdate",
      "in PrepareTransfer",
      "out PreparedTransfer",
      "in FinalizeTransfer",
      "out FinalizedTransfer",
      "out AccountUpdate",
    ],
  );
});

test("messages of one batch see each other's effects", async () => {
  await using fixture = await createFixture();

  await fixture.deliver(
    configuration({ negligibleAmount: 1000 }),
    request(600n, 1n),
    request(500n, 2n),
    request(400n, 3n),
  );

  assert.partialDeepStrictEqual(fixture.take(), [
    { type: "AccountUpdate" },
    { type: "PreparedTransfer", coordinatorRequestId: 1n },
    { type: "RejectedTransfer", coordinatorRequestId: 2n, totalLockedAmount: 600n },
    { type: "PreparedTransfer", coordinatorRequestId: 3n },
  ]);
});

test("transfer messages carry the coordinator's headers, and the routing key has the bits of the digest", async () => {
  await using fixture = await createFixture();
  const published: string[] = [];
  const { publish } = fixture.broker;
  fixture.broker.publish = (publications) => {
    published.push(...publications.map(({ routingKey }) => routingKey));
    return publish(publications);
  };

  await fixture.deliver(configuration(), request(1n));

  assert.deepEqual(published, [messageRoutingKey(DEBTOR), messageRoutingKey(DEBTOR)]);
  assert.deepEqual(fixture.takeRaw()[1]!.headers, {
    "message-type": "PreparedTransfer",
    "debtor-id": DEBTOR,
    "creditor-id": 0n,
    "coordinator-id": DEBTOR,
    "coordinator-type": "issuing",
  });
});

test("the routing key can be set to hexadecimal, which matches the binding key `#` only", async () => {
  await using fixture = await createFixture({ routingKeys: "hex" });
  const published: string[] = [];
  fixture.broker.publish = async (publications) => {
    published.push(...publications.map(({ routingKey }) => routingKey));
    return publications.map(() => "confirmed");
  };

  await fixture.deliver(
    encodeConfigureAccount({
      debtorId: 0x132b67000n,
      ts: START,
      seqnum: 1,
      negligibleAmount: 0,
      configData: "",
      configFlags: 0,
    }),
  );

  assert.deepEqual(published, ["00.00.00.01.32.b6.70.00"]);
  assert.ok(topicMatches("#", published[0]!));
  assert.ok(!topicMatches("0.#", published[0]!));
});

test("accounts survive a restart, including prepared transfers", async () => {
  await using before = await createFixture();
  await before.deliver(configuration(), request(100n));
  const prepared = before.take()[1] as PreparedTransfer;

  await using after = await createFixture({ database: before.database });
  await after.deliver(commit(prepared, 100n));

  assert.partialDeepStrictEqual(after.take(), [{ type: "FinalizedTransfer", statusCode: "OK" }]);
  assert.equal((await after.holders.balances(DEBTOR)).circulation, 100n);
});

test("answers are sent at the configured pace, and those that the broker does not confirm are sent later", async () => {
  await using fixture = await createFixture({ paceMillis: 200 });
  await fixture.deliver(configuration());
  assert.deepEqual(fixture.take(), []);
  fixture.pass(0.2);

  const { publish } = fixture.broker;
  fixture.broker.publish = async (publications) => publications.map(() => "returned");
  assert.equal(await fixture.authority.sendDue(), 0);
  fixture.broker.publish = publish;

  assert.equal(await fixture.authority.sendDue(), 0);
  fixture.pass(5);
  assert.equal(await fixture.authority.sendDue(), 1);
  assert.equal(await fixture.authority.sendDue(), 0);
  assert.equal(fixture.take().length, 1);
});

test("paying back reaches the agent as an update, and the money adds up after every step", async () => {
  await using fixture = await createFixture();
  await fixture.deliver(configuration());
  fixture.take();
  await issue(fixture, 100n);
  await fixture.holders.createHolder(DEBTOR, 18n);
  await fixture.holders.pay({ debtorId: DEBTOR, sender: ALICE, recipient: 18n, amount: 50n });
  await fixture.holders.pay({ debtorId: DEBTOR, sender: 18n, recipient: 0n, amount: 30n });
  await fixture.holders.capitalizeInterest({ debtorId: DEBTOR, creditorId: 18n, amount: 1n });

  fixture.pass(1);
  await fixture.authority.scanOnce();
  await fixture.authority.sendDue();

  assert.partialDeepStrictEqual(fixture.take(), [{ type: "AccountUpdate", principal: -71n }]);
  assert.deepEqual(await fixture.holders.balances(DEBTOR), {
    circulation: 71n,
    holders: [
      { creditorId: ALICE, balance: 50n },
      { creditorId: 18n, balance: 21n },
    ],
  });
  await assert.rejects(
    fixture.holders.pay({ debtorId: DEBTOR, sender: 18n, recipient: 0n, amount: 22n }),
    /has only 21/,
  );
  assert.deepEqual(await findUnbalancedCurrencies(fixture.database.pool), []);
});

test("interest on a purged root account creates it again, and its first update has seqnum 0", async () => {
  await using fixture = await createFixture();
  await fixture.deliver(configuration({ configFlags: 1 }), request(0n));
  const prepared = fixture.take()[1] as PreparedTransfer;
  await fixture.deliver(commit(prepared, 0n));
  await fixture.authority.scanOnce();
  fixture.pass(106 * DAY);
  await fixture.authority.scanOnce();
  await fixture.authority.sendDue();
  assert.deepEqual(
    fixture.take().map(({ type }) => type),
    ["FinalizedTransfer", "AccountUpdate", "AccountPurge"],
  );

  await fixture.holders.capitalizeInterest({ debtorId: DEBTOR, creditorId: ALICE, amount: 5n });
  await fixture.authority.sendDue();

  assert.partialDeepStrictEqual(fixture.take(), [{ type: "AccountUpdate", principal: 0n, lastChangeSeqnum: 0 }]);
  fixture.pass(1);
  await fixture.authority.scanOnce();
  await fixture.authority.sendDue();
  assert.partialDeepStrictEqual(fixture.take(), [{ type: "AccountUpdate", principal: -5n, lastChangeSeqnum: 1 }]);
});

test("malformed messages have no effect and are rejected, all others are processed", async () => {
  await using fixture = await createFixture();
  const good = deliveryOf(configuration());
  const text = configuration().body;
  const bad = [
    { ...good, contentType: "text/plain" },
    { ...good, type: "PrepareTransfer" },
    { ...good, type: "constructor", body: Buffer.from(text.replaceAll("ConfigureAccount", "constructor")) },
    { ...good, body: Buffer.from("[") },
    { ...good, body: Buffer.from(text.padEnd(65_537)) },
    { ...good, body: Buffer.concat([Buffer.from(text), Buffer.from([0xff])]) },
    ...[
      ['"debtor_id":-5', '"debtor_id":-5.0'],
      ['"debtor_id":-5', '"debtor_id":9223372036854775808'],
      ['"seqnum":1', '"seqnum":2147483648'],
      ['"config_data":""', '"config_data":"\\u0000"'],
      [formatTimestamp(START), "2026-11-24T10:00:00"],
      ['"config_flags":0', '"config_flags":true'],
    ].map(([from, to]) => ({ ...good, body: Buffer.from(text.replace(from!, to!)) })),
  ];

  const rejected = await fixture.authority.process([...bad, good]);
  await fixture.authority.sendDue();

  assert.deepEqual(rejected, bad);
  assert.equal(fixture.take().length, 1);
});

test("the running authority consumes its queue, answers, scans, and stops on request", async () => {
  await using fixture = await createFixture({ balanceUpdateDelaySeconds: 0 });
  const stop = new AbortController();
  const running = fixture.authority.run(stop.signal);
  const send = (message: { type: string; body: string }) =>
    fixture.broker.put(AUTHORITY_QUEUE, {
      contentType: "application/json",
      type: message.type,
      body: Buffer.from(message.body),
    });
  const next = (type: string) => waitFor(() => fixture.take().find((message) => message.type === type), { what: type });

  send(configuration());
  await next("AccountUpdate");
  send({ type: "ConfigureAccount", body: "{" });
  send(request(100n));
  send(commit((await next("PreparedTransfer")) as PreparedTransfer, 100n));
  await next("FinalizedTransfer");
  assert.partialDeepStrictEqual(await next("AccountUpdate"), { principal: -100n });
  await waitFor(() => fixture.broker.messagesIn(`${AUTHORITY_QUEUE}.XQ`).length === 1);

  stop.abort();
  await running;
});

test("the running authority ends with an error when its queue is deleted", async () => {
  await using fixture = await createFixture();
  const running = fixture.authority.run(new AbortController().signal);
  fixture.broker.put(AUTHORITY_QUEUE, deliveryOf(configuration()));
  await waitFor(() => fixture.takeRaw().length === 1);

  fixture.broker.deleteQueue(AUTHORITY_QUEUE);

  await assert.rejects(running, /deleted/);
});
