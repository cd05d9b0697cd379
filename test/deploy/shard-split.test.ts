/** The split of a shard as docs/operations.md tells it ("Splitting a shard"), under traffic. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { openPool, type Pool } from "../../src/database/database.ts";
import { INT64_MIN } from "../../src/values/int64.ts";
import { isInShard, messageRoutingKey, parseShard } from "../../src/values/shard.ts";
import { baseEnvironment } from "../commands/environment.ts";
import * as amqp from "../support/amqp.ts";
import { listeningUrl, runCommand, startCommand } from "../support/command.ts";
import { untilConfigured } from "../support/configured.ts";
import { createEmptyDatabase, createTestDatabase } from "../support/database.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { copyDatabase, urlOfCopy } from "./database-copies.ts";
import { type Issuer, startIssuer } from "./issuer.ts";
import { settledOf } from "./settlement.ts";

const [parentDatabase, authorityDatabase, host] = await Promise.all([
  createTestDatabase(),
  createEmptyDatabase(),
  createTestVirtualHost(),
]);
after(async () => {
  await Promise.all([parentDatabase.close(), authorityDatabase.close(), host.close()]);
});

const common = {
  ...baseEnvironment,
  PROTOCOL_BROKER_URL: host.url,
  PROTOCOL_BROKER_PREFETCH_COUNT: "50",
  APP_MAX_TRANSFERS_PER_MONTH: "100000",
  APP_LOG_LEVEL: "info",
};
const parent = {
  ...common,
  POSTGRES_URL: parentDatabase.url,
  PROTOCOL_BROKER_QUEUE: "parent",
  PROTOCOL_BROKER_QUEUE_ROUTING_KEY: "1.#",
};
const children = ["0", "1"].map((bit) => ({
  bit,
  shard: parseShard(`1.${bit}.#`)!,
  databaseUrl: urlOfCopy(parentDatabase.url, bit),
  environment: {
    ...common,
    POSTGRES_URL: urlOfCopy(parentDatabase.url, bit),
    PROTOCOL_BROKER_QUEUE: `child${bit}`,
    PROTOCOL_BROKER_QUEUE_ROUTING_KEY: `1.${bit}.#`,
  },
}));
/** Other tests run beside this one, which needs a dozen processes. */
const longWait = { timeoutSeconds: 100 };

type Child = (typeof children)[number];
const childOf = (debtorId: bigint): Child => children.find(({ shard }) => isInShard(shard, debtorId))!;

/** Four debtors of each half, with IDs that no `number` holds. */
const debtorIds = children.flatMap(({ shard }) =>
  Array.from({ length: 200 }, (_, i) => INT64_MIN + BigInt(i))
    .filter((debtorId) => isInShard(shard, debtorId))
    .slice(0, 4),
);

const run = async (args: string[], environment: Record<string, string>): Promise<string> => {
  const { code, output } = await runCommand(args, environment);
  assert.equal(code, 0, output);
  return output;
};
const countOf = async (pool: Pool, table: string, condition = "true"): Promise<bigint> =>
  (await pool.maybeOne<{ count: bigint }>({ name: "", text: `select count(*) from ${table} where ${condition}` }))!
    .count;

test("a shard is split under traffic, and every message and transfer is accounted for", async () => {
  await using authority = startCommand(["sandbox_authority", "--pace", "20"], {
    POSTGRES_URL: authorityDatabase.url,
    PROTOCOL_BROKER_URL: host.url,
  });
  await authority.outputMatching(/NOT a store of value/);
  await run(["subscribe"], parent);
  const webserver = startCommand(["webserver"], parent);
  const flusher = startCommand(["flush_all"], parent);
  const consumer = startCommand(["consume_messages"], parent);
  const parts = [webserver, flusher, consumer];
  after(() => Promise.all(parts.map((part) => part.stop("SIGKILL"))));

  // The web server of each debtor, chosen by the digest of the ID, as a proxy in front does.
  const parentUrl = await listeningUrl(webserver);
  let serverOf: (debtorId: bigint) => string | undefined = () => parentUrl;
  for (const debtorId of debtorIds) {
    const debtor = `${parentUrl}/debtors/${BigInt.asUintN(64, debtorId)}`;
    assert.equal((await post(`${debtor}/activate`)).status, 200);
    assert.equal((await post(`${debtor}/documents/`, "text/plain", "a document")).status, 201);
  }
  const parentPool = openPool({ url: parentDatabase.url, size: 1, applicationName: "test" });
  await untilConfigured(parentPool, longWait);
  const issuers = debtorIds.map((debtorId, index) =>
    startIssuer({
      debtorId,
      url: () => serverOf(debtorId),
      firstHolderId: BigInt(index + 1) * 1_000_000n,
      latestUpdateId: 1n,
    }),
  );
  const accepted = (): number => issuers.reduce((sum, { transfers }) => sum + transfers.length, 0);
  const acceptMore = async (): Promise<void> => {
    const before = accepted();
    await waitFor(() => accepted() > before + 100, { what: () => `more transfers than ${before}`, ...longWait });
  };
  await acceptMore();

  // 1. The children's queues, beside the parent's: from now on each message is in two queues.
  for (const { environment } of children) await run(["subscribe"], environment);
  // 2. No message comes to the parent's queue any more.
  await run(["unsubscribe"], parent);
  // 3. It is emptied and deleted, while the web server and the flusher of the parent go on.
  await consumer.stop();
  await using draining = startCommand(["consume_messages", "--draining-mode"], parent);
  await using deletion = startCommand(["delete_queue"], parent);
  await acceptMore();
  assert.deepEqual(await deletion.exit, { code: 0, signal: null });
  assert.deepEqual(await draining.exit, { code: 0, signal: null });

  // 4. The parent stops. The flusher first, so that there is something in the outboxes that are copied.
  await flusher.stop();
  await waitFor(async () => (await countOf(parentPool, "prepare_transfer_signal")) > 20n, longWait);
  // Only a database that nobody is connected to can be copied.
  await parentPool.close();
  serverOf = () => undefined;
  assert.deepEqual(await webserver.stop(), { code: 0, signal: null });

  // 5. The database is copied, and each child starts on its copy.
  for (const { bit, environment } of children) {
    const copy = await copyDatabase(parentDatabase.url, bit);
    after(() => copy[Symbol.asyncDispose]());
    const { code, output } = await runCommand(["verify_shard_content"], environment);
    assert.equal(code, 1, output);
  }
  const nodes = children.map(({ environment }) =>
    startCommand(["all"], {
      ...environment,
      DELETE_PARENT_SHARD_RECORDS: "true",
      APP_DEBTORS_SCAN_DAYS: "0.00002",
    }),
  );
  after(() => Promise.all(nodes.map((node) => node.stop("SIGKILL"))));
  const urls = await Promise.all(nodes.map(listeningUrl));
  serverOf = (debtorId) => urls[children.indexOf(childOf(debtorId))];
  await acceptMore();
  await Promise.all(issuers.map((issuer) => issuer.stop()));

  // 6. The scanners delete what belongs to the other half; then nothing foreign is left.
  const pools = children.map(({ databaseUrl }) => openPool({ url: databaseUrl, size: 2, applicationName: "test" }));
  try {
    for (const [index, { shard, environment }] of children.entries()) {
      const pool = pools[index]!;
      const expected = debtorIds.filter((debtorId) => isInShard(shard, debtorId));
      await waitFor(async () => (await countOf(pool, "debtor")) === BigInt(expected.length), {
        what: () => `the scanner: ${nodes[index]!.output()}`,
        ...longWait,
      });
      await waitFor(() => isSettled(pool), {
        what: () => `the end of the transfers: ${nodes[index]!.output()}`,
        ...longWait,
      });
      await run(["verify_shard_content"], environment);
      assert.equal(await countOf(pool, "document"), BigInt(expected.length));
    }
    for (const [index, node] of nodes.entries()) {
      assert.deepEqual(await node.stop(), { code: 0, signal: null }, node.output());
      assert.doesNotMatch(node.output(), /A process has died|is rejected|Not responsible/);
      assert.match(node.output(), /Deleted messages of the other half/);
      await checkDebtors(pools[index]!, issuers);
    }
    for (const issuer of issuers) await checkTransfers(pools, issuer);
    assert.ok(issuers.some(({ transfers }) => transfers.some(({ isCanceled }) => isCanceled)));
    await checkQueues();
    assert.equal(await countOf(authorityDatabase.pool, "sandbox.prepared_transfer"), 0n);
    assert.equal(await countOf(authorityDatabase.pool, "sandbox.outbox"), 0n);
    // A message that finds no queue is one that a peer may lose.
    assert.doesNotMatch(authority.output(), /did not take messages/);
  } finally {
    await Promise.all(pools.map((pool) => pool.close()));
  }
});

function post(url: string, contentType = "application/json", body = "{}"): Promise<Response> {
  return fetch(url, { method: "POST", headers: { "content-type": contentType }, body });
}

/** Whether all has been sent, answered, and noted. */
async function isSettled(pool: Pool): Promise<boolean> {
  const [open, ...waiting] = await Promise.all([
    countOf(pool, "running_transfer", "finalized_at is null"),
    countOf(pool, "configure_account_signal"),
    countOf(pool, "prepare_transfer_signal"),
    countOf(pool, "finalize_transfer_signal"),
    countOf(pool, "debtor", "not is_config_effectual"),
    countOf(authorityDatabase.pool, "sandbox.account", "update_due_at is not null"),
    countOf(authorityDatabase.pool, "sandbox.outbox"),
    countOf(authorityDatabase.pool, "sandbox.prepared_transfer"),
  ]);
  return open === 0n && waiting.every((count) => count === 0n) && (await hasLastBalances(pool));
}

/** Whether the last balance of each debtor has come: it may still be in a queue. */
async function hasLastBalances(pool: Pool): Promise<boolean> {
  const principals = await authorityDatabase.pool.many<{ id: bigint; principal: bigint }>({
    name: "",
    text: "select debtor_id as id, principal from sandbox.account where creditor_id = 0",
  });
  const lastOf = new Map(principals.map(({ id, principal }) => [id, principal]));
  const debtors = await pool.many<{ id: bigint; balance: bigint }>({
    name: "",
    text: "select debtor_id as id, balance from debtor",
  });
  return debtors.every(({ id, balance }) => balance === lastOf.get(id));
}

/** The debtors of this half are as their clients left them, and the others are gone. */
async function checkDebtors(pool: Pool, issuers: readonly Issuer[]): Promise<void> {
  const rows = await pool.many<{
    debtorId: bigint;
    configData: string;
    balance: bigint;
    transfersCount: number;
    rowCount: bigint;
  }>({
    name: "",
    text: `
      select debtor_id as "debtorId", config_data as "configData", balance,
        running_transfers_count as "transfersCount",
        (select count(*) from running_transfer as t where t.debtor_id = debtor.debtor_id) as "rowCount"
      from debtor order by debtor_id`,
  });
  for (const { debtorId, configData, balance, transfersCount, rowCount } of rows) {
    const issuer = issuers[debtorIds.indexOf(debtorId)]!;
    assert.equal(configData, issuer.configData());
    assert.equal(transfersCount, issuer.transfers.length);
    assert.equal(rowCount, BigInt(issuer.transfers.length));
    const issued = issuer.transfers.filter(({ isCanceled }) => !isCanceled);
    assert.equal(
      balance,
      issued.reduce((sum, { amount }) => sum - amount, 0n),
    );
  }
}

/** Each transfer is in one database, has ended as its client was told, and its holder has got the amount once. */
async function checkTransfers(pools: readonly Pool[], { transfers }: Issuer): Promise<void> {
  const { debtorId } = transfers[0]!;
  const own = children.indexOf(childOf(debtorId));
  const [found, foundElsewhere, balances] = await Promise.all([
    settledOf(pools[own]!, debtorId),
    settledOf(pools[1 - own]!, debtorId),
    balancesOf(debtorId),
  ]);
  assert.deepEqual(foundElsewhere, new Map());
  assert.equal(found.size, transfers.length);
  for (const { uuid, amount, holderId, isCanceled } of transfers) {
    assert.equal(found.get(uuid), isCanceled ? "CANCELED_BY_THE_SENDER" : "OK");
    assert.equal(balances.get(holderId) ?? 0n, isCanceled ? 0n : amount);
  }
}

async function balancesOf(debtorId: bigint): Promise<Map<bigint, bigint>> {
  const rows = await authorityDatabase.pool.many<{ id: bigint; principal: bigint }>({
    name: "",
    text: `select creditor_id as id, principal from sandbox.account where debtor_id = ${debtorId} and creditor_id <> 0`,
  });
  return new Map(rows.map(({ id, principal }) => [id, principal]));
}

/** Nothing waits, and nothing was rejected. */
async function checkQueues(): Promise<void> {
  const connection = await amqp.connect(host.url);
  try {
    const channel = await connection.createChannel();
    for (const queue of ["child0", "child1", "child0.XQ", "child1.XQ", "parent.XQ", "swpt_accounts_sandbox.XQ"]) {
      const { messageCount } = await channel.checkQueue(queue);
      assert.equal(messageCount, 0, queue);
    }
  } finally {
    await connection.close();
  }
}

test("the debtors of the test belong to both halves, by the routing keys that peers use", () => {
  for (const debtorId of debtorIds) {
    assert.ok(messageRoutingKey(debtorId).startsWith(childOf(debtorId).shard.routingKey.slice(0, 4)));
  }
  assert.equal(debtorIds.length, 8);
});
