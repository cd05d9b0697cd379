import assert from "node:assert/strict";
import { after, test } from "node:test";
import { readGuardState } from "../../src/database/flush-guard.ts";
import { createClients, transferPath } from "../chaos/clients.ts";
import { untilNothingMoves } from "../chaos/drain.ts";
import { hasSucceeded } from "../chaos/expectations.ts";
import { createSeededRandom, seedOfRun } from "../chaos/random.ts";
import { repairAfterLostTime } from "../deploy/manual-repair.ts";
import { findFreePort, runCommand, startCommand } from "../support/command.ts";
import { waitFor } from "../support/wait.ts";
import { startSurroundings } from "./node.ts";
import { startPayments } from "./payments.ts";

const DEBTORS = 3;
const PAYERS = 6;
const PAYMENTS = 40;
/** What is on its way to the authority when the database goes is not counted as sent afterwards. */
const QUIET_LOOKS = 20;

const seed = seedOfRun();
const stack = new AsyncDisposableStack();
after(() => stack.disposeAsync());

test(`after a failover that loses transactions nothing is sent, and after the manual's remedy nothing has been issued twice (seed ${seed})`, async (t) => {
  const random = createSeededRandom(seed);
  const surroundings = stack.use(await startSurroundings("asynchronous"));
  const { postgres, pool, books, authority, environment, queuesByBroker } = surroundings;
  const port = await findFreePort();
  const startWebServer = () => startCommand(["webserver"], { ...environment(0), WEBSERVER_PORT: String(port) });
  const startWorkers = () => [
    startCommand(["consume_messages"], environment(1)),
    startCommand(["flush_all"], environment(2)),
    startCommand(["flush_all"], environment(0)),
  ];
  let processes = [startWebServer(), ...startWorkers()];
  stack.defer(async () => {
    await Promise.all(processes.map((process) => process.stop()));
  });
  const clients = createClients([`http://127.0.0.1:${port}`], (drawn) => drawn.int64());
  for (let i = 0; i < DEBTORS; i++) await clients.settle(random.int64());
  const randoms = Array.from({ length: PAYERS }, () => createSeededRandom(random.integer(1, 2 ** 30)));
  const payments = startPayments(clients, clients.debtors, randoms);
  stack.defer(() => payments.stop().catch(() => {}));
  await payments.untilMore(PAYMENTS);
  await postgres.cutOff();
  const [kept] = await pool.many<{ count: bigint }>({ name: "", text: "select count(*) from running_transfer" });
  await payments.untilMore(PAYMENTS);

  const failedAt = performance.now();
  await postgres.failOver("killed");
  // Clients go on, and ask again for what the node does not know any more.
  const alarm = await waitFor(async () => (await readGuardState(pool).catch(() => undefined))?.alarm, {
    what: () => `the alarm:\n${processes.map((process) => process.output().slice(-2000)).join("\n")}`,
  });
  assert.match(alarm, /gone back in time/);
  t.diagnostic(`the alarm came after ${((performance.now() - failedAt) / 1000).toFixed(1)} s`);
  const sentCount = async (): Promise<bigint> =>
    (await books.many<{ count: bigint }>({ name: "", text: SENT }))[0]!.count;
  const whenFailed = await untilStable(sentCount);
  const requestsBefore = clients.counts.answered;
  await waitFor(() => clients.counts.answered > requestsBefore + PAYMENTS, { what: "clients to go on asking" });
  assert.equal(await sentCount(), whenFailed, "nothing is sent during the alarm");
  const [waiting] = await pool.many<{ count: bigint }>({
    name: "",
    text: "select count(*) from prepare_transfer_signal",
  });
  assert.ok(waiting!.count > 0n, "what clients have requested during the alarm waits");
  await payments.stop();

  // docs/operations.md, "Backup and restore", from step 1 on. No administrator has done anything in the lost time.
  for (const process of processes) assert.equal((await process.stop()).code, 0, process.output());
  assert.equal((await runCommand(["configure"], environment(0))).code, 0);
  await pool.run({ name: "", text: await repairAfterLostTime() });
  const confirmed = await runCommand(["confirm_database"], environment(0));
  assert.match(confirmed.output, /The alarm is over/);
  processes = startWorkers();
  // A balance of the lost time comes with the next update of the account, after a week at the latest.
  authority.passDays(8);
  await untilNothingMoves({ pool, books, queuesByBroker });
  assert.equal((await readGuardState(pool)).alarm, null);
  processes.push(startWebServer());

  let lostCount = 0;
  let issuedCount = 0;
  for (const debtor of clients.debtors) {
    const { circulation, holders } = await authority.holders.balances(debtor.debtorId);
    const balances = new Map(holders.map(({ creditorId, balance }) => [creditorId, balance]));
    for (const transfer of clients.transfers.filter((candidate) => candidate.debtor === debtor)) {
      const { uuid, amount, creditorId } = transfer;
      const paid = creditorId === undefined ? 0n : (balances.get(creditorId) ?? 0n);
      assert.ok(paid === 0n || paid === amount, `transfer ${uuid} of ${amount}: ${paid} paid`);
      if (paid > 0n) issuedCount++;
      const { status, json } = await clients.retryUntilAnswered({ method: "GET", path: transferPath(transfer) });
      if (status === 404) lostCount++;
      if (status !== 200 || json.result === undefined || amount === 0n) continue;
      assert.equal(
        hasSucceeded(json.result),
        paid === amount,
        `transfer ${uuid}: ${paid} paid, and reported otherwise`,
      );
    }
    const { json } = await clients.retryUntilAnswered({
      method: "GET",
      path: `/debtors/${BigInt.asUintN(64, debtor.debtorId)}/`,
    });
    assert.equal(json.balance, -circulation, `balance of ${debtor.debtorId}`);
  }
  t.diagnostic(
    `${clients.transfers.length} transfers, ${kept!.count} of them when the standby was cut off; ${issuedCount} issued, ${lostCount} unknown to the node`,
  );

  // The node works again.
  const more = startPayments(clients, clients.debtors, randoms);
  await more.untilMore(PAYMENTS);
  await more.stop();
});

/** The value that has been the same for some looks in a row. */
async function untilStable(read: () => Promise<bigint>): Promise<bigint> {
  let last = -1n;
  let same = 0;
  await waitFor(
    async () => {
      const value = await read();
      same = value === last ? same + 1 : 0;
      last = value;
      return same >= QUIET_LOOKS;
    },
    { what: "the authority to have all that was sent" },
  );
  return last;
}

const SENT = "select count(*) from sandbox.journal where direction = 'in'";
