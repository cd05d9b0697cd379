import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCircuitBreaker } from "../../src/http/auth/circuit-breaker.ts";
import { createFakeClock } from "./fake-clock.ts";

test("after some failures in a row the circuit is open for a pause; then one probe decides for all", () => {
  const clock = createFakeClock();
  const breaker = createCircuitBreaker({ failuresMax: 2, pauseSeconds: 10, clock });
  assert.ok(breaker.admit());
  assert.equal(breaker.failed(), false);
  assert.ok(breaker.admit());
  assert.equal(breaker.failed(), true, "this failure begins the pause");
  clock.pass(9);
  assert.equal(breaker.admit(), false);
  assert.equal(breaker.retryAfterSeconds(), 1);
  clock.pass(1);
  assert.ok(breaker.admit(), "the probe");
  assert.equal(breaker.admit(), false, "one probe at a time");
  assert.equal(breaker.failed(), true);
  assert.equal(breaker.admit(), false);
  clock.pass(10);
  assert.ok(breaker.admit());
  breaker.succeeded();
  assert.ok(breaker.admit());
  assert.ok(breaker.admit());
});

test("failures with a success in between do not open the circuit", () => {
  const breaker = createCircuitBreaker({ failuresMax: 2, pauseSeconds: 10, clock: createFakeClock() });
  for (let i = 0; i < 10; i++) {
    assert.ok(breaker.admit());
    assert.equal(breaker.failed(), false);
    breaker.succeeded();
  }
});

test("calls that were admitted before the pause and fail during it do not change the pause", () => {
  const clock = createFakeClock();
  const breaker = createCircuitBreaker({ failuresMax: 1, pauseSeconds: 10, clock });
  assert.ok(breaker.admit());
  assert.ok(breaker.admit());
  assert.equal(breaker.failed(), true);
  clock.pass(5);
  assert.equal(breaker.failed(), false);
  assert.equal(breaker.admit(), false);
  clock.pass(5);
  assert.ok(breaker.admit());
});

test("in any order of events, a server that answers again is used again", () => {
  const event = fc.constantFrom("admit", "succeeded", "failed", "pass");
  fc.assert(
    fc.property(fc.array(event, { maxLength: 100 }), fc.integer({ min: 1, max: 5 }), (events, failuresMax) => {
      const clock = createFakeClock();
      const breaker = createCircuitBreaker({ failuresMax, pauseSeconds: 10, clock });
      let admitted = 0;
      for (const each of events) {
        if (each === "pass") clock.pass(3);
        else if (each === "admit") admitted += breaker.admit() ? 1 : 0;
        else if (admitted > 0) {
          admitted -= 1;
          breaker[each]();
        }
      }
      for (; admitted > 0; admitted--) breaker.succeeded();
      clock.pass(10);
      assert.ok(breaker.admit());
      breaker.succeeded();
      assert.ok(breaker.admit());
      assert.ok(breaker.retryAfterSeconds() > 0);
    }),
  );
});
