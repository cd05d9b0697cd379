import assert from "node:assert/strict";
import { test } from "node:test";
import { startStep } from "../../src/runtime/startup.ts";

const never = (): Promise<never> => new Promise(() => {});

test("a step that takes long says so once, and is given up when its time is over", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const lines: string[] = [];
  const { signal } = new AbortController();
  const step = startStep(
    { what: "creating the tables", secondsMax: 60, signal, onProgress: (line) => lines.push(line) },
    never,
  );
  const isGivenUp = assert.rejects(step, /^CommandError: Gave up after 60 seconds of creating the tables\.$/);
  t.mock.timers.tick(2_000);
  assert.deepEqual(lines, []);
  t.mock.timers.tick(50_000);
  assert.deepEqual(lines, ["Still creating the tables …"]);
  t.mock.timers.tick(60_000);
  await isGivenUp;
  assert.equal(lines.length, 1);
});

test("a step is not begun when the program has been told to stop", async () => {
  let isBegun = false;
  const options = { what: "creating the tables", secondsMax: 60, signal: AbortSignal.abort(), onProgress: () => {} };
  const step = startStep(options, async () => {
    isBegun = true;
  });
  await assert.rejects(step, /^CommandError: Stopped while creating the tables\.$/);
  assert.equal(isBegun, false);
});
