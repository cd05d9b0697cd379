import { test } from "node:test";
import { seedOfRun, withSeed } from "./random.ts";
import { playRound } from "./round.ts";

const seed = seedOfRun();

test(`whatever is killed, cut off, lost, repeated and reordered: nothing is lost, doubled or contradicted (seed ${seed})`, async (t) => {
  t.diagnostic(await withSeed(seed, () => playRound({ seed, seconds: 12, clients: 32 })));
});
