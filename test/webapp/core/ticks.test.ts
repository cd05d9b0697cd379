import assert from "node:assert/strict";
import { test } from "node:test";
import { INT64_MAX, INT64_MIN } from "../../../src/values/int64.ts";
import { ticksFor } from "../../../webapp/core/ticks.ts";

test("a chart's lines are at round values that have all values between them", () => {
  const cases: [values: bigint[], ticks: bigint[]][] = [
    [
      [0n, 275_355n],
      [0n, 100_000n, 200_000n, 300_000n],
    ],
    [[191_556n], [0n, 50_000n, 100_000n, 150_000n, 200_000n]],
    [[0n], [0n, 1n]],
    [
      [-3n, 17n],
      [-5n, 0n, 5n, 10n, 15n, 20n],
    ],
    [
      [-400n, -100n],
      [-400n, -300n, -200n, -100n, 0n],
    ],
  ];
  for (const [values, ticks] of cases) assert.deepEqual(ticksFor(values), ticks);
});

test("the lines of the greatest amounts are exact and few", () => {
  const ticks = ticksFor([INT64_MIN, INT64_MAX]);
  assert.ok(ticks[0]! <= INT64_MIN && ticks.at(-1)! >= INT64_MAX);
  assert.ok(ticks.length <= 6 && ticks.includes(0n), String(ticks));
});
