import { test } from "node:test";
import { seedOfRun, withSeed } from "./random.ts";
import { runRound } from "./round.ts";

const seed = seedOfRun();

test(`nothing is lost, doubled or contradicted when processes are killed, connections cut, and messages lost, repeated and reordered (seed ${seed})`, async (t) => {
  t.diagnostic(await withSeed(seed, () => runRound({ seed, seconds: 12, clients: 32, signal: t.signal })));
});
