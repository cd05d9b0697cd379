import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { pino } from "pino";
import { readConfig } from "../../src/config.ts";
import { findSubjectBinding } from "../../src/database/subject-bindings.ts";
import { deactivateDebtor } from "../../src/operations/debtors.ts";
import { unbindSubject } from "../../src/operations/subject-bindings.ts";
import { runWebserver } from "../../src/processes/webserver.ts";
import { toUnsigned } from "../../src/values/int64.ts";
import { baseEnvironment } from "../commands/environment.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { type FakeIntrospectionServer, startFakeIntrospectionServer } from "./fake-introspection-server.ts";

const ISSUER = "https://id.example.com";
const alice = { issuer: ISSUER, subject: "alice" };

let database: TestDatabase;
let introspection: FakeIntrospectionServer;
let stop: () => Promise<void>;
let url: string;
let logged: string[];

before(async () => {
  database = await createTestDatabase();
  introspection = await startFakeIntrospectionServer();
});
after(async () => {
  await introspection.close();
  await database.close();
});
beforeEach(async () => {
  introspection.tokens.clear();
  logged = [];
  await database.pool.run({
    name: "test_truncate",
    text: `truncate debtor, configure_account_signal, running_transfer, document,
      swpt_debtors_auth.subject_binding, swpt_debtors_auth.subject_binding_event`,
  });
});
afterEach(() => stop());

/** Starts the web server as an operator would, with these settings besides. */
async function serve(settings: Record<string, string>): Promise<void> {
  const { MIN_DEBTOR_ID, MAX_DEBTOR_ID, POSTGRES_URL } = baseEnvironment;
  const environment = {
    MIN_DEBTOR_ID,
    MAX_DEBTOR_ID,
    POSTGRES_URL,
    WEBSERVER_HOST: "127.0.0.1",
    WEBSERVER_PORT: "0",
    OAUTH2_INTROSPECT_URL: introspection.url,
    OAUTH2_ISSUER: ISSUER,
    ...settings,
  };
  const config = readConfig(environment, ["realm", "postgresUrl", "authentication"]);
  const abort = new AbortController();
  const log = pino({ level: "info" }, { write: (line: string) => void logged.push(line) });
  const listening = Promise.withResolvers<string>();
  const run = runWebserver({
    config,
    pool: database.pool,
    log,
    signal: abort.signal,
    onListening: listening.resolve,
  });
  stop = async () => {
    abort.abort();
    await run;
  };
  url = await listening.promise;
}

const ON = { OAUTH2_PROVISION: "yes" };

async function get(
  path: string,
  members: object = {},
): Promise<{ status: number; location: string | null; message: string | undefined }> {
  const token = Buffer.from(JSON.stringify(members)).toString("base64url") || "token";
  introspection.tokens.set(token, { active: true, iss: ISSUER, sub: "alice", scope: "access", ...members });
  const response = await fetch(new URL(path, url), {
    redirect: "manual",
    headers: { Authorization: `Bearer ${token}` },
  });
  const text = await response.text();
  const { message } = (response.headers.get("content-type") === "application/json" ? JSON.parse(text) : {}) as {
    message?: string;
  };
  return { status: response.status, location: response.headers.get("location"), message };
}

const countDebtors = async () =>
  (await database.pool.many({ name: "test_debtors", text: "select from debtor" })).length;

test("the first request for its own debtor gives a subject one, which works at once and stays", async () => {
  await serve(ON);

  const first = await get("/debtors/.debtor");

  assert.equal(first.status, 303);
  const { pathname } = new URL(first.location!);
  assert.equal((await get(pathname)).status, 200);
  assert.equal((await get("/debtors/.debtor")).location, first.location);
  const binding = await findSubjectBinding(database.pool, alice);
  assert.equal(pathname, `/debtors/${toUnsigned(binding!.debtorId)}/`);
  assert.equal(await countDebtors(), 1);
  assert.ok(logged.some((line) => line.includes("Debtor created for a new subject") && line.includes('"audit":true')));
});

test("a hundred first requests at the same time get one debtor", async () => {
  await serve(ON);

  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => get("/debtors/.debtor", { jti: i })));

  assert.equal(new Set(answers.map(({ location }) => location)).size, 1);
  assert.equal(await countDebtors(), 1);
});

test("no other request creates a debtor, and the answer says that the account is not an issuer's", async () => {
  await serve(ON);

  for (const path of ["/debtors/1/", "/debtors/.list", "/debtors/1/transfers/", "/debtors/1/config"]) {
    const { status, message } = await get(path);
    assert.equal(status, 403);
    assert.match(message ?? "", /does not belong to a currency issuer/, path);
  }
  assert.equal(await countDebtors(), 0);
});

for (const [title, settings, members] of [
  ["without the scope access", {}, { scope: "access.readonly" }],
  ["of another issuer", {}, { iss: "https://other.example.com" }],
  ["of another issuer that calls itself a debtor", {}, { iss: "https://other.example.com", sub: "debtors:7" }],
  ["of an issuer that is not a string", {}, { iss: 7 }],
  ["without a required scope", { OAUTH2_PROVISION_SCOPE: "issuer" }, {}],
  ["without a required claim", { OAUTH2_PROVISION_CLAIM: "email_verified=true" }, {}],
  [
    "with another value of a required claim",
    { OAUTH2_PROVISION_CLAIM: "email_verified=true" },
    { email_verified: false },
  ],
  ["outside of a required group", { OAUTH2_PROVISION_CLAIM: "groups=issuers" }, { groups: ["issuers2", "staff"] }],
] as const) {
  test(`a subject ${title} gets no debtor`, async () => {
    await serve({ ...ON, ...settings });

    const { status, message } = await get("/debtors/.debtor", members);

    assert.equal(status, 403);
    assert.match(message ?? "", /does not belong to a currency issuer/);
    assert.equal(await countDebtors(), 0);
  });
}

for (const [title, settings, members] of [
  ["without iss in the answer", {}, { iss: undefined }],
  ["with a required scope", { OAUTH2_PROVISION_SCOPE: "issuer" }, { scope: "issuer access" }],
  ["with a required claim", { OAUTH2_PROVISION_CLAIM: "email_verified=true" }, { email_verified: true }],
  ["in a required group", { OAUTH2_PROVISION_CLAIM: "groups=issuers" }, { groups: ["staff", "issuers"] }],
  ["with a scope of another name", { OAUTH2_SCOPE_NAMES: "access=urn:issue" }, { scope: "urn:issue" }],
] as const) {
  test(`a subject ${title} gets a debtor`, async () => {
    await serve({ ...ON, ...settings });

    assert.equal((await get("/debtors/.debtor", members)).status, 303);
  });
}

test("a token for another audience, or that is bound to a key, is not accepted", async () => {
  await serve({ ...ON, OAUTH2_AUDIENCE: "debtors" });

  assert.equal((await get("/debtors/.debtor", { aud: ["others"] })).status, 401);
  assert.equal((await get("/debtors/.debtor")).status, 401);
  assert.equal((await get("/debtors/.debtor", { aud: "debtors", cnf: { "x5t#S256": "x" } })).status, 401);
  assert.equal((await get("/debtors/.debtor", { aud: ["others", "debtors"] })).status, 303);
});

for (const [title, sub] of [
  ["that is half of a character", "alice\ud800"],
  ["that UTF-8 could not tell from it", "alice\udfff"],
  ["with a line separator", "alice\u2028"],
  ["of too many bytes", "ä".repeat(513)],
  ["of a pattern, with a debtor ID that does not exist", "debtors:18446744073709551616"],
] as const) {
  test(`a subject with a name ${title} gets no debtor`, async () => {
    await serve(ON);

    assert.equal((await get("/debtors/.debtor", { sub })).status, 403);
    assert.equal(await countDebtors(), 0);
  });
}

test("while the bindings cannot be read, requests are answered with 503, and no debtor is created", async () => {
  await serve({ ...ON, TOKEN_INTROSPECTION_CACHE_SECONDS: "0" });
  await get("/debtors/.debtor");
  const rename = (from: string, to: string) =>
    database.pool.run({ name: `test_${from}`, text: `alter schema ${from} rename to ${to}` });
  await rename("swpt_debtors_auth", "swpt_debtors_gone");
  try {
    for (const path of ["/debtors/.debtor", "/debtors/1/", "/debtors/unknown"]) {
      assert.equal((await get(path)).status, 503, path);
    }
    assert.equal((await get("/debtors/.debtor", { sub: "debtors:7" })).status, 303);
  } finally {
    await rename("swpt_debtors_gone", "swpt_debtors_auth");
  }
  assert.equal((await get("/debtors/.debtor")).status, 303);
  assert.equal(await countDebtors(), 1);
});

test("a transaction that is cut off in the middle leaves nothing, and the next request gets the debtor", async () => {
  await serve(ON);
  // Whatever is written at last fails, as when the process is killed before the COMMIT.
  await database.pool.run({
    name: "test_cut",
    text: `create or replace function test_cut() returns trigger language plpgsql as
      $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$`,
  });
  await database.pool.run({
    name: "test_cut_trigger",
    text: `create trigger test_cut before insert on swpt_debtors_auth.subject_binding_event
      for each row execute function test_cut()`,
  });
  try {
    assert.equal((await get("/debtors/.debtor")).status, 503);
    assert.equal(await countDebtors(), 0);
    assert.equal(await findSubjectBinding(database.pool, alice), undefined);
  } finally {
    await database.pool.run({
      name: "test_mend",
      text: "drop trigger test_cut on swpt_debtors_auth.subject_binding_event",
    });
  }
  assert.equal((await get("/debtors/.debtor")).status, 303);
  assert.equal(await countDebtors(), 1);
});

test("limits end provisioning with a reason", async () => {
  await serve({ ...ON, OAUTH2_PROVISION_MAX_PER_HOUR: "1" });

  assert.equal((await get("/debtors/.debtor")).status, 303);
  const second = await get("/debtors/.debtor", { sub: "bob" });

  assert.equal(second.status, 403);
  assert.match(second.message ?? "", /last hour; try again later/);
  assert.equal((await get("/debtors/.debtor")).status, 303);
});

test("superusers, supervisors and subjects that name a debtor are not provisioned", async () => {
  await serve(ON);

  assert.equal((await get("/debtors/.debtor", { sub: "debtors-superuser" })).status, 204);
  assert.equal((await get("/debtors/.debtor", { sub: "debtors-supervisor" })).status, 204);
  assert.equal((await get("/debtors/.debtor", { sub: "debtors:7" })).location, `${url}/debtors/7/`);
  assert.equal(await countDebtors(), 0);
});

test("a subject whose debtor was deactivated keeps it, and sees that it is not active", async () => {
  await serve(ON);
  const { location } = await get("/debtors/.debtor");
  const { debtorId } = (await findSubjectBinding(database.pool, alice))!;

  await deactivateDebtor(database.pool, debtorId);

  assert.equal((await get("/debtors/.debtor")).location, location);
  assert.equal((await get(new URL(location!).pathname)).status, 403);
  assert.equal(await countDebtors(), 1);
});

test("an unbound subject loses its debtor with the next introspection, and gets no other", async () => {
  await serve({ ...ON, TOKEN_INTROSPECTION_CACHE_SECONDS: "0" });
  await get("/debtors/.debtor");

  await unbindSubject(database.pool, { ...alice, reason: "left", dryRun: false });

  const { status, message } = await get("/debtors/.debtor");
  assert.equal(status, 403);
  assert.match(message ?? "", /An operator has ended its access/);
  assert.equal(await countDebtors(), 1);
});

test("without provisioning an unknown subject is rejected with 403", async () => {
  await serve({});

  assert.deepEqual(await get("/debtors/.debtor"), { status: 403, location: null, message: undefined });
});
