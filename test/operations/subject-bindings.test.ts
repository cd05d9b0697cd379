import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import fc from "fast-check";
import { findDebtor } from "../../src/database/debtors.ts";
import { findDebtorIdOfSubject, findSubjectBinding, listBindingEvents } from "../../src/database/subject-bindings.ts";
import { isActive } from "../../src/domain/debtor.ts";
import { decideProvisioning, isBindable } from "../../src/domain/subject-binding.ts";
import { activateNewDebtor, deactivateDebtor, reserveDebtor } from "../../src/operations/debtors.ts";
import { bindSubject, provisionDebtor, unbindSubject } from "../../src/operations/subject-bindings.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { isInShard, parseShard, type ShardingRealm } from "../../src/values/shard.ts";
import { createTestDatabase } from "../support/database.ts";
import { assertRejected, configureAccounts } from "./ledger.ts";

const database = await createTestDatabase();
const { pool } = database;
after(() => database.close());
beforeEach(() =>
  pool.run({
    name: "test_truncate",
    text: `truncate debtor, configure_account_signal, running_transfer, document,
      swpt_debtors_auth.subject_binding, swpt_debtors_auth.subject_binding_event`,
  }),
);

const ISSUER = "https://id.example.com";
const realm: ShardingRealm = { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard: parseShard("#")! };
const limits = { perHourMax: 1000, totalMax: 1000 };
const alice = { issuer: ISSUER, subject: "alice" };
const bind = (subject: string, debtorId: bigint, others = {}) =>
  bindSubject(pool, realm, {
    issuer: ISSUER,
    subject,
    debtorId,
    reason: "ticket 7",
    subjectsPerDebtorMax: 1,
    dryRun: false,
    ...others,
  });
const countDebtors = async () =>
  (await pool.many({ name: "test_debtors", text: "select from debtor where status_flags = 1" })).length;

for (const debtorId of [1n, -1n, INT64_MIN, INT64_MAX]) {
  test(`a subject is bound to the debtor ${debtorId}, and the change is recorded with its reason`, async () => {
    await activateNewDebtor(pool, debtorId);

    const binding = await bind("alice", debtorId);

    assert.deepEqual(await findSubjectBinding(pool, alice), binding);
    assert.partialDeepStrictEqual(await listBindingEvents(pool, alice), [
      { action: "bind", subject: "alice", debtorId, reason: "ticket 7" },
    ]);
  });
}

test("binding again to the same debtor changes nothing; to another one it is rejected until the subject is unbound", async () => {
  await activateNewDebtor(pool, 1n);
  await activateNewDebtor(pool, 2n);
  await bind("alice", 1n);

  await bind("alice", 1n);
  await assertRejected(bind("alice", 2n), "SUBJECT_BOUND");
  await unbindSubject(pool, { ...alice, reason: null, dryRun: false });
  await bind("alice", 2n);

  assert.equal((await findSubjectBinding(pool, alice))?.debtorId, 2n);
  const actions = (await listBindingEvents(pool, alice)).map(({ action }) => action);
  assert.deepEqual(actions, ["bind", "unbind", "bind"]);
});

test("the same name of another issuer is another subject", async () => {
  await activateNewDebtor(pool, 1n);
  await activateNewDebtor(pool, 2n);
  await bind("alice", 1n);

  await bind("alice", 2n, { issuer: "https://other.example.com" });

  assert.equal((await findSubjectBinding(pool, alice))?.debtorId, 1n);
});

test("a debtor has at most as many subjects as the setting allows", async () => {
  await activateNewDebtor(pool, 1n);
  await bind("alice", 1n);

  await assertRejected(bind("bob", 1n), "TOO_MANY_SUBJECTS");
  await bind("bob", 1n, { subjectsPerDebtorMax: 2 });
  await assertRejected(bind("carol", 1n, { subjectsPerDebtorMax: 2 }), "TOO_MANY_SUBJECTS");
});

test("only active debtors of this node can be bound", async () => {
  await reserveDebtor(pool, 1n);
  await activateNewDebtor(pool, 2n);
  await deactivateDebtor(pool, 2n);

  await assertRejected(bind("alice", 1n), "DEBTOR_NOT_ACTIVE");
  await assertRejected(bind("alice", 2n), "DEBTOR_NOT_ACTIVE");
  await assertRejected(bind("alice", 3n), "DEBTOR_NOT_ACTIVE");
  const narrow = { ...realm, maxDebtorId: 0n };
  const request = { ...alice, debtorId: 1n, reason: null, subjectsPerDebtorMax: 1, dryRun: false };
  await assertRejected(bindSubject(pool, narrow, request), "DEBTOR_NOT_RESPONSIBLE");
});

test("a dry run checks everything and changes nothing", async () => {
  await activateNewDebtor(pool, 1n);

  await bind("alice", 1n, { dryRun: true });
  assert.equal(await findSubjectBinding(pool, alice), undefined);
  await bind("alice", 1n);
  await unbindSubject(pool, { ...alice, reason: null, dryRun: true });

  assert.equal((await findSubjectBinding(pool, alice))?.debtorId, 1n);
  await assertRejected(
    unbindSubject(pool, { issuer: ISSUER, subject: "bob", reason: null, dryRun: true }),
    "SUBJECT_NOT_BOUND",
  );
});

test("provisioning creates one active debtor with its ConfigureAccount, and binds the subject", async () => {
  const binding = await provisionDebtor(pool, realm, limits, alice);

  assert.equal(isActive((await findDebtor(pool, binding.debtorId))!), true);
  assert.equal((await configureAccounts(pool, binding.debtorId)).length, 1);
  const { isNew, ...stored } = binding;
  assert.equal(isNew, true);
  assert.deepEqual(await findSubjectBinding(pool, alice), { ...stored, isProvisioned: true });
  assert.partialDeepStrictEqual(await listBindingEvents(pool, alice), [{ action: "provision" }]);
});

test("a hundred requests of one subject at the same time get one debtor", async () => {
  const bindings = await Promise.all(Array.from({ length: 100 }, () => provisionDebtor(pool, realm, limits, alice)));

  assert.equal(new Set(bindings.map(({ debtorId }) => debtorId)).size, 1);
  assert.equal(await countDebtors(), 1);
});

test("the hourly and total limits hold for concurrent requests, and leave no extra debtor", async () => {
  const provision = (count: number, ours: typeof limits) =>
    Promise.allSettled(
      Array.from({ length: count }, (_, i) => provisionDebtor(pool, realm, ours, { issuer: ISSUER, subject: `s${i}` })),
    );

  const results = await provision(20, { perHourMax: 3, totalMax: 100 });

  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 3);
  assert.equal(await countDebtors(), 3);
  await assertRejected(
    provisionDebtor(pool, realm, { perHourMax: 3, totalMax: 100 }, alice),
    "PROVISIONING_HOURLY_LIMIT",
  );
  await pool.run({
    name: "test_age",
    text: "update swpt_debtors_auth.subject_binding set bound_at = bound_at - interval '61 minutes'",
  });
  await assertRejected(provisionDebtor(pool, realm, { perHourMax: 3, totalMax: 3 }, alice), "PROVISIONING_TOTAL_LIMIT");
  await provisionDebtor(pool, realm, { perHourMax: 3, totalMax: 4 }, alice);
});

test("a subject that an operator has unbound is not provisioned again", async () => {
  await provisionDebtor(pool, realm, limits, alice);
  await unbindSubject(pool, { ...alice, reason: "left", dryRun: false });

  await assertRejected(provisionDebtor(pool, realm, limits, alice), "SUBJECT_UNBOUND");
  assert.equal(await countDebtors(), 1);
});

test("a subject whose debtor was deleted, and its ID given to another, has no debtor and is not provisioned", async () => {
  const { debtorId } = await provisionDebtor(pool, realm, limits, alice);
  assert.equal(await findDebtorIdOfSubject(pool, alice), debtorId);
  await pool.run({ name: "test_delete", text: "delete from debtor" });
  // As a debtor of another shard would be, after a split.
  assert.equal(await findDebtorIdOfSubject(pool, alice), debtorId);

  await activateNewDebtor(pool, debtorId);

  assert.equal(await findDebtorIdOfSubject(pool, alice), undefined);
  await assertRejected(provisionDebtor(pool, realm, limits, alice), "SUBJECT_UNBOUND");
  await unbindSubject(pool, { ...alice, reason: null, dryRun: false });
  await bind("alice", debtorId);
  assert.equal(await findDebtorIdOfSubject(pool, alice), debtorId);
});

test("a subject can be bound to a debtor that was created by a machine whose clock is ahead", async () => {
  await activateNewDebtor(pool, 1n);
  await pool.run({ name: "test_ahead", text: "update debtor set created_at = created_at + interval '1 hour'" });

  await bind("alice", 1n);

  assert.equal(await findDebtorIdOfSubject(pool, alice), 1n);
});

test("after a split the bindings of both halves stay, and the first shard binds to debtors of any", async () => {
  const of = (routingKey: string): ShardingRealm => ({ ...realm, shard: parseShard(routingKey)! });
  const ids = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
  const second = ids.find((id) => isInShard(of("1.#").shard, id))!;
  const first = ids.find((id) => isInShard(of("0.#").shard, id))!;
  const request = (debtorId: bigint) => ({ ...alice, debtorId, reason: null, subjectsPerDebtorMax: 1, dryRun: false });

  await assertRejected(bindSubject(pool, of("1.#"), request(first)), "DEBTOR_NOT_RESPONSIBLE");
  await assertRejected(bindSubject(pool, of("0.#"), request(first)), "DEBTOR_NOT_ACTIVE");
  await bindSubject(pool, of("0.#"), request(second));

  assert.equal(await findDebtorIdOfSubject(pool, alice), second);
  assert.deepEqual(await provisionDebtor(pool, of("0.#"), limits, alice).then(({ isNew }) => isNew), false);
});

test("names of any characters are kept apart, and the longest ones fit", async () => {
  const incompressible = Array.from({ length: 256 }, (_, i) =>
    String.fromCodePoint(0x10000 + ((i * 7919) % 60000)),
  ).join("");
  const names = [
    "ä",
    "a\u0308",
    "A",
    "a",
    "a ",
    " a",
    "'; drop table debtor; --",
    "debtors:7",
    "💰",
    "%",
    "\\",
    incompressible,
  ];
  assert.equal(Buffer.byteLength(incompressible), 1024);
  const subjects = names.flatMap((name, i) => [
    { issuer: ISSUER, subject: name },
    { issuer: name, subject: names.at(i - 1)! },
  ]);
  assert.ok(subjects.every(isBindable));

  const ids = [];
  for (const subject of subjects) ids.push((await provisionDebtor(pool, realm, limits, subject)).debtorId);

  assert.equal(new Set(ids).size, subjects.length);
  for (const [i, subject] of subjects.entries()) assert.equal(await findDebtorIdOfSubject(pool, subject), ids[i]);
  for (const subject of ["", "a\0", "a\n", "a\u2028", "\ud800", "x".repeat(1025), "ä".repeat(513)]) {
    assert.equal(isBindable({ issuer: ISSUER, subject }), false);
  }
});

test("when no ID is free nothing is stored", async () => {
  await activateNewDebtor(pool, 5n);
  const full = { ...realm, minDebtorId: 5n, maxDebtorId: 5n };

  await assertRejected(provisionDebtor(pool, full, limits, alice), "NO_FREE_DEBTOR_ID");
  assert.equal(await findSubjectBinding(pool, alice), undefined);
});

test("provisioning is allowed as long as both counts are below their limits", () => {
  const count = fc.nat(5);
  fc.assert(
    fc.property(count, count, count, count, (lastHour, total, perHourMax, totalMax) => {
      const decision = decideProvisioning({ lastHour, total }, { perHourMax, totalMax });
      assert.equal(decision === "allowed", lastHour < perHourMax && total < totalMax);
    }),
  );
});
