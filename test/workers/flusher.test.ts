import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { pino } from "pino";
import { agentTopology, OUTGOING_EXCHANGE, type Topology } from "../../src/broker/agent-topology.ts";
import type { Broker, Publication, PublicationOutcome } from "../../src/broker/broker.ts";
import { createMemoryBroker } from "../../src/broker/memory.ts";
import { openPool } from "../../src/database/database.ts";
import { findSessionOfOtherShard, sessionNameOf } from "../../src/database/other-shards.ts";
import { type Outbox, recordMessages } from "../../src/database/outbox.ts";
import { createHealth } from "../../src/runtime/health.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { parseJson } from "../../src/values/json.ts";
import { isInShard, parseShard, type ShardingRealm } from "../../src/values/shard.ts";
import { now } from "../../src/values/timestamp.ts";
import { createFlusher, type FlusherOptions, ForeignOutboxRowError } from "../../src/workers/flusher.ts";
import { createTestDatabase } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";

const database = await createTestDatabase();
const { pool } = database;
after(() => database.close());
beforeEach(async () => {
  const text = "truncate configure_account_signal, prepare_transfer_signal, finalize_transfer_signal";
  await pool.run({ name: "truncate_outboxes", text });
});

const anyDebtor: ShardingRealm = { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard: parseShard("#")! };
const agent = agentTopology("in", "#");
const withPeer: Topology = {
  ...agent,
  queues: [...agent.queues, { name: "peer", arguments: {} }],
  bindings: [...agent.bindings, { exchange: OUTGOING_EXCHANGE, queue: "peer", bindingKey: "" }],
};

/** A logger that remembers its messages. */
function createTestLog() {
  const messages: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void messages.push(JSON.parse(line).msg) });
  return { log, messages };
}

const flusherOf = (options: Partial<FlusherOptions> & { broker: Broker }) =>
  createFlusher({
    pool,
    outbox: "prepare_transfer",
    burstCount: 100,
    periodSeconds: 0.05,
    realm: anyDebtor,
    deleteParentShardRecords: false,
    log: createTestLog().log,
    ...options,
  });

/** Stores messages as an operation does. */
const record = <Name extends Outbox>(
  outbox: Name,
  messages: Parameters<typeof recordMessages<Name>>[2],
): Promise<void> => pool.transaction(async (tx) => recordMessages(tx, outbox, messages));

const preparation = (debtorId: bigint, coordinatorRequestId = 1n) => ({
  debtorId,
  coordinatorRequestId,
  amount: INT64_MAX,
  recipient: "r",
  ts: now(),
});

const rowCount = async (outbox: Outbox): Promise<bigint | undefined> =>
  (await pool.maybeOne<{ count: bigint }>({ name: `count_${outbox}`, text: `select count(*) from ${outbox}_signal` }))
    ?.count;

/** A broker on which each publication gets the next of these outcomes, and then `confirmed`. */
function brokerWithOutcomes(...outcomes: PublicationOutcome[]) {
  const published: Publication[] = [];
  const broker = createMemoryBroker(withPeer);
  const publish = async (publications: readonly Publication[]): Promise<PublicationOutcome[]> => {
    published.push(...publications);
    return publications.map(() => outcomes.shift() ?? "confirmed");
  };
  return { broker: { ...broker, publish }, published };
}

for (const [what, breakIt, mendIt, reason, event] of [
  [
    "a trigger that raises an error",
    `create function refuse() returns trigger language plpgsql as 'begin raise exception ''not today''; end';
     create trigger refuse before delete on prepare_transfer_signal for each row execute function refuse()`,
    "drop function refuse cascade",
    /not today/,
    "The database cannot be used. The messages are kept and sent later",
  ],
  [
    "a missing column",
    "alter table prepare_transfer_signal rename recipient to elsewhere",
    "alter table prepare_transfer_signal rename elsewhere to recipient",
    /not set up/,
    "The database cannot be used. The messages are kept and sent later",
  ],
] as const) {
  test(`while ${what} keeps the messages from being sent the flusher waits and says why, and then sends them`, async () => {
    const broker = createMemoryBroker(withPeer);
    const health = createHealth();
    const { log, messages } = createTestLog();
    await record("prepare_transfer", [preparation(1n)]);
    await pool.run({ name: "", text: breakIt });
    const life = new AbortController();
    const running = flusherOf({ broker, health, log }).run(life.signal);
    try {
      await Promise.race([running, waitFor(() => health.reasons().some((text) => reason.test(text)))]);
      assert.ok(messages.includes(event));
      await pool.run({ name: "", text: mendIt });
      await waitFor(async () => (await rowCount("prepare_transfer")) === 0n);
      await waitFor(() => health.reasons().length === 0);
    } finally {
      life.abort();
      await running;
    }
  });
}

test("each kind of message is sent with its properties and exact integers, and its row is deleted", async () => {
  const broker = createMemoryBroker(withPeer);
  const ts = now();
  await record("configure_account", [
    { debtorId: INT64_MIN, ts, seqnum: 1, negligibleAmount: 5000, configData: "é", configFlags: 0 },
  ]);
  await record("prepare_transfer", [preparation(INT64_MAX, INT64_MIN)]);
  await record("finalize_transfer", [
    {
      debtorId: INT64_MAX - 1n,
      creditorId: INT64_MIN,
      transferId: INT64_MAX,
      coordinatorId: INT64_MIN + 1n,
      coordinatorRequestId: INT64_MAX - 2n,
      committedAmount: INT64_MAX,
      transferNoteFormat: "",
      transferNote: "",
      ts,
    },
  ]);
  for (const outbox of ["configure_account", "prepare_transfer", "finalize_transfer"] as const) {
    assert.equal(await flusherOf({ broker, outbox }).runOnce(), 1);
    assert.equal(await rowCount(outbox), 0n);
  }
  const [configure, prepare, finalize] = broker.messagesIn("peer");
  assert.deepEqual(configure!.headers, {
    "message-type": "ConfigureAccount",
    "debtor-id": INT64_MIN,
    "creditor-id": 0n,
  });
  assert.equal(prepare!.appId, "swpt_debtors");
  assert.equal(prepare!.headers!["debtor-id"], INT64_MAX);
  assert.equal(prepare!.headers!["coordinator-type"], "issuing");
  assert.equal(finalize!.headers!["creditor-id"], INT64_MIN);
  assert.equal(finalize!.headers!["coordinator-id"], INT64_MIN + 1n);
  const body = parseJson(finalize!.body.toString()) as Record<string, unknown>;
  assert.equal(body.coordinator_request_id, INT64_MAX - 2n);
  assert.equal(body.transfer_id, INT64_MAX);
});

test("exactly the confirmed messages leave the outbox", async () => {
  const { broker, published } = brokerWithOutcomes("confirmed", "returned", "failed", "confirmed");
  await record(
    "prepare_transfer",
    [1n, 2n, 3n, 4n].map((id) => preparation(id)),
  );
  const flusher = flusherOf({ broker });
  assert.equal(await flusher.runOnce(), 2);
  const sent = published.map(({ headers }) => headers["debtor-id"]);
  const kept = await pool.many<{ id: bigint }>({
    name: "kept",
    text: "select debtor_id as id from prepare_transfer_signal",
  });
  assert.deepEqual(kept.map(({ id }) => id).sort(), [sent[1], sent[2]].sort());
  assert.equal(await flusher.runOnce(), 2);
  assert.equal(await rowCount("prepare_transfer"), 0n);
});

test("two flushers at a time share the messages and send each once", async () => {
  const { broker, published } = brokerWithOutcomes();
  await record(
    "prepare_transfer",
    Array.from({ length: 400 }, (_, i) => preparation(7n, BigInt(i))),
  );
  const flush = async (): Promise<void> => {
    const flusher = flusherOf({ broker, burstCount: 50 });
    while ((await flusher.runOnce()) > 0);
  };
  await Promise.all([flush(), flush(), flush()]);
  assert.equal(published.length, 400);
  assert.equal(await rowCount("prepare_transfer"), 0n);
});

test("a message of a foreign debtor stops the flusher, and nothing is sent or lost", async () => {
  const { broker, published } = brokerWithOutcomes();
  const realm = { ...anyDebtor, minDebtorId: 100n };
  await record("prepare_transfer", [preparation(100n), preparation(99n)]);
  const flusher = flusherOf({ broker, realm, deleteParentShardRecords: true });
  await assert.rejects(flusher.run(new AbortController().signal), ForeignOutboxRowError);
  assert.equal(published.length, 0);
  assert.equal(await rowCount("prepare_transfer"), 2n);
});

test("during a split the messages of the other half are deleted unsent, and those of other nodes stop the flusher", async () => {
  const shard = parseShard("0.1.#")!;
  const realm = { ...anyDebtor, shard };
  const ids = Array.from({ length: 200 }, (_, i) => BigInt(i));
  const ours = ids.filter((id) => isInShard(shard, id));
  const theirs = ids.filter((id) => isInShard(parseShard("0.0.#")!, id));
  const foreign = ids.filter((id) => isInShard(parseShard("1.#")!, id));
  await record(
    "prepare_transfer",
    [...ours, ...theirs].map((id) => preparation(id)),
  );
  // Some of ours fail, and stay; the other half goes all the same.
  const { broker, published } = brokerWithOutcomes("failed");
  await assert.rejects(flusherOf({ broker, realm, burstCount: 500 }).runOnce(), /set DELETE_PARENT_SHARD_RECORDS/);
  const flusher = flusherOf({ broker, realm, burstCount: 500, deleteParentShardRecords: true });
  const parent = openPool({ url: database.url, size: 1, applicationName: sessionNameOf("0.#", "webserver") });
  await parent.run({ name: "", text: "select" });
  await assert.rejects(flusher.runOnce(), /Nothing is deleted/);
  await parent.close();
  await waitFor(async () => (await findSessionOfOtherShard(pool, shard.routingKey)) === undefined);
  assert.equal(await flusher.runOnce(), ours.length - 1 + theirs.length);
  assert.deepEqual(new Set(published.map(({ headers }) => headers["debtor-id"])), new Set(ours));
  assert.equal(await rowCount("prepare_transfer"), 1n);
  await record("prepare_transfer", [preparation(foreign[0]!)]);
  await assert.rejects(flusher.runOnce(), /PROTOCOL_BROKER_QUEUE_ROUTING_KEY does not match the database/);
});

test("with no queue bound the messages are kept, and the log says so once", async () => {
  const broker = createMemoryBroker(agent);
  const { log, messages } = createTestLog();
  const returned: number[] = [];
  await record("prepare_transfer", [preparation(1n), preparation(2n)]);
  const metrics = { burst: () => {}, returned: (_: string, count: number) => void returned.push(count) };
  const stop = new AbortController();
  const running = flusherOf({ broker, log, metrics }).run(stop.signal);
  await waitFor(() => returned.length >= 2);
  stop.abort();
  await running;
  assert.equal(messages.filter((message) => /no queue is bound/.test(message)).length, 1);
  assert.equal(await rowCount("prepare_transfer"), 2n);
});

test("readiness gives the broker's words when it refuses messages, until they are sent", async () => {
  const { broker } = brokerWithOutcomes("failed");
  const health = createHealth();
  await record("prepare_transfer", [preparation(1n)]);
  const refusal = "The broker does not take messages: NOT_FOUND";
  const life = new AbortController();
  const running = flusherOf({
    broker: { ...broker, refusalReason: (exchange) => (exchange === OUTGOING_EXCHANGE ? refusal : undefined) },
    health,
  }).run(life.signal);
  await Promise.race([running, waitFor(() => health.reasons().includes(refusal))]);
  await waitFor(() => health.reasons().length === 0);
  assert.equal(await rowCount("prepare_transfer"), 0n);
  life.abort();
  await running;
});

test("a running flusher sends what is there burst after burst, and what comes when it is woken", async () => {
  const broker = createMemoryBroker(withPeer);
  await record(
    "prepare_transfer",
    Array.from({ length: 25 }, (_, i) => preparation(7n, BigInt(i))),
  );
  const stop = new AbortController();
  const flusher = flusherOf({ broker, burstCount: 10, periodSeconds: 3600 });
  const running = flusher.run(stop.signal);
  await waitFor(() => broker.messagesIn("peer").length === 25);
  await record("prepare_transfer", [preparation(8n)]);
  flusher.wake();
  await waitFor(() => broker.messagesIn("peer").length === 26);
  stop.abort();
  await running;
});

test("a flusher waits while the broker or the database is unavailable", async () => {
  const broker = createMemoryBroker(withPeer);
  let isConnected = false;
  let failures = 1;
  const flakyPool: typeof pool = {
    ...pool,
    transaction: async (work) => {
      // The first attempt finds its connection killed before the COMMIT.
      return pool.transaction(async (db) => {
        const result = await work(db);
        if (failures-- > 0)
          await db.run({ name: "terminate_own_backend", text: "select pg_terminate_backend(pg_backend_pid())" });
        return result;
      });
    },
  };
  await record("prepare_transfer", [preparation(1n)]);
  const stop = new AbortController();
  let lookCount = 0;
  const lookAtConnection = (): boolean => {
    lookCount++;
    return isConnected;
  };
  const flusher = flusherOf({ broker: { ...broker, isConnected: lookAtConnection }, pool: flakyPool });
  const running = flusher.run(stop.signal);
  await waitFor(() => lookCount >= 2);
  assert.equal(await rowCount("prepare_transfer"), 1n);
  isConnected = true;
  await waitFor(async () => (await rowCount("prepare_transfer")) === 0n);
  stop.abort();
  await running;
  assert.equal(broker.messagesIn("peer").length, 2, "sent again after the transaction was lost, which is harmless");
});

test("a period that no timer can hold is a long one", async () => {
  const broker = createMemoryBroker(withPeer);
  let lookCount = 0;
  const isConnected = (): boolean => ++lookCount > 0;
  const stop = new AbortController();
  const running = flusherOf({ broker: { ...broker, isConnected }, periodSeconds: 1e9 }).run(stop.signal);
  for (let n = 0; n < 50; n++) await rowCount("prepare_transfer");
  assert.equal(lookCount, 1);
  stop.abort();
  await running;
});
