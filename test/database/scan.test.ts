import assert from "node:assert/strict";
import test, { after, beforeEach } from "node:test";
import { openPool } from "../../src/database/database.ts";
import { findSessionOfOtherShard, sessionNameOf } from "../../src/database/other-shards.ts";
import { listDebtorIdsInBlocks } from "../../src/database/scan.ts";
import { type ScanRules, scanDebtors } from "../../src/operations/scan-debtors.ts";
import { findForeignRows } from "../../src/operations/verify-shard-content.ts";
import { isInShard, parseShard, type ShardingRealm } from "../../src/values/shard.ts";
import { now } from "../../src/values/timestamp.ts";
import { createTestDatabase } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";

const database = await createTestDatabase();
const { pool } = database;
after(() => database.close());
beforeEach(async () => {
  await pool.run({ name: "clear", text: "truncate debtor, configure_account_signal cascade" });
  await pool.run({ name: "unclaim", text: "update swpt_debtors_guard.state set shard = null" });
});

const wholeTable = { firstBlock: 0n, blockCount: 1_000_000n };
const everything: ShardingRealm = { minDebtorId: -(2n ** 63n), maxDebtorId: 2n ** 63n - 1n, shard: parseShard("#")! };
const rules: ScanRules = {
  realm: everything,
  deleteParentShardRecords: false,
  inactiveDebtorRetentionDays: 14,
  heartbeatDelayDaysMax: 365,
  configDelayHoursMax: 24,
};

/** A debtor that is in order, save for what is given. */
async function insertDebtor(debtorId: bigint, columns: Readonly<Record<string, string>> = {}): Promise<void> {
  const row = {
    status_flags: "1",
    has_server_account: "true",
    is_config_effectual: "true",
    last_config_ts: "now() - interval '100 days'",
    ...columns,
  };
  await pool.run({
    name: "",
    text: `insert into debtor (debtor_id, ${Object.keys(row)}) values (${debtorId}, ${Object.values(row)})`,
  });
}
const scan = (changes: Partial<ScanRules> = {}) => scanDebtors(pool, { ...rules, ...changes }, wholeTable, now());
const debtorIds = async () => (await listDebtorIdsInBlocks(pool, wholeTable)).sort((a, b) => (a < b ? -1 : 1));
const flaggedDebtorIds = () =>
  pool.many<{ debtorId: bigint }>({
    name: "flagged",
    text: `select debtor_id as "debtorId" from debtor where config_error = 'CONFIGURATION_IS_NOT_EFFECTUAL' order by 1`,
  });

test("reservations older than the retention are deleted, and nothing else is", async () => {
  await insertDebtor(1n, { status_flags: "0", created_at: "now() - interval '14 days 1 minute'" });
  await insertDebtor(2n, { status_flags: "0", created_at: "now() - interval '13 days 23 hours'" });
  await insertDebtor(3n, { status_flags: "1", created_at: "now() - interval '100 days'" });
  await insertDebtor(4n, { status_flags: "3", created_at: "now() - interval '100 days'" });

  assert.equal((await scan()).oldReservations, 1);
  assert.deepEqual(await debtorIds(), [2n, 3n, 4n]);
});

test("an active debtor whose configuration is not effectual for too long gets a configuration error", async () => {
  await insertDebtor(1n, { is_config_effectual: "false", last_config_ts: "now() - interval '24 hours 1 minute'" });
  await insertDebtor(2n, { is_config_effectual: "false", last_config_ts: "now() - interval '23 hours'" });
  await insertDebtor(3n, { is_config_effectual: "false", config_error: "'OTHER'" });
  await insertDebtor(4n, { is_config_effectual: "false", status_flags: "3" });
  await insertDebtor(5n, { is_config_effectual: "false", status_flags: "0" });

  assert.equal((await scan()).ineffectualConfigs, 1);
  assert.deepEqual(await flaggedDebtorIds(), [{ debtorId: 1n }]);
});

test("a server account that has been silent for too long counts as well", async () => {
  await insertDebtor(1n, { account_last_heartbeat_ts: "now() - interval '366 days'" });
  await insertDebtor(2n, { account_last_heartbeat_ts: "now() - interval '364 days'" });
  await insertDebtor(3n, { account_last_heartbeat_ts: "now() - interval '366 days'", has_server_account: "false" });
  await insertDebtor(4n, {
    account_last_heartbeat_ts: "now() - interval '366 days'",
    last_config_ts: "now() - interval '1 hour'",
  });

  assert.equal((await scan()).ineffectualConfigs, 1);
  assert.deepEqual(await flaggedDebtorIds(), [{ debtorId: 1n }]);
});

test("a debtor that someone else has locked is left for the next pass", async () => {
  await insertDebtor(1n, { status_flags: "0", created_at: "now() - interval '15 days'" });
  await insertDebtor(2n, { is_config_effectual: "false" });
  const nothing = { oldReservations: 0, ineffectualConfigs: 0, parentShardDebtors: 0 };

  await pool.transaction(async (db) => {
    await db.run({ name: "lock_all", text: "select from debtor for update" });
    assert.deepEqual(await scan(), nothing);
  });

  assert.deepEqual(await scan(), { ...nothing, oldReservations: 1, ineffectualConfigs: 1 });
});

test("nothing is deleted as left over from a split while a process of another shard uses the database", async () => {
  const realm = { ...everything, shard: parseShard("1.1.0.#")! };
  // 123 is in 1.1.1.
  await insertDebtor(123n);
  const split = { realm, deleteParentShardRecords: true };
  for (const [shard, name] of [
    ["1.1.#", "the parent"],
    ["1.1.1.#", "the other child"],
  ] as const) {
    const other = openPool({ url: database.url, size: 1, applicationName: sessionNameOf(shard, "webserver") });
    await other.run({ name: "", text: "select" });
    try {
      await assert.rejects(
        scan(split),
        /the shard 1\.1\.0\.#, but "swpt_debtors 1\.1\..* is connected to the same/,
        name,
      );
    } finally {
      await other.close();
    }
  }
  assert.deepEqual(await debtorIds(), [123n]);
  const own = openPool({ url: database.url, size: 1, applicationName: sessionNameOf("1.1.0.#", "webserver") });
  await own.run({ name: "", text: "select" });
  try {
    await waitFor(async () => (await scan(split).catch(() => undefined))?.parentShardDebtors === 1);
  } finally {
    await own.close();
    // The server may still show it for a moment, to the next test as well.
    await waitFor(async () => (await findSessionOfOtherShard(pool, "#")) === undefined);
  }
});

test("a database that has become that of one child of a split is not made that of the other one, but can be split again", async () => {
  const split = (routingKey: string) =>
    scan({ realm: { ...everything, shard: parseShard(routingKey)! }, deleteParentShardRecords: true });
  const [zero, low, high] = ["0.#", "1.0.#", "1.1.#"].map(debtorOf) as [bigint, bigint, bigint];
  for (const id of [zero, low, high]) await insertDebtor(id);
  assert.equal((await split("1.#")).parentShardDebtors, 1);
  await assert.rejects(split("0.#"), /shard 0\.#, but the database has become that of the shard 1\.#/);
  assert.deepEqual(new Set(await debtorIds()), new Set([low, high]));
  assert.equal((await split("1.0.#")).parentShardDebtors, 1);
  await assert.rejects(split("1.1.#"), /shard 1\.1\.#, but the database has become that of the shard 1\.0\.#/);
  assert.deepEqual(await debtorIds(), [low]);
});

/** The lowest ID from 1 on that is in the shard. */
function debtorOf(routingKey: string): bigint {
  let id = 1n;
  while (!isInShard(parseShard(routingKey)!, id)) id++;
  return id;
}

test("during a split what belongs to the parent shard only is deleted with all that hangs on it", async () => {
  const realm = { minDebtorId: 0n, maxDebtorId: 1000n, shard: parseShard("1.1.0.#")! };
  // 123 is in 1.1.1, 8 in 1.1.0 and 1 in 0.#; 1001 is outside of the interval.
  const ids = Array.from({ length: 60 }, (_, index) => BigInt(index)).concat(123n, 1001n);
  for (const id of ids) await insertDebtor(id);
  await pool.run({ name: "doc", text: "insert into document values (123, 1, '', '', now())" });
  const before = new Set(await debtorIds());

  assert.equal((await scan({ realm })).parentShardDebtors, 0);
  const { parentShardDebtors } = await scan({ realm, deleteParentShardRecords: true });

  const left = await debtorIds();
  assert.equal(before.size - left.length, parentShardDebtors);
  assert.ok(parentShardDebtors > 5 && left.length > 5);
  assert.ok(!left.includes(123n));
  assert.ok(left.includes(1001n));
  assert.deepEqual(await pool.many({ name: "docs", text: "select from document" }), []);
});

test("the content of a shard is verified row by row, and rows of another shard are told from those outside the interval", async () => {
  const none = { otherShard: undefined, outsideInterval: undefined };
  const find = (changes: Partial<ShardingRealm>, rowsPerRead = 2) =>
    findForeignRows(
      pool,
      { ...everything, ...changes },
      { rowsPerRead, pauseSeconds: 0 },
      new AbortController().signal,
    );
  for (const id of [-(2n ** 63n), -5n, 0n, 7n, 2n ** 63n - 1n]) await insertDebtor(id);
  assert.deepEqual(await find({}), none);
  assert.deepEqual(await find({ minDebtorId: -5n }), {
    ...none,
    outsideInterval: { table: "debtor", debtorId: -(2n ** 63n) },
  });

  const { otherShard } = await find({ shard: parseShard("0.#")! });
  assert.equal(otherShard?.table, "debtor");

  await pool.run({ name: "clear_debtors", text: "truncate debtor cascade" });
  await pool.run({
    name: "signal",
    text: "insert into configure_account_signal values (now(), 7, now(), 1, '', 0, 0)",
  });
  assert.deepEqual(await find({ maxDebtorId: 6n }, 10), {
    ...none,
    outsideInterval: { table: "configure_account_signal", debtorId: 7n },
  });
});
