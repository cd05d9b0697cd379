/** `create transfer` over HTTP, beside one statement that checks, changes and records a transfer, run by pgbench. */
import { type Figure, sizeTarget } from "./figures.ts";
import { emptyTables, FIRST_DEBTOR_ID, type Fixture } from "./fixture.ts";
import { runHttpLoad } from "./load/http-load.ts";
import { runPgbench } from "./pgbench.ts";
import type { Bench, Plan } from "./plan.ts";
import { startServing } from "./product.ts";
import { compareWithLimit } from "./with-limit.ts";

const STATEMENT = `
with debtor_of_it as (
  update debtor
  set running_transfers_count = running_transfers_count + 1, actions_count = actions_count + 1
  where debtor_id = :debtor_id and status_flags & 3 = 1 and actions_count < 2000000000
    and running_transfers_count < 2000000000
  returning debtor_id
), transfer as (
  insert into running_transfer
    (debtor_id, transfer_uuid, amount, recipient_uri, recipient, transfer_note_format, transfer_note, initiated_at)
  select debtor_id, gen_random_uuid(), 1000, 'swpt:' || debtor_id || '/holder', 'holder', '.', 'Thank you!', now()
  from debtor_of_it
  returning initiated_at, debtor_id, coordinator_request_id, amount, recipient
)
insert into prepare_transfer_signal (inserted_at, debtor_id, coordinator_request_id, amount, recipient)
select initiated_at, debtor_id, coordinator_request_id, amount, recipient from transfer`;

export async function benchCreateTransfer(bench: Bench): Promise<Figure[]> {
  return compareWithLimit(bench, {
    name: "create transfer",
    ratioMin: 0.5,
    sizeTarget,
    start: (fixture) => startServing("webserver", fixture),
    runOurs: async (fixture, { port }) => {
      const job = { ...jobOf(bench, fixture.debtorCount), port, what: "create-transfer", who: "user" } as const;
      return checked(fixture, bench.plan, await runHttpLoad(job));
    },
    runLimit: async (fixture) => checked(fixture, bench.plan, await runPgbench(fixture, STATEMENT, bench.plan)),
    afterEach: emptyTables,
  });
}

/** Throws unless there are about as many transfers and messages as the rate says; pgbench does not count its first moments. */
async function checked({ client }: Fixture, { seconds }: Plan, rate: number): Promise<number> {
  const { rows } = await client.query(
    "select least((select count(*) from running_transfer), (select count(*) from prepare_transfer_signal)) as count",
  );
  if (Number(rows[0].count) < rate * seconds * 0.5) throw new Error(`${rate}/s, but ${rows[0].count} transfers`);
  return rate;
}

const jobOf = ({ plan: { clients, seconds } }: Bench, debtorCount: number) => ({
  clients,
  seconds,
  debtorCount,
  firstDebtorId: FIRST_DEBTOR_ID,
});
