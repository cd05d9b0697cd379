/** A rate of ours beside that of the parts themselves, with few and with many debtors, all interleaved. */
import type { Figure, Target } from "./figures.ts";
import type { Bench } from "./plan.ts";
import { type Contender, median, medianRatio, runRounds } from "./rounds.ts";
import type { Stage } from "./stage.ts";

export interface Comparison<Started extends AsyncDisposable> {
  readonly name: string;
  /** The ratio to be reached. */
  readonly ratioMin: number;
  /** For the rate with many debtors to the rate with few. */
  readonly sizeTarget: Target;
  /** Starts our processes. */
  readonly start: (stage: Stage) => Promise<Started>;
  /** Both resolve to a rate per second. */
  readonly runOurs: (stage: Stage, started: Started) => Promise<number>;
  readonly runLimit: (stage: Stage) => Promise<number>;
  /** Called after each measurement. */
  readonly afterEach: (stage: Stage) => Promise<void>;
}

/** One figure for each number of debtors, and what they are to one another. */
export async function compareWithLimit<Started extends AsyncDisposable>(
  { plan, stages }: Bench,
  { name, ratioMin, sizeTarget, start, runOurs, runLimit, afterEach }: Comparison<Started>,
): Promise<Figure[]> {
  await using processes = new AsyncDisposableStack();
  const contenders: Contender[] = [];
  for (const stage of stages) {
    const started = processes.use(await start(stage));
    const measured = (who: string, run: () => Promise<number>): Contender => ({
      name: nameOf(who, stage),
      run: async () => {
        const rate = await run();
        await afterEach(stage);
        return rate;
      },
    });
    const ours = measured("ours", () => runOurs(stage, started));
    if (plan.isWarmedUp) await ours.run(); // Both shall be warm: our code compiled, the tables read.
    contenders.push(
      ours,
      measured("limit", () => runLimit(stage)),
    );
  }
  const rounds = await runRounds(contenders, plan.rounds);
  const of = (who: string, stage: Stage): number[] => rounds[nameOf(who, stage)]!;
  const figures = stages.map(
    (stage): Figure => ({
      name,
      debtors: stage.debtorCount,
      unit: "1/s",
      value: median(of("ours", stage)),
      limit: median(of("limit", stage)),
      ratio: medianRatio(of("ours", stage), of("limit", stage)),
      target: { of: "ratio", atLeast: ratioMin },
      rounds: { ours: of("ours", stage), limit: of("limit", stage) },
    }),
  );
  const [few, many] = stages;
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

const nameOf = (who: string, { debtorCount }: Stage): string => `${who} ${debtorCount}`;
