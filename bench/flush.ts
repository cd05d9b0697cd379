/** How fast one flusher process empties its outbox, beside a bare publisher of the same messages. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Figure, sizeTarget } from "./figures.ts";
import { FIRST_DEBTOR_ID, type Fixture, renewMarks } from "./fixture.ts";
import type { Bench } from "./plan.ts";
import { startProduct, waitUntil } from "./product.ts";
import { declareOutgoingQueue, OUTGOING_QUEUE, type Watch, watchQueue } from "./queue.ts";
import { compareWithLimit } from "./with-limit.ts";

/** The documented burst, for both. */
const BURST_COUNT = 5_000;

export async function benchFlush(bench: Bench): Promise<Figure[]> {
  const { plan, brokerUrl } = bench;
  await declareOutgoingQueue(brokerUrl);
  await using watch = await watchQueue(brokerUrl, OUTGOING_QUEUE);
  return await compareWithLimit(bench, {
    name: "flush PrepareTransfer",
    ratioMin: 0.7,
    sizeTarget,
    start: async () => ({ [Symbol.asyncDispose]: async () => {} }),
    runOurs: (fixture) => flushRows(fixture, watch, plan.flushedMessages),
    runLimit: () => publishBare(brokerUrl, watch, plan.flushedMessages),
    afterEach: async () => {
      await watch.channel.purgeQueue(OUTGOING_QUEUE);
      await watch.until((ready) => ready === 0);
    },
  });
}

async function flushRows(fixture: Fixture, watch: Watch, count: number): Promise<number> {
  await renewMarks(fixture);
  await fixture.client.query("truncate prepare_transfer_signal");
  await fixture.client.query(`
    insert into prepare_transfer_signal (inserted_at, debtor_id, coordinator_request_id, amount, recipient)
    select now(), ${FIRST_DEBTOR_ID} + i % ${fixture.debtorCount}, i, 1000, 'holder'
    from generate_series(1, ${count}) as i`);
  await fixture.client.query("vacuum analyze prepare_transfer_signal");
  await fixture.client.query("checkpoint");
  const flusher = startProduct("flush_prepare_transfers", fixture.environment);
  await using _ = flusher;
  const rate = await measureArrival(watch, count);
  const isEmpty = async (): Promise<boolean> => {
    const { rows } = await fixture.client.query("select count(*) from prepare_transfer_signal");
    return rows[0].count === "0";
  };
  await waitUntil(flusher, isEmpty, "the outbox to be empty");
  return rate;
}

async function publishBare(brokerUrl: string, watch: Watch, count: number): Promise<number> {
  const program = fileURLToPath(new URL("bare-publisher.ts", import.meta.url));
  const parameters = [brokerUrl, String(count), String(BURST_COUNT)];
  const publisher = spawn(process.execPath, [program, ...parameters], { stdio: ["ignore", "inherit", "inherit"] });
  const ended = once(publisher, "close");
  const rate = await measureArrival(watch, count);
  const [code] = await ended;
  if (code !== 0) throw new Error(`The bare publisher ended with ${code}`);
  return rate;
}

/** Messages per second, from the end of the first burst to the end of the last one: so many whole bursts. */
async function measureArrival(watch: Watch, count: number): Promise<number> {
  const first = await watch.until((ready) => ready >= BURST_COUNT);
  const last = await watch.until((ready) => ready === count);
  return ((last.count - first.count) * 1000) / (last.at - first.at);
}
