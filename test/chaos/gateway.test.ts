import { test } from "node:test";
import { seedOfRun, withSeed } from "./random.ts";
import { runRound } from "./round.ts";

const seed = seedOfRun();

test(`nothing is lost, applied twice or contradicted over a connection that breaks, delays and splits, while the processes of both nodes are killed (seed ${seed})`, async (t) => {
  t.diagnostic(
    await withSeed(seed, () => runRound({ seed, seconds: 5, clients: 16, isLinked: true, signal: t.signal })),
  );
});
