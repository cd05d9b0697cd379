import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { readScopes } from "../../src/http/auth/scopes.ts";
import { createTokenCache, type Grant } from "../../src/http/auth/token-cache.ts";
import { createFakeClock } from "./fake-clock.ts";

const grantOf = (subject: string, expiresAt = Infinity): Grant => ({
  subject,
  issuer: null,
  isOwnIssuer: true,
  boundDebtorId: undefined,
  mayProvision: false,
  scopes: readScopes("access"),
  expiresAt,
});

test("a grant is kept for the set time, and no longer", () => {
  const clock = createFakeClock();
  const cache = createTokenCache({ seconds: 300, entriesMax: 10, bytesMax: 10_000, clock });
  cache.keep("k", grantOf("debtors:7"));
  clock.pass(299.9);
  assert.deepEqual(cache.find("k"), grantOf("debtors:7"));
  clock.pass(0.1);
  assert.equal(cache.find("k"), undefined);
  assert.deepEqual(cache.size(), { entries: 0, bytes: 0 });
});

test("using a grant does not extend it", () => {
  const clock = createFakeClock();
  const cache = createTokenCache({ seconds: 300, entriesMax: 10, bytesMax: 10_000, clock });
  cache.keep("k", grantOf("debtors:7"));
  for (let second = 1; second < 300; second++) {
    clock.pass(1);
    assert.ok(cache.find("k"));
  }
  clock.pass(1);
  assert.equal(cache.find("k"), undefined);
});

test("a grant is not kept past its exp, which may have a fraction", () => {
  const clock = createFakeClock();
  const cache = createTokenCache({ seconds: 300, entriesMax: 10, bytesMax: 10_000, clock });
  cache.keep("k", grantOf("debtors:7", clock.wallSeconds() + 10.5));
  clock.pass(10.25);
  assert.ok(cache.find("k"));
  clock.pass(0.25);
  assert.equal(cache.find("k"), undefined);
});

test("a wall clock that is set back does not extend a grant", () => {
  const clock = createFakeClock();
  const cache = createTokenCache({ seconds: 300, entriesMax: 10, bytesMax: 10_000, clock });
  cache.keep("k", grantOf("debtors:7"));
  clock.setWall(1);
  clock.pass(300);
  assert.equal(cache.find("k"), undefined);
});

test("nothing is kept when the time or the number of entries is zero", () => {
  const clock = createFakeClock();
  for (const bounds of [
    { seconds: 0, entriesMax: 10 },
    { seconds: 300, entriesMax: 0 },
  ]) {
    const cache = createTokenCache({ ...bounds, bytesMax: 10_000, clock });
    cache.keep("k", grantOf("debtors:7"));
    assert.equal(cache.find("k"), undefined);
    assert.deepEqual(cache.size(), { entries: 0, bytes: 0 });
  }
});

test("when there are too many entries, the oldest that was not used is evicted", () => {
  const cache = createTokenCache({ seconds: 300, entriesMax: 2, bytesMax: 10_000, clock: createFakeClock() });
  cache.keep("a", grantOf("1"));
  cache.keep("b", grantOf("2"));
  cache.find("a");
  cache.keep("c", grantOf("3"));
  assert.deepEqual([cache.find("a")?.subject, cache.find("b"), cache.find("c")?.subject], ["1", undefined, "3"]);
});

test("entries and bytes never exceed their limits, and a lookup returns the value stored last", () => {
  const use = fc.record({
    key: fc.nat(30).map(String),
    length: fc.nat(2000),
    passes: fc.nat(50),
    isFind: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(use, { maxLength: 200 }), fc.nat(20), fc.nat(20_000), (uses, entriesMax, bytesMax) => {
      const clock = createFakeClock();
      const cache = createTokenCache({ seconds: 300, entriesMax, bytesMax, clock });
      const kept = new Map<string, Grant>();
      for (const { key, length, passes, isFind } of uses) {
        clock.pass(passes);
        if (isFind) {
          const found = cache.find(key);
          if (found !== undefined) assert.equal(found, kept.get(key));
        } else {
          const grant = grantOf("n".repeat(length), clock.wallSeconds() + length / 10);
          cache.keep(key, grant);
          kept.set(key, grant);
        }
        const { entries, bytes } = cache.size();
        assert.ok(entries <= entriesMax && bytes <= bytesMax && bytes >= 0 && bytes > 0 === entries > 0);
      }
      clock.pass(1000);
      for (const key of kept.keys()) assert.equal(cache.find(key), undefined);
      assert.deepEqual(cache.size(), { entries: 0, bytes: 0 });
    }),
  );
});

test("the heap grows by no more than the cache's own estimate", () => {
  // In a process of its own, whose heap holds nothing else.
  const script = `
    import { hash } from "node:crypto";
    import { createTokenCache } from "./src/http/auth/token-cache.ts";
    import { systemClock } from "./src/http/auth/clock.ts";
    const cache = createTokenCache({ seconds: 300, entriesMax: 1e7, bytesMax: 64 * 1024 * 1024, clock: systemClock });
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 400_000; i++) {
      const answer = JSON.parse(JSON.stringify({ sub: "debtors:" + (2n ** 63n + BigInt(i)) }));
      cache.keep(hash("sha256", String(i), "base64url"), { subject: answer.sub, scopes: i % 32, expiresAt: 2e9 + i / 7 });
    }
    gc();
    console.log(JSON.stringify({ heap: process.memoryUsage().heapUsed - before, ...cache.size() }));`;
  const output = execFileSync(process.execPath, ["--expose-gc", "--input-type=module-typescript", "-e", script], {
    cwd: new URL("../..", import.meta.url),
    encoding: "utf8",
  });
  const { heap, entries, bytes } = JSON.parse(output) as Record<"heap" | "entries" | "bytes", number>;
  assert.ok(entries > 100_000 && entries < 400_000, `${entries} entries`);
  assert.ok(bytes <= 64 * 1024 * 1024 && heap <= bytes, `${heap} bytes of heap for ${bytes}, ${entries} entries`);
});
