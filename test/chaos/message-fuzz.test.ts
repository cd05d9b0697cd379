import assert from "node:assert/strict";
import { test } from "node:test";
import amqp from "amqplib";
import { pino } from "pino";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { activateNewDebtor } from "../../src/operations/debtors.ts";
import { createTransferBatcher } from "../../src/operations/transfers.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { parseShard } from "../../src/values/shard.ts";
import { createConsumer } from "../../src/workers/consumer.ts";
import { bodyOf } from "../messages/sample-messages.ts";
import { newTransfer } from "../operations/ledger.ts";
import { createTestDatabase } from "../support/database.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { drawMessage, type FuzzedRecords } from "./fuzzed-messages.ts";
import { createSeededRandom, seedOfRun, withSeed } from "./random.ts";

const seed = seedOfRun();
const MESSAGES = Number(process.env.FUZZ_MESSAGES || 5_000);
/** After so many messages comes one that is good, and must have its effect. */
const PER_NEIGHBOR = 5;
const QUEUE = "in";
const FIRST_NEIGHBOR_ID = 9_000_000_000_000_000_000n;

test(`any AMQP message is acknowledged or dead-lettered with a reason, and does not affect the messages around it (seed ${seed})`, async (t) => {
  await withSeed(seed, async () => {
    const random = createSeededRandom(seed);
    await using database = await createTestDatabase();
    const { pool } = database;
    await using host = await createTestVirtualHost();
    const records: FuzzedRecords = { debtorIds: [1n, 2n, -3n, INT64_MIN, INT64_MAX], coordinatorRequestIds: [] };
    const requestIds = records.coordinatorRequestIds as bigint[];
    const create = createTransferBatcher(pool, { actionsPerMonthMax: 1000 });
    for (const debtorId of records.debtorIds.slice(0, 4)) {
      await activateNewDebtor(pool, debtorId);
      for (let n = 0; n < 10; n++) {
        const { transfer } = await create(newTransfer(debtorId, n));
        requestIds.push(transfer.coordinatorRequestId);
      }
    }
    // The dead letters go to a queue that can be counted, and that no version of RabbitMQ drops them for.
    await using connection = await connectTo(host.url);
    const channel = await connection.model.createConfirmChannel();
    await channel.assertQueue(`${QUEUE}.XQ`);
    await channel.assertQueue(QUEUE, {
      durable: true,
      arguments: {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": `${QUEUE}.XQ`,
      },
    });

    const rejections: string[] = [];
    const problems: string[] = [];
    const counted = { applied: 0, rejected: 0, foreign: 0 };
    const log = pino({ level: "warn" }, { write: (line: string) => note(JSON.parse(line)) });
    const note = ({ msg, reason, level }: { msg: string; reason?: string; level: number }): void => {
      if (msg === "A message is rejected") rejections.push(reason ?? "");
      else if (level >= 50) problems.push(msg);
    };
    const broker = await connectRabbitMq({ url: host.url, connectionName: "fuzzed", log });
    const stopper = new AbortController();
    const running = createConsumer({
      pool,
      broker,
      queue: QUEUE,
      realm: { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard: parseShard("#")! },
      prefetchCount: 100,
      prefetchSize: 0,
      batches: 2,
      drain: false,
      log,
      metrics: { count: (_, outcome) => void counted[outcome]++, batch: () => {}, stopped: () => {} },
    }).run(stopper.signal);
    let end: string | undefined;
    running.then(
      () => {
        end = "it stopped";
      },
      (error: unknown) => {
        end = String(error instanceof Error ? error.stack : error);
      },
    );

    let neighbors = 0;
    for (let n = 0; n < MESSAGES; n++) {
      const { body, properties } = drawMessage(random, records);
      channel.sendToQueue(QUEUE, body, properties);
      if (n % PER_NEIGHBOR !== 0) continue;
      const transferId = String(FIRST_NEIGHBOR_ID + BigInt(neighbors++));
      const neighbor = bodyOf("PreparedTransfer", { transfer_id: transferId, coordinator_request_id: "-1" });
      channel.sendToQueue(QUEUE, Buffer.from(neighbor), { contentType: "application/json", type: "PreparedTransfer" });
    }
    await channel.waitForConfirms();

    const total = MESSAGES + neighbors;
    await waitFor(
      () => {
        if (end !== undefined) throw new Error(`The consumer has ended: ${end}`);
        return counted.applied + counted.rejected + counted.foreign >= total;
      },
      { what: () => `all ${total} messages to be dealt with: ${JSON.stringify(counted)}`, timeoutSeconds: 60 },
    );
    stopper.abort();
    await running;
    await broker.close();

    assert.deepEqual(problems, []);
    assert.equal(counted.applied + counted.rejected, total, "none is done twice, none is foreign");
    assert.equal(rejections.filter((reason) => reason !== "").length, counted.rejected, "each has a reason");
    await waitFor(async () => (await channel.checkQueue(`${QUEUE}.XQ`)).messageCount === counted.rejected, {
      what: "the dead letters",
    });
    assert.equal((await channel.checkQueue(QUEUE)).messageCount, 0);
    const dismissed = await pool.many({
      name: "test_neighbors",
      text: "select from finalize_transfer_signal where transfer_id >= $1::bigint and committed_amount = 0",
      values: [FIRST_NEIGHBOR_ID],
    });
    assert.ok(dismissed.length >= neighbors, `${dismissed.length} of ${neighbors} neighbors had their effect`);
    const kinds = Object.groupBy(rejections, (reason) => reason.replace(/[^a-z :]/gi, "").slice(0, 40));
    t.diagnostic(`${JSON.stringify(counted)}; ${Object.keys(kinds).length} kinds of reasons`);
  });
});

/** A connection that closes with its block. */
async function connectTo(url: string) {
  const model = await amqp.connect(url);
  return { model, [Symbol.asyncDispose]: () => model.close() };
}
