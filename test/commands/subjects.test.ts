import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { activateNewDebtor } from "../../src/operations/debtors.ts";
import { runCommand } from "../support/command.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { baseEnvironment } from "./environment.ts";

const ISSUER = "https://id.example.com";
let database: TestDatabase;

before(async () => {
  database = await createTestDatabase();
  for (const debtorId of [7n, 8n, -1n]) await activateNewDebtor(database.pool, debtorId);
});
after(() => database.close());

const run = (...args: string[]) =>
  runCommand(["subjects", ...args], {
    ...baseEnvironment,
    MIN_DEBTOR_ID: "-100",
    MAX_DEBTOR_ID: "100",
    POSTGRES_URL: database.url,
    OAUTH2_ISSUER: ISSUER,
    TOKEN_INTROSPECTION_CACHE_SECONDS: "60",
  });

test("a subject is bound, shown, listed and unbound", async () => {
  const bound = await run("bind", "alice", "18446744073709551615", "--reason", "ticket 7");
  assert.equal(bound.code, 0, bound.output);
  assert.match(
    bound.output,
    /^Bound: alice of https:\/\/id\.example\.com is the debtor 18446744073709551615, bound at /,
  );

  const list = await run("list", "--json");
  assert.partialDeepStrictEqual(JSON.parse(list.output), {
    issuer: ISSUER,
    subject: "alice",
    debtorId: "18446744073709551615",
    isProvisioned: false,
  });

  const unbound = await run("unbind", "alice");
  assert.equal(unbound.code, 0);
  assert.match(unbound.output, /^Takes effect within 60 seconds\. Unbound: alice /);

  const shown = await run("show", "alice");
  assert.match(
    shown.output,
    /^The subject alice of .* is not bound\.\n.* bind debtor 18446744073709551615: ticket 7\n.* unbind debtor/,
  );
  assert.equal((await run("list")).output, "");
});

test("a dry run says what would happen, and changes nothing", async () => {
  const { code, output } = await run("bind", "dora", "8", "--dry-run");
  assert.equal(code, 0);
  assert.match(output, /^Would be bound: dora /);
  assert.equal((await run("show", "dora")).code, 1);
});

for (const [args, code, text] of [
  [["bind", "bob", "9"], 1, "The debtor 9 is not active.\n"],
  [["bind", "bob", "101"], 1, "This node is not responsible for the debtor 101.\n"],
  [
    ["bind", "bob", "seven"],
    2,
    'DEBTOR: "seven" is not valid; expected a 64-bit integer, decimal or hexadecimal with 0x.\n',
  ],
  [["bind", "bob"], 2, "subjects bind needs SUBJECT DEBTOR. See `swpt-debtors subjects bind --help`.\n"],
  [["unbind", "nobody"], 1, "The subject nobody of https://id.example.com is not bound.\n"],
  [["show", "nobody"], 1, "The subject nobody of https://id.example.com is not known.\n"],
] as const) {
  test(`subjects ${args.join(" ")} says in one line what is wrong`, async () => {
    const result = await run(...args);
    assert.deepEqual([result.code, result.output], [code, text]);
  });
}

test("a second subject of a debtor, and a second debtor of a subject, are rejected by name", async () => {
  assert.equal((await run("bind", "carol", "7")).code, 0);
  assert.match(
    (await run("bind", "dave", "7")).output,
    /^The debtor already has carol; OAUTH2_MAX_SUBJECTS_PER_DEBTOR is 1\./,
  );
  assert.match(
    (await run("bind", "carol", "8")).output,
    /^The subject carol of .* is bound to another debtor; unbind it first\.\n$/,
  );
  assert.equal((await run("bind", "carol", "8", "--issuer", "https://other.example.com")).code, 0);
});
