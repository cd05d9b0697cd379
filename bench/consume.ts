/** How fast one consumer process works off a queue that is full, for each type of message. */
import { INCOMING_EXCHANGE } from "../src/broker/agent-topology.ts";
import { findFreePort } from "../test/support/command.ts";
import { type Figure, sizeTarget } from "./figures.ts";
import { emptyTables, type Fixture, QUEUE } from "./fixture.ts";
import { checkEffects, type MessageType, prepareMessages } from "./incoming.ts";
import type { Bench } from "./plan.ts";
import { startProduct, waitUntil } from "./product.ts";
import { publishAll, watchQueue } from "./queue.ts";
import { type Contender, median, medianRatio, runRounds } from "./rounds.ts";

const RATE_MIN: Partial<Record<MessageType, number>> = { AccountUpdate: 5_000, PreparedTransfer: 5_000 };

/**
 * Each of these changes a debtor once. Of as many messages, with few debtors most are repetitions that change nothing, with
 * many debtors each is a change. So the ratio of the two is printed, without a target.
 */
const ONCE_A_DEBTOR: ReadonlySet<MessageType> = new Set(["RejectedConfig", "AccountPurge", "ActivateDebtor"]);

export async function benchConsume({ plan, fixtures, brokerUrl }: Bench): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const type of plan.messageTypes) {
    const contenders = fixtures.map(
      (fixture): Contender => ({
        name: String(fixture.debtorCount),
        run: () => consumeMessages(fixture, brokerUrl, type, plan.consumedMessages),
      }),
    );
    const rounds = await runRounds(contenders, plan.rounds);
    const target = RATE_MIN[type] === undefined ? undefined : ({ of: "value", atLeast: RATE_MIN[type] } as const);
    for (const { debtorCount } of fixtures) {
      const rates = rounds[debtorCount]!;
      figures.push({
        name: `consume ${type}`,
        debtors: debtorCount,
        unit: "1/s",
        value: median(rates),
        rounds: { ours: rates },
        target,
      });
    }
    const [few, many] = fixtures;
    if (few === undefined || many === undefined) continue;
    const value = medianRatio(rounds[many.debtorCount]!, rounds[few.debtorCount]!);
    const isFair = !ONCE_A_DEBTOR.has(type);
    figures.push({
      name: `consume ${type}, many debtors to few`,
      unit: "ratio",
      value,
      target: isFair ? sizeTarget : undefined,
    });
  }
  return figures;
}

/**
 * Messages per second, from just before the consumer acknowledges its first messages (it then holds as many as its prefetch
 * allows, so its start does not count) until the queue is empty and it holds as many again.
 */
async function consumeMessages(fixture: Fixture, brokerUrl: string, type: MessageType, count: number): Promise<number> {
  await emptyTables(fixture);
  const bodies = await prepareMessages(fixture, type, count);
  await publishAll(brokerUrl, INCOMING_EXCHANGE, type, bodies);
  await fixture.client.query("checkpoint");
  await using watch = await watchQueue(brokerUrl, QUEUE);
  await watch.until((ready) => ready === count);

  const metricsPort = await findFreePort();
  const consumer = startProduct("consume_messages", { ...fixture.environment, METRICS_PORT: String(metricsPort) });
  await using _ = consumer;
  const prefetch = Number(fixture.environment.PROTOCOL_BROKER_PREFETCH_COUNT);
  const begun = await watch.until((ready) => ready < count - prefetch);
  const ended = await watch.until((ready) => ready === 0);
  await waitUntil(consumer, async () => (await countApplied(metricsPort)) === count, "all messages to be applied");
  const exit = await consumer.stop();
  if (exit.code !== 0) throw new Error(`The consumer ended with ${exit.code}:\n${consumer.output()}`);
  // What it had not acknowledged would be back.
  await watch.until((ready) => ready === 0);
  await checkEffects(fixture, type, count);
  await emptyTables(fixture);
  return ((count - prefetch) * 1000) / (ended.at - begun.beforeAt);
}

/** How many messages the consumer says it has applied. */
async function countApplied(metricsPort: number): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return Number(/^swpt_debtors_messages_total\{.*outcome="applied".*\} (\d+)$/m.exec(metrics)?.[1]);
}
