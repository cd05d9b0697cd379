import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createBatcher, longestBatchWaitSeconds } from "../../src/runtime/batcher.ts";

class Outage extends Error {}
const isOutage = (error: unknown): boolean => error instanceof Outage;

/** A batcher that doubles, each batch taking a turn of the event loop. */
function doubler(sizeMax: number) {
  const batches: number[][] = [];
  const double = createBatcher<number, number>({
    run: async (inputs) => {
      batches.push([...inputs]);
      await new Promise(setImmediate);
      return inputs.map((input) => input * 2);
    },
    sizeMax,
    isOutage,
  });
  return { double, batches };
}

test("a single input is processed at once", async () => {
  const { double, batches } = doubler(100);
  const answer = double(1);
  await new Promise(setImmediate);
  assert.deepEqual(batches, [[1]]);
  assert.equal(await answer, 2);
});

test("inputs that arrive in one turn of the event loop form a batch", async () => {
  const { double, batches } = doubler(100);
  assert.deepEqual(await Promise.all([1, 2, 3, 4].map(double)), [2, 4, 6, 8]);
  assert.deepEqual(batches, [[1, 2, 3, 4]]);
});

test("inputs that arrive while a batch is under way share the next one", async () => {
  const { double, batches } = doubler(100);
  const first = double(1);
  await new Promise(setImmediate);
  assert.deepEqual(await Promise.all([first, ...[2, 3, 4].map(double)]), [2, 4, 6, 8]);
  assert.deepEqual(batches, [[1], [2, 3, 4]]);
});

test("a batch has no more inputs than allowed", async () => {
  const { double, batches } = doubler(2);
  await Promise.all([1, 2, 3, 4].map(double));
  assert.deepEqual(batches, [
    [1, 2],
    [3, 4],
  ]);
});

test("an outage fails the whole batch, and no input is retried", async () => {
  let runs = 0;
  const batcher = createBatcher<number, number>({
    run: async () => {
      runs++;
      await new Promise(setImmediate);
      throw new Outage();
    },
    sizeMax: 10,
    isOutage,
  });
  const results = await Promise.allSettled([batcher(1), batcher(2), batcher(3)]);

  assert.ok(results.every((result) => result.status === "rejected" && result.reason instanceof Outage));
  assert.equal(runs, 1);
});

test("an input that makes its batch fail fails alone", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 40 }),
      fc.integer({ min: 1, max: 10 }),
      async (bad, sizeMax) => {
        const done: number[] = [];
        const batcher = createBatcher<number, number>({
          run: async (inputs) => {
            await new Promise(setImmediate);
            const failing = inputs.find((input) => bad[input]);
            if (failing !== undefined) throw new Error(`input ${failing}`);
            done.push(...inputs);
            return inputs.map((input) => input * 2);
          },
          sizeMax,
          isOutage,
        });
        const results = await Promise.allSettled(bad.map((_, input) => batcher(input)));

        for (const [input, result] of results.entries()) {
          if (bad[input]) assert.equal(result.status === "rejected" && result.reason.message, `input ${input}`);
          else assert.deepEqual(result, { status: "fulfilled", value: input * 2 });
        }
        const good = bad.flatMap((isBad, input) => (isBad ? [] : [input]));
        assert.deepEqual(done, good, "each done once, in order");
      },
    ),
    { numRuns: 50 },
  );
});

test("a batch that gives too few outputs is a failure, not a wrong answer", async () => {
  const batcher = createBatcher<number, number>({ run: async () => [], sizeMax: 10, isOutage });
  await assert.rejects(batcher(1), /an output for each input/);
});

test("the maximum wait includes the batch in progress and the queued inputs", async () => {
  assert.equal(longestBatchWaitSeconds(), 0);
  const { promise, resolve } = Promise.withResolvers<void>();
  const wait = createBatcher<number, number>({
    run: async (inputs) => {
      await promise;
      return inputs;
    },
    sizeMax: 1,
    isOutage,
  });
  const answers = [wait(1), wait(2)];
  const former = performance.now();
  while (performance.now() === former);
  assert.ok(longestBatchWaitSeconds() > 0);
  resolve();
  await Promise.all(answers);
  assert.equal(longestBatchWaitSeconds(), 0);
});
