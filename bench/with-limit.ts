/** A rate of the program beside the limit of its parts, with few and with many debtors, interleaved. */
import type { Figure, Target } from "./figures.ts";
import type { Fixture } from "./fixture.ts";
import type { Bench } from "./plan.ts";
import { type Contender, median, medianRatio, runRounds } from "./rounds.ts";

export interface Comparison<Started extends AsyncDisposable> {
  readonly name: string;
  /** The ratio to be reached. */
  readonly ratioMin: number;
  /** For the rate with many debtors to the rate with few. */
  readonly sizeTarget: Target;
  /** Starts the program's processes. */
  readonly start: (fixture: Fixture) => Promise<Started>;
  /** Both resolve to a rate per second. */
  readonly runOurs: (fixture: Fixture, started: Started) => Promise<number>;
  readonly runLimit: (fixture: Fixture) => Promise<number>;
  /** Called after each measurement. */
  readonly afterEach: (fixture: Fixture) => Promise<void>;
}

/** One figure for each number of debtors, and their ratio. */
export async function compareWithLimit<Started extends AsyncDisposable>(
  { plan, fixtures }: Bench,
  { name, ratioMin, sizeTarget, start, runOurs, runLimit, afterEach }: Comparison<Started>,
): Promise<Figure[]> {
  await using processes = new AsyncDisposableStack();
  const contenders: Contender[] = [];
  for (const fixture of fixtures) {
    const started = processes.use(await start(fixture));
    const measured = (who: string, run: () => Promise<number>): Contender => ({
      name: nameOf(who, fixture),
      run: async () => {
        const rate = await run();
        await afterEach(fixture);
        return rate;
      },
    });
    const ours = measured("ours", () => runOurs(fixture, started));
    if (plan.isWarmedUp) await ours.run(); // Both shall be warm: our code compiled, the tables read.
    contenders.push(
      ours,
      measured("limit", () => runLimit(fixture)),
    );
  }
  const rounds = await runRounds(contenders, plan.rounds);
  const of = (who: string, fixture: Fixture): number[] => rounds[nameOf(who, fixture)]!;
  const figures = fixtures.map(
    (fixture): Figure => ({
      name,
      debtors: fixture.debtorCount,
      unit: "1/s",
      value: median(of("ours", fixture)),
      limit: median(of("limit", fixture)),
      ratio: medianRatio(of("ours", fixture), of("limit", fixture)),
      target: { of: "ratio", atLeast: ratioMin },
      rounds: { ours: of("ours", fixture), limit: of("limit", fixture) },
    }),
  );
  const [few, many] = fixtures;
  if (few === undefined || many === undefined) return figures;
  return [
    ...figures,
    {
      name: `${name}, many debtors to few`,
      unit: "ratio",
      value: medianRatio(of("ours", many), of("ours", few)),
      limit: medianRatio(of("limit", many), of("limit", few)),
      target: sizeTarget,
    },
  ];
}

const nameOf = (who: string, { debtorCount }: Fixture): string => `${who} ${debtorCount}`;
