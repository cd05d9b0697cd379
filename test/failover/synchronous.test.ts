import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { marksOf } from "../../src/broker/agent-topology.ts";
import type { Pool } from "../../src/database/database.ts";
import { readGuardState } from "../../src/database/flush-guard.ts";
import { assertAudit, startAudit } from "../chaos/audit.ts";
import { createClients } from "../chaos/clients.ts";
import { untilNone, untilNothingMoves } from "../chaos/drain.ts";
import { manageProcess } from "../chaos/processes.ts";
import { createSeededRandom, seedOfRun } from "../chaos/random.ts";
import { reconcile } from "../chaos/reconcile.ts";
import { findFreePort, startCommand } from "../support/command.ts";
import { waitFor } from "../support/wait.ts";
import { QUEUE, startSurroundings } from "./node.ts";
import { longestPause, startPayments } from "./payments.ts";
import type { BrokerServer } from "./rabbitmq-cluster.ts";

/** How long to go on killing and freezing. */
const seconds = Number(process.env.FAILOVER_SECONDS || 240);
const DEBTORS = 5;
const PAYERS = 10;
/** Clients that also cancel and delete transfers, configure and deactivate debtors, and save documents. */
const OTHER_CLIENTS = 5;
/** How many payments must be over before the next server is killed or frozen. */
const PAYMENTS_BETWEEN = 50;
/** How many commits must wait for a standby that hangs before it goes on. */
const WAITING_COMMITS = 3n;
/** Whoever waits for a time-out of 20 seconds shows within this time. */
const WATCH_MILLIS = 8_000;

const seed = seedOfRun();
const stack = new AsyncDisposableStack();
after(() => stack.disposeAsync());

test(`when servers of RabbitMQ and PostgreSQL are killed and hang in turn, with a synchronous standby, every transfer ends exactly once (seed ${seed})`, async (t) => {
  const random = createSeededRandom(seed);
  const surroundings = stack.use(await startSurroundings("synchronous"));
  const { brokers, postgres, pool, books, authority, environment, queuesByBroker } = surroundings;
  await startAudit(pool);
  const ports = [await findFreePort(), await findFreePort()];
  const processes = [
    ...ports.map((port, index) =>
      manageProcess(`web server ${index + 1}`, () =>
        startCommand(["webserver"], { ...environment(0), WEBSERVER_PORT: String(port) }),
      ),
    ),
    manageProcess("consumer", () => startCommand(["consume_messages"], environment(1))),
    manageProcess("flusher", () => startCommand(["flush_all"], environment(2))),
  ];
  stack.defer(async () => {
    await Promise.all(processes.map((process) => process.stop()));
  });
  const clients = createClients(
    ports.map((port) => `http://127.0.0.1:${port}`),
    (drawn) => drawn.int64(),
  );
  for (let i = 0; i < DEBTORS; i++) await clients.settle(random.int64());
  const newRandom = () => createSeededRandom(random.integer(1, 2 ** 30));
  const payments = startPayments(clients, clients.debtors, Array.from({ length: PAYERS }, newRandom));
  stack.defer(() => payments.stop().catch(() => {}));
  const closing = new AbortController();
  const others = Promise.all(Array.from({ length: OTHER_CLIENTS }, () => clients.act(newRandom(), closing.signal)));
  others.catch(() => {});
  stack.defer(() => closing.abort());
  await payments.untilMore(PAYMENTS_BETWEEN);

  const deeds: { readonly what: string; readonly at: number; readonly doneAt: number }[] = [];
  const untilMorePayments = () => payments.untilMore(PAYMENTS_BETWEEN);
  /** Does something to a server, waits for its effect, and watches the payments for a while. */
  const act = async (what: string, deed: () => Promise<void>, untilEffect = untilMorePayments): Promise<void> => {
    const at = performance.now();
    await deed();
    deeds.push({ what, at, doneAt: performance.now() });
    await untilEffect();
    await pause(Math.max(0, at + WATCH_MILLIS - performance.now()));
  };
  const repair = async (server: BrokerServer): Promise<void> => {
    await act(`start ${server.name} again`, server.start);
    await brokers.untilComplete();
  };
  const leaderOfMarks = () => brokers.leaderOf(marksOf(QUEUE));

  const deadline = performance.now() + seconds * 1000;
  for (let round = 1; round === 1 || performance.now() < deadline; round++) {
    const killed = await leaderOfMarks();
    await act(`kill ${killed.name}, which leads the stream`, killed.kill);
    await repair(killed);
    const frozen = await leaderOfMarks();
    await act(`freeze ${frozen.name}, which leads the stream`, frozen.freeze);
    await act(`thaw ${frozen.name}`, frozen.thaw);
    await brokers.untilComplete();
    await act(`kill ${postgres.primary()}, promote the other`, () => postgres.failOver("killed"));
    await act("rebuild the standby", postgres.rebuildStandby);
    await act(`freeze ${postgres.primary()}, promote the other`, () => postgres.failOver("frozen"));
    await act("kill the frozen one, rebuild the standby", postgres.rebuildStandby);
    await act("freeze the standby", postgres.freezeStandby, () => untilCommitsWait(pool));
    await act("thaw the standby", postgres.thawStandby);
    const next = brokers.servers[round % brokers.servers.length]!;
    const isBoth = round % 2 === 0;
    await act(`kill ${next.name}${isBoth ? ` and ${postgres.primary()} together` : ""}`, async () => {
      await Promise.all([next.kill(), ...(isBoth ? [postgres.failOver("killed")] : [])]);
    });
    await repair(next);
    if (isBoth) await postgres.rebuildStandby();
  }

  await payments.stop();
  closing.abort();
  await others;
  for (const [index, { what, at, doneAt }] of deeds.entries()) {
    const next = deeds[index + 1]?.at ?? performance.now();
    const took = ((doneAt - at) / 1000).toFixed(1);
    t.diagnostic(`${what} (${took} s): no payment ended for ${longestPause(payments.endings, at, next).toFixed(1)} s`);
  }
  authority.assertAlive();
  await untilNone("all transfers have ended", pool, "select * from running_transfer where finalized_at is null");
  await untilNone("nothing is prepared", books, "select * from sandbox.prepared_transfer");
  await untilNothingMoves({ pool, books, queuesByBroker });
  await reconcile({ pool, chaosClients: clients, authority });
  await assertAudit(pool, books);
  assert.deepEqual(await readGuardState(pool), { epoch: 1n, alarm: null }, "no false alarm");
  const codes = await Promise.all(processes.map((process) => process.stop()));
  assert.deepEqual(codes, [0, 0, 0, 0], "all processes stop cleanly");
  assert.deepEqual([...clients.problems.texts, ...processes.flatMap((process) => process.problems())], []);

  t.diagnostic(`${clients.transfers.length} transfers, ${clients.counts.answered} requests answered`);
});

/** Until the primary owes the answers to some commits, since the standby does not confirm them. */
async function untilCommitsWait(pool: Pool): Promise<void> {
  const text = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
  const areWaiting = async () => (await pool.many<{ count: bigint }>({ name: "", text }))[0]!.count >= WAITING_COMMITS;
  await waitFor(areWaiting, { what: "commits to wait for the standby" });
}
