import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { createConcurrencyLimit, TooBusyError } from "../../src/http/auth/concurrency-limit.ts";

const never = new AbortController().signal;

test("tasks start in the order in which they came, and no more run or wait than allowed", async () => {
  const limit = createConcurrencyLimit({ runningMax: 1, waitingMax: 2 });
  const begun: string[] = [];
  const finish = new Map<string, () => void>();
  const run = (name: string): Promise<void> =>
    limit.run(() => {
      begun.push(name);
      return new Promise((resolve) => finish.set(name, resolve));
    }, never);

  const tasks = [run("a"), run("b"), run("c")];
  await assert.rejects(run("d"), TooBusyError);
  for (const name of ["a", "b", "c"]) {
    assert.equal(begun.at(-1), name);
    finish.get(name)!();
    await tasks.shift();
    await turn();
  }
  assert.deepEqual(begun, ["a", "b", "c"]);
});

test("a task that is aborted while waiting frees its place in the queue", async () => {
  const limit = createConcurrencyLimit({ runningMax: 1, waitingMax: 1 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = limit.run(() => promise, never);
  const aborted = new AbortController();
  const second = limit.run(() => assert.fail("it has given up"), aborted.signal);
  aborted.abort(new Error("enough"));
  await assert.rejects(second, /enough/);
  const third = limit.run(async () => "third", never);
  resolve();
  await first;
  assert.equal(await third, "third");
});

test("when tasks succeed, fail or are aborted, the limits hold and every slot is released", async () => {
  const task = fc.record({ turns: fc.nat(4), fails: fc.boolean(), givesUpAfter: fc.option(fc.nat(4)) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(task, { maxLength: 30 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(30),
      async (tasks, runningMax, waitingMax) => {
        const limit = createConcurrencyLimit({ runningMax, waitingMax });
        let running = 0;
        let runningMost = 0;
        const settled = await Promise.allSettled(
          tasks.map(async ({ turns, fails, givesUpAfter }) => {
            const controller = new AbortController();
            const result = limit.run(async () => {
              running += 1;
              runningMost = Math.max(runningMost, running);
              for (let i = 0; i < turns; i++) await turn();
              running -= 1;
              if (fails) throw new Error("failed");
            }, controller.signal);
            result.catch(() => {});
            for (let i = 0; givesUpAfter !== null && i < givesUpAfter; i++) await turn();
            if (givesUpAfter !== null) controller.abort(new Error("gave up"));
            return result;
          }),
        );
        const rejected = settled.filter(
          (result) => result.status === "rejected" && result.reason instanceof TooBusyError,
        );
        // A task that gives up at once makes room for one more.
        const atOnce = tasks.filter(({ givesUpAfter }) => givesUpAfter === 0).length;
        const surplus = Math.max(0, tasks.length - runningMax - waitingMax);
        assert.ok(rejected.length <= surplus && rejected.length >= surplus - atOnce);
        assert.ok(runningMost <= runningMax);
        // No place is lost: as many as before can run at once.
        const { promise, resolve } = Promise.withResolvers<void>();
        let begun = 0;
        const begin = (): Promise<void> => {
          begun += 1;
          return promise;
        };
        const more = Array.from({ length: runningMax }, () => limit.run(begin, never));
        assert.equal(begun, runningMax);
        resolve();
        await Promise.all(more);
      },
    ),
    { numRuns: 50 },
  );
});
