import assert from "node:assert/strict";
import test from "node:test";
import { createBackoff, pause } from "../../src/runtime/backoff.ts";
import { finishWithin, runTogether, untilAborted } from "../../src/runtime/lifetime.ts";
import { createLogger } from "../../src/runtime/log.ts";

function openLog() {
  const lines: string[] = [];
  return {
    lines,
    log: createLogger({ level: "debug", format: "text", command: "test", write: (line) => lines.push(line) }),
  };
}

test("tasks that run together stop together when one of them fails", async () => {
  const ended: string[] = [];
  const running = async (signal: AbortSignal) => {
    await untilAborted(signal);
    ended.push("other");
  };
  const failing = async () => {
    throw new Error("broken");
  };
  await assert.rejects(runTogether([running, failing, running], new AbortController().signal), /broken/);
  assert.deepEqual(ended, ["other", "other"]);
});

test("tasks that run together end when the signal is aborted", async () => {
  const life = new AbortController();
  const running = runTogether([untilAborted, untilAborted], life.signal);
  life.abort();
  await running;
});

test("a shutdown phase is bounded in time, and its failure is only logged", async () => {
  const { lines, log } = openLog();
  await finishWithin(60_000, "quick", Promise.resolve(), log);
  assert.deepEqual(lines, []);
  await finishWithin(60_000, "failing", Promise.reject(new Error("no")), log);
  await finishWithin(1, "endless", new Promise(() => {}), log);
  assert.match(lines[0]!, /Shutdown phase failed; continuing phase="failing"/);
  assert.match(lines[1]!, /Shutdown phase timed out.*phase="endless"/);
});

test("pauses grow with each failure up to their maximum, and are reset by a success", () => {
  const backoff = createBackoff({ minMillis: 100, maxMillis: 350 });
  for (const max of [100, 200, 350, 350]) {
    const millis = backoff.nextMillis();
    assert.ok(millis >= max / 2 && millis <= max, `${millis} of ${max}`);
  }
  backoff.reset();
  assert.ok(backoff.nextMillis() <= 100);
});

test("a pause ends at once when the signal is aborted", async () => {
  const life = new AbortController();
  const long = pause(1e12, life.signal);
  life.abort();
  await long;
  await pause(1e12, life.signal);
});
