/** How long it takes from a client's POST until the message about it is in the broker, under `all`. */
import { randomInt, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Figure, Target } from "./figures.ts";
import { emptyTables, FIRST_DEBTOR_ID, type Fixture, renewMarks } from "./fixture.ts";
import type { Bench } from "./plan.ts";
import { type Served, startServing } from "./product.ts";
import { connectTo, declareOutgoingQueue, OUTGOING_QUEUE } from "./queue.ts";
import { type Contender, median, quantile, runRounds } from "./rounds.ts";

const MEDIAN_TARGET: Target = { of: "value", below: 20 };
/** A single client sends at irregular intervals, out of step with the program's timers. */
const PAUSE_MILLIS_MAX = 30;

export async function benchLatency({ plan, fixtures, brokerUrl }: Bench): Promise<Figure[]> {
  await declareOutgoingQueue(brokerUrl);
  await using arrivals = await awaitArrivals(brokerUrl);
  const contenders: (Contender & { fixture: Fixture })[] = [];
  await using processes = new AsyncDisposableStack();
  for (const fixture of fixtures) {
    await renewMarks(fixture);
    const served = processes.use(await startServing("all", fixture));
    const run = () => timeRequest(fixture, served, arrivals);
    for (let i = 0; i < plan.timedRequests / 4; i++) await run(); // All parts of it are up and warm.
    contenders.push({ name: String(fixture.debtorCount), fixture, run });
  }
  const rounds = await runRounds(contenders, plan.timedRequests);
  const figures = contenders.flatMap(({ name, fixture: { debtorCount } }): Figure[] => {
    const millis = rounds[name]!;
    const common = { debtors: debtorCount, unit: "ms" } as const;
    return [
      { name: "POST to broker, median", ...common, value: median(millis), target: MEDIAN_TARGET, rounds: { millis } },
      { name: "POST to broker, 99 of 100", ...common, value: quantile(millis, 0.99) },
    ];
  });
  const [few, many] = contenders;
  for (const { fixture } of contenders) await emptyTables(fixture);
  if (few === undefined || many === undefined) return figures;
  return [
    ...figures,
    {
      name: "POST to broker, many debtors to few",
      unit: "ratio",
      value: median(rounds[many.name]!) / median(rounds[few.name]!),
      target: { of: "value", below: 1.2 },
    },
  ];
}

/** Milliseconds from the sending of the request until its message arrives. */
async function timeRequest({ debtorCount }: Fixture, { port }: Served, arrivals: Arrivals): Promise<number> {
  await pause(randomInt(PAUSE_MILLIS_MAX));
  const id = FIRST_DEBTOR_ID + randomInt(debtorCount);
  const recipient = `holder-${randomUUID()}`;
  const arrival = arrivals.of(recipient);
  const startedAt = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}/debtors/${id}/transfers/`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-swpt-user-id": `debtors:${id}` },
    body: `{"transferUuid":"${randomUUID()}","recipient":{"uri":"swpt:${id}/${recipient}"},"amount":1000}`,
  });
  if (response.status !== 201) throw new Error(`POST was answered with ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
  return (await arrival) - startedAt;
}

interface Arrivals extends AsyncDisposable {
  /** Resolves to when the message with this recipient came. */
  of(recipient: string): Promise<number>;
}

async function awaitArrivals(brokerUrl: string): Promise<Arrivals> {
  const connection = await connectTo(brokerUrl);
  const channel = await connection.createChannel();
  const awaited = new Map<string, (at: number) => void>();
  await channel.consume(
    OUTGOING_QUEUE,
    (message) => {
      const at = performance.now();
      const { recipient } = JSON.parse(message!.content.toString()) as { recipient?: string };
      awaited.get(recipient ?? "")?.(at);
    },
    { noAck: true },
  );
  return {
    of: (recipient) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("A message has not come in 30 s")), 30_000);
        awaited.set(recipient, (at) => {
          clearTimeout(timer);
          awaited.delete(recipient);
          resolve(at);
        });
      }),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
