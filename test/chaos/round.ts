/** One round of chaos: a whole node with many clients and injected faults, then a quiet phase, then the reconciliation. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { pino } from "pino";
import { AUTHORITY_QUEUE } from "../../sandbox/accounting-authority/topology.ts";
import { deadLetterQueueOf } from "../../src/broker/agent-topology.ts";
import { subscribe } from "../../src/broker/declare-topology.ts";
import { makeBreakable } from "../broker/breakable-connection.ts";
import { baseEnvironment } from "../commands/environment.ts";
import { findFreePort, startCommand } from "../support/command.ts";
import { createTestDatabase } from "../support/database.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { assertAudit, startAudit } from "./audit.ts";
import { createClients, debtorPath, transferPath } from "./clients.ts";
import { untilNone, untilNothingMoves } from "./drain.ts";
import { injectFaults } from "./faults.ts";
import { startLink } from "./link.ts";
import { startLossyAuthority } from "./lossy-authority.ts";
import { manageProcess } from "./processes.ts";
import { createSeededRandom } from "./random.ts";
import { reconcile } from "./reconcile.ts";

export interface RoundOptions {
  readonly seed: number;
  /** How long the chaos goes on. */
  readonly seconds: number;
  readonly clients: number;
  /**
   * Whether the authority is a node of its own, behind an unreliable connection; otherwise both are on one broker, which loses
   * messages.
   */
  readonly isLinked?: boolean;
  /** Aborts when the test has taken too long; what it was waiting for is then said. */
  readonly signal: AbortSignal;
}

const QUEUE = "swpt_debtors";
const DEBTORS = 5;

/** Rejects when anything is lost, doubled or contradicted. Resolves to a line about what happened. */
export async function runRound({ seed, seconds, clients, isLinked = false, signal }: RoundOptions): Promise<string> {
  const random = createSeededRandom(seed);
  let step = "the start";
  const tellStep = (): void => console.error(`With TEST_SEED=${seed}, too late during ${step}`);
  signal.addEventListener("abort", tellStep);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => signal.removeEventListener("abort", tellStep));
  const database = stack.use(await createTestDatabase());
  const { pool } = database;
  await startAudit(pool);
  const virtualHost = stack.use(await createTestVirtualHost());
  await subscribe({ url: virtualHost.url, queue: QUEUE, routingKey: "#" });
  const broker = stack.use(await makeBreakable(virtualHost.url));
  const environment = {
    ...baseEnvironment,
    POSTGRES_URL: database.url,
    PROTOCOL_BROKER_URL: broker.url,
    PROTOCOL_BROKER_PREFETCH_COUNT: "40",
    PROTOCOL_BROKER_THREADS: "2",
    WEBSERVER_THREADS: "5",
    FLUSH_PERIOD: "0.5",
    APP_MAX_TRANSFERS_PER_MONTH: "1000000",
    APP_DOCUMENT_MAX_SAVES_PER_YEAR: "1000000",
    APP_LOG_LEVEL: "warning",
  };
  const link = isLinked ? stack.use(await startLink({ agentUrl: virtualHost.url, environment, random })) : undefined;
  const log = pino({ level: "silent" });
  const authority = stack.use(
    await startLossyAuthority({
      databaseUrl: database.url,
      brokerUrl: link?.authorityUrl ?? broker.url,
      directBrokerUrl: link?.authorityUrl ?? virtualHost.url,
      linkQueue: link?.authorityQueue,
      losesMessages: link === undefined,
      seed: random.integer(1, 2 ** 30),
      log,
    }),
  );
  const linkQueues = (queue: string | undefined): string[] =>
    queue === undefined ? [] : [queue, deadLetterQueueOf(queue)];
  const queuesByBroker = new Map([
    [virtualHost.url, [QUEUE, ...linkQueues(link?.agentQueue)]],
    ...(link ? [[link.authorityUrl, [AUTHORITY_QUEUE, ...linkQueues(link.authorityQueue)]] as const] : []),
  ]);
  const drawDebtorId = link?.drawDebtorId ?? ((random) => random.int64());
  const ports = [await findFreePort(), await findFreePort()];
  const processes = [
    ...ports.map((port, index) =>
      manageProcess(`web server ${index + 1}`, () =>
        startCommand(["webserver"], { ...environment, WEBSERVER_PORT: String(port) }),
      ),
    ),
    manageProcess("consumer", () => startCommand(["consume_messages"], environment)),
    manageProcess("flusher", () => startCommand(["flush_all"], environment)),
    ...(link?.processes ?? []),
  ];
  stack.defer(async () => {
    await Promise.all(processes.map((process) => process.stop()));
  });
  const chaosClients = createClients(
    ports.map((port) => `http://127.0.0.1:${port}`),
    drawDebtorId,
  );
  step = "the activation of debtors";
  for (let i = 0; i < DEBTORS; i++) await chaosClients.settle(drawDebtorId(random));

  step = "the chaos";
  const end = new AbortController();
  const clientRuns = Array.from({ length: clients }, () =>
    chaosClients.act(createSeededRandom(random.integer(1, 2 ** 30)), end.signal),
  );
  const faultRandom = [
    createSeededRandom(random.integer(1, 2 ** 30)),
    createSeededRandom(random.integer(1, 2 ** 30)),
  ] as const;
  const faults = injectFaults({ processes, broker, pool }, faultRandom, end.signal);
  await Promise.race([pause(seconds * 1000), Promise.all([...clientRuns, faults])]);
  end.abort();
  await Promise.all(clientRuns);
  const actions = await faults;

  step = "the quiet phase";
  const progress = await pool.many<{ state: string; count: bigint }>({ name: "test_progress", text: PROGRESS });
  authority.assertAlive();
  authority.endFaults();
  link?.heal();
  await drain();
  await reconcile({ pool, chaosClients, authority });
  await assertAudit(pool, pool);
  step = "the end of the processes";
  const codes = await Promise.all(processes.map((process) => process.stop()));
  assert.deepEqual(
    codes,
    processes.map(() => 0),
    "all processes stop cleanly",
  );
  assert.deepEqual([...chaosClients.problems.texts, ...processes.flatMap((p) => p.problems())], []);
  const { answered, unanswered } = chaosClients.counts;
  const states = progress.map(({ state, count }) => `${count} ${state}`).join(", ");
  return `${answered} requests answered, ${unanswered} not; ${chaosClients.transfers.length} transfers, when the chaos ended ${states}; ${actions.length} faults: ${actions.sort().join(", ")}`;

  /** Repeats the messages that the protocol allows to be repeated, and waits until there are no more messages. */
  async function drain(): Promise<void> {
    for (const debtor of chaosClients.debtors.filter(({ hasLeft }) => !hasLeft)) {
      const path = `${debtorPath(debtor)}/config`;
      const { json } = await chaosClients.retryUntilAnswered({ method: "GET", path });
      const body = { configData: '{"rate":0}', latestUpdateId: Number(json.latestUpdateId) + 1 };
      const { status } = await chaosClients.retryUntilAnswered({ method: "PATCH", path, json: JSON.stringify(body) });
      assert.ok([200, 409].includes(status), String(status));
    }
    step = "configurations";
    await untilNone("configurations are effectual", pool, UNEFFECTUAL);
    // Only where something is lost: over the link, messages from the future are refused.
    if (link === undefined) authority.passDays(8);
    step = "prepared transfers";
    await untilNone("nothing is prepared", pool, PREPARED);
    await authority.deliverLostOutcomes();
    step = "transfers";
    await untilNone("all transfers have ended", pool, OPEN, [...authority.lost]);
    step = "queues and outboxes";
    await untilNothingMoves({ pool, books: pool, queuesByBroker });
    for (const transfer of chaosClients.transfers.filter(
      ({ debtor, isKnown, isLeaving }) => isKnown && !isLeaving && !debtor.isLeaving,
    )) {
      const { status, json } = await chaosClients.retryUntilAnswered({ method: "GET", path: transferPath(transfer) });
      assert.equal(status, 200, transfer.uuid);
      if (json.result !== undefined) continue;
      // Its outcome will never be reported, so its debtor cancels it.
      const canceled = await chaosClients.retryUntilAnswered({
        method: "POST",
        path: transferPath(transfer),
        json: "{}",
      });
      assert.equal(canceled.status, 200, `${transfer.uuid} is settled, and open`);
      transfer.isCanceled = true;
    }
  }
}

const PROGRESS = `
  select case when finalized_at is null then 'open' else coalesce(error_code, 'success') end as state, count(*)
  from running_transfer group by 1 order by 1`;
const UNEFFECTUAL = `
  select debtor_id, config_error from debtor where status_flags & 3 = 1 and not is_config_effectual`;
const PREPARED = "select * from sandbox.prepared_transfer";
const OPEN = `
  select * from running_transfer where finalized_at is null and not coordinator_request_id = any ($1::bigint[])`;
