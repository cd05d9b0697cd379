import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock } from "../../../webapp/core/server-clock.ts";

const DAY = 86_400_000;
const SERVER = Date.parse("2026-11-26T10:00:00Z");

function givenDevice(offset = 0) {
  const device = { at: SERVER + offset, elapsed: 0 };
  const clock = new ServerClock({ now: () => device.at, elapsed: () => device.elapsed });
  const pass = (millis: number): void => {
    device.at += millis;
    device.elapsed += millis;
  };
  return { device, clock, pass };
}
const dateOf = (millis: number): string => new Date(millis).toUTCString();

test("before the first answer the time is the device's, and none has passed for sure", () => {
  const { clock } = givenDevice(-DAY);
  assert.deepEqual([clock.now(), clock.passed()], [SERVER - DAY, undefined]);
});

test("a clock that is minutes off counts as right; one that is days off is corrected", () => {
  const right = givenDevice(120_000);
  right.clock.answered(dateOf(SERVER));
  assert.equal(right.clock.now(), SERVER + 120_000);
  for (const offset of [-4 * DAY, 30 * DAY]) {
    const { clock, pass } = givenDevice(offset);
    clock.answered(dateOf(SERVER));
    pass(5_000);
    assert.deepEqual([clock.now(), clock.passed()], [SERVER + 5_000, SERVER + 5_000]);
  }
});

test("a clock that is set back does not turn back the time, and one that is set forward lets none pass for sure", () => {
  const { device, clock, pass } = givenDevice();
  clock.answered(dateOf(SERVER));
  device.at -= 4 * DAY;
  pass(60_000);
  assert.deepEqual([clock.now(), clock.passed()], [SERVER + 60_000, SERVER + 60_000]);
  device.at += 20 * DAY;
  assert.deepEqual([clock.now(), clock.passed()], [SERVER + 16 * DAY + 60_000, SERVER + 60_000]);
  clock.answered(dateOf(SERVER + 61_000));
  assert.deepEqual([clock.now(), clock.passed()], [SERVER + 61_000, SERVER + 61_000]);
});

test("the time has no fractions of milliseconds, whatever has elapsed", () => {
  const { device, clock } = givenDevice();
  device.elapsed = 0.3;
  clock.answered(dateOf(SERVER));
  device.elapsed = 7.9;
  assert.deepEqual([clock.now(), clock.passed()], [SERVER + 7, SERVER + 7]);
});

test("while the device sleeps the time goes on, but does not pass for sure", () => {
  const { device, clock } = givenDevice();
  clock.answered(dateOf(SERVER));
  device.at += DAY;
  assert.deepEqual([clock.now(), clock.passed()], [SERVER + DAY, SERVER]);
});

test("sleep, a clock that is set, and both at once leave a doubt about the time, which the next answer ends", () => {
  const { device, clock, pass } = givenDevice();
  assert.equal(clock.doubt(), Number.POSITIVE_INFINITY);
  clock.answered(dateOf(SERVER));
  pass(DAY);
  assert.equal(clock.doubt(), 0);
  for (const jump of [DAY, -DAY, -3 * DAY]) {
    device.at += jump;
    assert.equal(clock.doubt(), Math.abs(jump));
    clock.answered(dateOf(SERVER + DAY));
    assert.equal(clock.doubt(), 0);
  }
});

test("an answer whose date cannot be read leaves the device's clock as it is", () => {
  const { clock } = givenDevice(DAY);
  clock.answered(null);
  assert.deepEqual([clock.now(), clock.passed()], [SERVER + DAY, SERVER + DAY]);
});
