/**
 * `create transfer` in a new database, before autovacuum has come by: the last seconds beside the first. The rate falls
 * when a statement is planned in a way that is right for empty tables only.
 */
import type { Figure } from "./figures.ts";
import { createFixture, FIRST_DEBTOR_ID, type Fixture } from "./fixture.ts";
import { runHttpLoad } from "./load/http-load.ts";
import type { Bench, Plan } from "./plan.ts";
import { startServing } from "./product.ts";
import { median, medianRatio } from "./rounds.ts";

const WARM_UP_SECONDS = 1;

export async function benchColdStart({ plan, fixtures, brokerUrl }: Bench): Promise<Figure[]> {
  const { debtorCount } = fixtures[0]!;
  const first: number[] = [];
  const last: number[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    await using fixture = await createFixture(debtorCount, brokerUrl, { isNew: true });
    const rates = await measure(fixture, plan);
    first.push(rates.first);
    last.push(rates.last);
  }
  return [
    {
      name: `create transfer in a new database, last ${plan.coldStart.edgeSeconds} s to first`,
      debtors: debtorCount,
      unit: "1/s",
      value: median(last),
      limit: median(first),
      ratio: medianRatio(last, first),
      target: { of: "ratio", atLeast: 0.9 },
      rounds: { last, first },
    },
  ];
}

/** Resolves to the rates per second at the beginning and at the end. */
async function measure(fixture: Fixture, plan: Plan): Promise<{ first: number; last: number }> {
  const { edgeSeconds, middleSeconds } = plan.coldStart;
  await using server = await startServing("webserver", fixture);
  const load = (seconds: number): Promise<number> =>
    runHttpLoad({
      port: server.port,
      what: "create-transfer",
      who: "user",
      firstDebtorId: FIRST_DEBTOR_ID,
      debtorCount: fixture.debtorCount,
      clients: plan.clients,
      seconds,
    });
  // Connections are opened and code is compiled. Without it the first seconds would be slow, and hide that the last ones are.
  await load(WARM_UP_SECONDS);
  const first = await load(edgeSeconds);
  const middle = await load(middleSeconds);
  const last = await load(edgeSeconds);
  await check(fixture, (first + last) * edgeSeconds + middle * middleSeconds);
  return { first, last };
}

/** Throws unless there are at least so many transfers and messages, and the statistics still say that there are none. */
async function check({ client }: Fixture, expected: number): Promise<void> {
  const { rows } = await client.query(`
    select least((select count(*) from running_transfer), (select count(*) from prepare_transfer_signal)) as count,
      (select max(reltuples) from pg_class where relname in ('debtor', 'running_transfer', 'prepare_transfer_signal'))
        as estimate`);
  const { count, estimate } = rows[0] as { count: string; estimate: number };
  // The times over which the rates are taken are not exact.
  if (Number(count) < expected * 0.95)
    throw new Error(`${expected} transfers should have been created, but there are ${count}`);
  if (estimate !== 0) throw new Error(`The statistics say that a table has ${estimate} rows`);
}
