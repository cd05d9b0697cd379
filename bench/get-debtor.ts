/** `get debtor` over HTTP, beside a select of the same columns, run by pgbench. */
import { DEBTOR_COLUMNS } from "../src/database/debtors.ts";
import { type Figure, sizeTarget } from "./figures.ts";
import { FIRST_DEBTOR_ID } from "./fixture.ts";
import { runHttpLoad } from "./load/http-load.ts";
import { runPgbench } from "./pgbench.ts";
import type { Bench } from "./plan.ts";
import { startServing } from "./product.ts";
import { compareWithLimit } from "./with-limit.ts";

const STATEMENT = `select ${DEBTOR_COLUMNS} from debtor where debtor_id = :debtor_id`;

export async function benchGetDebtor(bench: Bench): Promise<Figure[]> {
  const { clients, seconds } = bench.plan;
  return compareWithLimit(bench, {
    name: "get debtor",
    ratioMin: 0.2,
    sizeTarget,
    start: (fixture) => startServing("webserver", fixture),
    runOurs: ({ debtorCount }, { port }) =>
      runHttpLoad({
        port,
        what: "get-debtor",
        who: "user",
        firstDebtorId: FIRST_DEBTOR_ID,
        debtorCount,
        clients,
        seconds,
      }),
    runLimit: (fixture) => runPgbench(fixture, STATEMENT, bench.plan),
    afterEach: async () => {},
  });
}
