/** Reproducible randomness: a test draws everything from one seed, which is printed when the test fails. */
import { createRandom } from "../../sandbox/accounting-authority/random.ts";

/** A stream of random values. */
export interface SeededRandom {
  /** From 0 to below 1. */
  next(): number;
  /** True with the probability. */
  chance(probability: number): boolean;
  /** An integer from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  pick<Thing>(things: readonly Thing[]): Thing;
  /** One of the names, each as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name;
  bytes(length: number): Buffer;
  int64(): bigint;
  uuid(): string;
}

export function createSeededRandom(seed: number): SeededRandom {
  const next = createRandom(seed);
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => integer(0, 255)));
  return {
    next,
    chance: (probability) => next() < probability,
    integer,
    pick: (things) => things[integer(0, things.length - 1)]!,
    weighted: <Name extends string>(weights: Readonly<Record<Name, number>>): Name => {
      const entries = Object.entries(weights) as [Name, number][];
      let rest = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [name, weight] of entries) {
        rest -= weight;
        if (rest < 0) return name;
      }
      return entries.at(-1)![0];
    },
    bytes,
    int64: () => bytes(8).readBigInt64BE(),
    uuid: () => {
      const hex = bytes(16).toString("hex");
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    },
  };
}

/** The seed of this run: TEST_SEED, or a new one. */
export const seedOfRun = (): number => Number(process.env.TEST_SEED || Math.floor(Math.random() * 2 ** 31));

/** Does the work, and adds the seed to the error when it fails. */
export async function withSeed<Result>(seed: number, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`With TEST_SEED=${seed}: ${message}`, { cause: error });
  }
}
