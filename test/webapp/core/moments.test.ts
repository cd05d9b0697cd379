import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startOfDay } from "../../../webapp/core/moments.ts";

const { TZ } = process.env;
after(() => {
  if (TZ === undefined) delete process.env.TZ;
  else process.env.TZ = TZ;
});

test("a day ends where the next one begins, also when the clocks are changed", () => {
  const cases: [zone: string, date: string, begin: string, end: string][] = [
    ["Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"],
    ["Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"],
    // Midnight is skipped.
    ["Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"],
    ["UTC", "2026-12-31", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"],
  ];
  for (const [zone, date, begin, end] of cases) {
    process.env.TZ = zone;
    assert.deepEqual([startOfDay(date), startOfDay(date, 1)], [Date.parse(begin), Date.parse(end)], date);
  }
  for (const text of ["", "2026-02-30", "12026-01-01"]) assert.equal(startOfDay(text), undefined);
});
