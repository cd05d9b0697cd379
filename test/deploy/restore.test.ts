/** A restore that loses time, as docs/operations.md tells it ("Backup and restore"). */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { openPool, type Pool } from "../../src/database/database.ts";
import { baseEnvironment } from "../commands/environment.ts";
import { listeningUrl, runCommand, startCommand } from "../support/command.ts";
import { untilConfigured } from "../support/configured.ts";
import { createEmptyDatabase, createTestDatabase } from "../support/database.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { copyDatabase } from "./database-copies.ts";
import { repairAfterLostTime } from "./manual-repair.ts";
import { settledOf } from "./settlement.ts";

const ISSUER = 1n;
const NEWCOMER = 2n;
const HOLDER = 77n;

const [database, authorityDatabase, host] = await Promise.all([
  createTestDatabase(),
  createEmptyDatabase(),
  createTestVirtualHost(),
]);
after(async () => {
  await Promise.all([database.close(), authorityDatabase.close(), host.close()]);
});
const environment = { ...baseEnvironment, PROTOCOL_BROKER_URL: host.url, POSTGRES_URL: database.url };

async function post(url: string, body: object, expected: number): Promise<Response> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(response.status, expected, `${url} ${await response.clone().text()}`);
  return response;
}

const transferOf = (n: number) => ({
  transferUuid: `00000000-0000-4000-8000-00000000000${n}`,
  recipient: { uri: `swpt:${ISSUER}/${HOLDER + BigInt(n)}` },
  amount: 100,
});

const balanceOf = async (creditorId: bigint, debtorId = ISSUER): Promise<bigint | undefined> =>
  (
    await authorityDatabase.pool.maybeOne<{ principal: bigint }>({
      name: "",
      text: `select principal from sandbox.account where debtor_id = ${debtorId} and creditor_id = ${creditorId}`,
    })
  )?.principal;

const limitOf = async (debtorId: bigint): Promise<{ limit: number; flags: number } | undefined> =>
  authorityDatabase.pool.maybeOne({
    name: "",
    text: `
      select negligible_amount as limit, config_flags as flags
      from sandbox.account where debtor_id = ${debtorId} and creditor_id = 0`,
  });

const isOver = async (pool: Pool, n: number): Promise<boolean> =>
  (await settledOf(pool, ISSUER)).get(transferOf(n).transferUuid) === "OK";

test("after a restore that loses time, put right as the manual says, nothing is issued twice and no account is lost", async () => {
  await using authority = startCommand(["sandbox_authority", "--pace", "0"], {
    POSTGRES_URL: authorityDatabase.url,
    PROTOCOL_BROKER_URL: host.url,
  });
  await authority.outputMatching(/NOT a store of value/);
  await runCommand(["subscribe"], environment);

  // At the time of the backup one transfer is over, and one has been begun, its message not sent yet.
  await using before = startCommand(["all"], environment);
  const url = await listeningUrl(before);
  await post(`${url}/debtors/${ISSUER}/activate`, {}, 200);
  const watched = openPool({ url: database.url, size: 1, applicationName: "test" });
  await untilConfigured(watched);
  await post(`${url}/debtors/${ISSUER}/transfers/`, transferOf(1), 201);
  await waitFor(() => isOver(watched, 1), { what: () => before.output() });
  // Only a database that nobody is connected to can be copied.
  await watched.close();
  await before.stop();
  await using writing = startCommand(["webserver"], environment);
  await post(`${await listeningUrl(writing)}/debtors/${ISSUER}/transfers/`, transferOf(2), 201);
  await writing.stop();

  await using backup = await copyDatabase(database.url, "backup");

  // In the time that will be lost the second transfer ends, another one is made, a debtor is activated, one restricted.
  await using lost = startCommand(["all"], environment);
  const lostUrl = await listeningUrl(lost);
  const lostPool = database.pool;
  await post(`${lostUrl}/debtors/${ISSUER}/transfers/`, transferOf(3), 201);
  await waitFor(async () => (await isOver(lostPool, 2)) && isOver(lostPool, 3), { what: () => lost.output() });
  await post(`${lostUrl}/debtors/${ISSUER}/restrict`, { minBalance: -1000 }, 200);
  await post(`${lostUrl}/debtors/${NEWCOMER}/activate`, {}, 200);
  await waitFor(async () => (await limitOf(ISSUER))?.limit === 1000 && (await limitOf(NEWCOMER)) !== undefined);
  const [highest] = await lostPool.many<{ id: bigint }>({
    name: "",
    text: "select max(coordinator_request_id) as id from running_transfer",
  });
  await lost.stop();

  // 2. and 3.: the restore, and the statements of the manual.
  const restored = { ...environment, POSTGRES_URL: backup.url };
  assert.equal((await runCommand(["configure"], restored)).code, 0);
  const pool = openPool({ url: backup.url, size: 2, applicationName: "test" });
  after(() => pool.close());
  await pool.run({ name: "", text: await repairAfterLostTime() });
  // 4. What administrators did, again.
  await using alone = startCommand(["webserver"], restored);
  const aloneUrl = await listeningUrl(alone);
  await post(`${aloneUrl}/debtors/${NEWCOMER}/activate`, {}, 200);
  await post(`${aloneUrl}/debtors/${ISSUER}/restrict`, { minBalance: -1000 }, 200);
  await alone.stop();
  // 5. to 7.
  assert.equal((await runCommand(["confirm_database"], restored)).code, 0);
  await using node = startCommand(["all"], restored);
  const nodeUrl = await listeningUrl(node);
  await waitFor(
    async () => (await pool.many({ name: "", text: "select from debtor where is_config_effectual" })).length === 2,
    { what: () => node.output() },
  );
  await post(`${nodeUrl}/debtors/${ISSUER}/transfers/`, transferOf(4), 201);
  await waitFor(() => isOver(pool, 4), { what: () => node.output() });
  await waitFor(async () => (await balanceOf(0n)) === -400n);

  for (const n of [1, 2, 3, 4]) assert.equal(await balanceOf(HOLDER + BigInt(n)), 100n, `transfer ${n}`);
  assert.deepEqual(await limitOf(ISSUER), { limit: 1000, flags: 0 });
  assert.equal((await limitOf(NEWCOMER))?.flags, 0);
  const [newest] = await pool.many<{ id: bigint }>({
    name: "",
    text: "select max(coordinator_request_id) as id from running_transfer",
  });
  assert.ok(newest!.id > highest!.id);
  // The one whose end was forgotten stays open, as the manual says.
  assert.equal((await settledOf(pool, ISSUER)).get(transferOf(2).transferUuid), "open");
  assert.deepEqual(await node.stop(), { code: 0, signal: null }, node.output());
});
