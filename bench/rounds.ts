/** Measures several contenders side by side on a noisy machine. */

/** Something that is measured once per round. */
export interface Contender {
  readonly name: string;
  /** Resolves to the figure of this round. */
  readonly run: () => Promise<number>;
}

/**
 * Runs all contenders in each round, first forwards, then backwards, and so on, so that a disturbance hits all of them.
 * Resolves to the figures of each, in the order of the rounds.
 */
export async function runRounds<const Name extends string>(
  contenders: readonly (Contender & { readonly name: Name })[],
  rounds: number,
): Promise<Record<Name, number[]>> {
  const figures = Object.fromEntries(contenders.map(({ name }) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of round % 2 === 0 ? contenders : contenders.toReversed()) figures[name].push(await run());
  }
  return figures;
}

export const median = (figures: readonly number[]): number => quantile(figures, 0.5);

/** The quantile of the figures. */
export function quantile(figures: readonly number[], part: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * part;
  const low = sorted[Math.floor(position)]!;
  return low + (sorted[Math.ceil(position)]! - low) * (position % 1);
}

/** The median of the ratios within each round: what disturbs a round disturbs both. */
export const medianRatio = (figures: readonly number[], references: readonly number[]): number =>
  median(figures.map((figure, round) => figure / references[round]!));
