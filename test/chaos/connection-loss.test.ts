import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { pino } from "pino";
import { startEmbeddedPostgres } from "../../sandbox/embedded-postgres.ts";
import { subscribe } from "../../src/broker/declare-topology.ts";
import { openPool, type Pool } from "../../src/database/database.ts";
import { migrate } from "../../src/database/migrations.ts";
import { type BreakableConnection, makeBreakable } from "../broker/breakable-connection.ts";
import { baseEnvironment } from "../commands/environment.ts";
import { findFreePort, listeningUrl, startCommand } from "../support/command.ts";
import { untilConfigured } from "../support/configured.ts";
import { createTestDatabase } from "../support/database.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { startLossyAuthority } from "./lossy-authority.ts";

const QUEUE = "swpt_debtors";
const DEBTOR = 7n;

const stack = new AsyncDisposableStack();
after(() => stack.disposeAsync());
let folder: string;
let port: number;
let postgres: Awaited<ReturnType<typeof startEmbeddedPostgres>>;
let broker: BreakableConnection;
let pool: Pool;
let url: string;
let balances: () => Promise<bigint>;
let output: () => string;

/** The same data on the same port, each time. */
const startPostgres = async (): Promise<void> => {
  postgres = await startEmbeddedPostgres({ folder, port });
};

// A database server and a connection to the broker for this file only; real processes between them. The authority keeps its
// books elsewhere, so that it works on while the node's database is unavailable.
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-connection-loss-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  port = await findFreePort();
  await startPostgres();
  stack.defer(() => postgres.stop());
  pool = openPool({ url: postgres.url, size: 2, applicationName: "test" });
  stack.defer(() => pool.close());
  await migrate(pool);
  const virtualHost = stack.use(await createTestVirtualHost());
  await subscribe({ url: virtualHost.url, queue: QUEUE, routingKey: "#" });
  broker = stack.use(await makeBreakable(virtualHost.url));
  const books = stack.use(await createTestDatabase());
  const authority = stack.use(
    await startLossyAuthority({
      databaseUrl: books.url,
      brokerUrl: virtualHost.url,
      directBrokerUrl: virtualHost.url,
      seed: 1,
      log: pino({ level: "silent" }),
    }),
  );
  authority.endFaults();
  balances = async () => (await authority.holders.balances(DEBTOR)).circulation;

  const environment = {
    ...baseEnvironment,
    POSTGRES_URL: postgres.url,
    PROTOCOL_BROKER_URL: broker.url,
    PROTOCOL_BROKER_PREFETCH_COUNT: "20",
    FLUSH_PERIOD: "0.5",
  };
  const all = stack.use(startCommand(["all"], environment));
  output = all.output;
  url = await listeningUrl(all);
  assert.equal((await send("POST", `/debtors/${DEBTOR}/activate`, {})).status, 200);
  await untilConfigured(pool);
});

async function send(
  method: string,
  to: string,
  body?: object,
): Promise<{ status: number; retryAfter: string | null; json: { result?: { committedAmount: number } } | undefined }> {
  const response = await fetch(`${url}${to}`, {
    method,
    redirect: "manual",
    ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    json: text.startsWith("{") ? JSON.parse(text) : undefined,
  };
}

const uuidOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const issue = (n: number) =>
  send("POST", `/debtors/${DEBTOR}/transfers/`, {
    transferUuid: uuidOf(n),
    amount: 100,
    recipient: { uri: `swpt:${DEBTOR}/${1000 + n}` },
  });

/** Waits until the transfer has succeeded. */
const untilIssued = (n: number) =>
  waitFor(
    async () => {
      const { status, json } = await send("GET", `/debtors/${DEBTOR}/transfers/${uuidOf(n)}`);
      return status === 200 && json?.result?.committedAmount === 100;
    },
    { what: () => `transfer ${n} to succeed:\n${output().split("\n").slice(-15).join("\n")}`, timeoutSeconds: 60 },
  );

const assertUnavailable = ({ status, retryAfter }: { status: number; retryAfter: string | null }): void => {
  assert.equal(status, 503);
  assert.match(retryAfter ?? "", /^[0-9]+$/);
};

test("while the broker is unavailable the API works, and messages are sent when it is back", async () => {
  assert.equal((await issue(1)).status, 201);
  await untilIssued(1);

  broker.setReachable(false);
  assert.equal((await issue(2)).status, 201);
  assert.equal((await send("GET", `/debtors/${DEBTOR}/`)).status, 200);
  broker.setReachable(true);

  await untilIssued(2);
  assert.equal(await balances(), 200n);
});

test("while the database is unavailable the API answers 503 with Retry-After, and recovers when it is back", async () => {
  await postgres.stop();

  assertUnavailable(await issue(3));
  assertUnavailable(await send("GET", `/debtors/${DEBTOR}/`));
  assertUnavailable(await send("GET", `/debtors/${DEBTOR}/transfers/${uuidOf(2)}`));
  assertUnavailable(await send("POST", `/debtors/${DEBTOR}/restrict`, { minBalance: -1000000 }));
  assert.equal((await send("GET", "/debtors/health/check/public")).status, 200);

  await startPostgres();
  await waitFor(async () => [201, 303].includes((await issue(3)).status), { what: "the transfer to be created" });
  await untilIssued(3);
  assert.equal(await balances(), 300n);
});

test("a database failure in the middle of many transfers loses and doubles none of them", async () => {
  const numbers = Array.from({ length: 60 }, (_, index) => 100 + index);
  const issueWithRetries = async (n: number): Promise<void> => {
    await waitFor(async () => {
      const { status, retryAfter } = await issue(n);
      if (status === 503) assertUnavailable({ status, retryAfter });
      else assert.ok(status === 201 || status === 303, String(status));
      return status !== 503;
    });
  };
  const issuing = Promise.all(numbers.map(issueWithRetries));
  await postgres.stop();
  await startPostgres();
  await issuing;

  for (const n of numbers) await untilIssued(n);
  assert.equal(await balances(), 300n + 6_000n);
});

test("nothing is lost when the broker and the database are unavailable together and come back in turn", async () => {
  assert.equal((await issue(200)).status, 201);
  broker.setReachable(false);
  await postgres.stop();
  assertUnavailable(await issue(201));
  broker.setReachable(true);
  await startPostgres();

  await waitFor(async () => [201, 303].includes((await issue(201)).status), { what: "the transfer to be created" });
  await untilIssued(200);
  await untilIssued(201);
  assert.equal(await balances(), 300n + 6_000n + 200n);
  const left = await pool.many({
    name: "test_left",
    text: `
      select 1 from configure_account_signal
      union all select 1 from prepare_transfer_signal
      union all select 1 from finalize_transfer_signal`,
  });
  assert.deepEqual(left, [], "nothing is left in the outbox");
  assert.doesNotMatch(output(), /failed unexpectedly|A process has died/);
});
