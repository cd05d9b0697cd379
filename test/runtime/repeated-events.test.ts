import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { createRepeatedEvents } from "../../src/runtime/repeated-events.ts";

function start() {
  const events: Record<string, unknown>[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => events.push(JSON.parse(line)) });
  return { events, repeated: createRepeatedEvents(log, 60) };
}
const event = { level: "warn", message: "It failed", kind: { reason: "away" }, details: { path: "/1" } } as const;

test("each interval begins with a whole line, and ends with a count when there were more", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { events, repeated } = start();
  for (let i = 0; i < 3; i++) repeated.report(event);
  assert.deepEqual(events, [{ level: 40, reason: "away", path: "/1", msg: "It failed" }]);
  context.mock.timers.tick(60_000);
  assert.deepEqual(events[1], { level: 40, reason: "away", repeated: 2, seconds: 60, msg: "It failed" });
  context.mock.timers.tick(600_000);
  repeated.report(event);
  context.mock.timers.tick(60_000);
  assert.deepEqual(events.slice(2), [{ level: 40, reason: "away", path: "/1", msg: "It failed" }]);
});

test("kinds and messages are counted separately", () => {
  const { events, repeated } = start();
  repeated.report(event);
  repeated.report({ ...event, kind: { reason: "slow" } });
  repeated.report({ ...event, message: "It failed again" });
  repeated.report(event);
  repeated.flush();
  assert.deepEqual(
    events.map(({ msg, reason, repeated }) => [msg, reason, repeated]),
    [
      ["It failed", "away", undefined],
      ["It failed", "slow", undefined],
      ["It failed again", "away", undefined],
      ["It failed", "away", 1],
    ],
  );
});
