import { test } from "node:test";
import { seedOfRun, withSeed } from "../chaos/random.ts";
import { runRound } from "../chaos/round.ts";

/** How long to go on. */
const seconds = Number(process.env.SOAK_SECONDS || 600);
const ROUND_SECONDS = 40;
const firstSeed = seedOfRun();

test(`repeated rounds of chaos lose, double and contradict nothing (from seed ${firstSeed})`, async (t) => {
  const end = performance.now() + seconds * 1000;
  for (let round = 0; performance.now() < end; round++) {
    const seed = firstSeed + round;
    const summary = await withSeed(seed, () =>
      runRound({ seed, seconds: ROUND_SECONDS, clients: 32, signal: t.signal }),
    );
    t.diagnostic(`round ${round + 1}, seed ${seed}: ${summary}`);
  }
});
