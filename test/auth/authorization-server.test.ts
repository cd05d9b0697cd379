import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { pino } from "pino";
import { createNewDebtors } from "../../sandbox/authorization-server/new-debtors.ts";
import { type AuthorizationServer, startAuthorizationServer } from "../../sandbox/authorization-server/server.ts";
import { createTokenAuthenticator, type TokenAuthenticator } from "../../src/http/auth/token-authenticator.ts";
import { defaultTokenRules } from "../../src/http/auth/token-rules.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";
import { type FakeAgent, startFakeAgent } from "./fake-agent.ts";

const log = pino({ level: "silent" });
const REDIRECT_URI = "http://127.0.0.1:5173/";

let database: TestDatabase;
let agent: FakeAgent;
let server: AuthorizationServer;
let tokenAuthenticator: TokenAuthenticator & { close(): Promise<void> };

const start = (port = 0): Promise<AuthorizationServer> =>
  startAuthorizationServer({ pool: database.pool, port, nodeUrl: agent.url, log });

const openTokenAuthenticator = ({ introspectUrl } = server): TokenAuthenticator & { close(): Promise<void> } =>
  createTokenAuthenticator({
    verification: { kind: "introspection", introspectUrl },
    rules: defaultTokenRules,
    cacheSeconds: 0,
    cacheEntriesMax: 0,
    log,
  });

before(async () => {
  database = await createTestDatabase();
  agent = await startFakeAgent();
  server = await start();
  tokenAuthenticator = openTokenAuthenticator();
});
after(async () => {
  await tokenAuthenticator.close();
  await server.close();
  await agent.close();
  await database.close();
});

test("programs get tokens by their secrets, and their subjects are their client IDs", async () => {
  const { superuser, supervisor } = server.clients;
  assert.deepEqual(await authenticate(await getToken(superuser, "access activate deactivate restrict"), "restrict"), {
    outcome: "allowed",
    subject: "debtors-superuser",
  });
  const token = await getToken(supervisor, "access.readonly activate");
  assert.deepEqual(await authenticate(token, "activate"), { outcome: "allowed", subject: "debtors-supervisor" });
  assert.deepEqual(await authenticate(token, "access"), { outcome: "forbidden" });
});

test("a client gets only its own scopes, and nothing with a wrong secret", async () => {
  const token = await getToken(server.clients.supervisor, "activate deactivate restrict access");
  assert.deepEqual(await authenticate(token, "deactivate"), { outcome: "forbidden" });
  const wrong = await requestToken({ ...server.clients.supervisor, clientSecret: "wrong" }, "activate");
  assert.equal(wrong.status, 401);
});

test("secrets may hold characters that mean something in URLs and forms", async () => {
  const secret = "/ @#%41%+:$1";
  const clientSecrets = { resourceServer: secret, supervisor: secret };
  const other = await startAuthorizationServer({
    pool: database.pool,
    port: 0,
    nodeUrl: agent.url,
    log,
    clientSecrets,
  });
  const otherAuthenticator = openTokenAuthenticator(other);
  try {
    agent.calls.length = 0;
    await createNewDebtors({
      nodeUrl: agent.url,
      tokenUrl: other.tokenUrl,
      credentials: other.clients.supervisor,
    }).reserve();
    const authorizationHeaders = [agent.calls[0]!.headers.authorization!];
    assert.equal((await otherAuthenticator.authenticate({ authorizationHeaders }, "activate")).outcome, "allowed");
  } finally {
    await otherAuthenticator.close();
    await other.close();
  }
});

test("an unknown token is not active, and only the agent may introspect tokens", async () => {
  assert.deepEqual(await authenticate("unknown", "access"), { outcome: "unauthorized", isTokenInvalid: true });
  const token = await getToken(server.clients.superuser, "access");
  const { clientId, clientSecret } = server.clients.supervisor;
  const response = await fetch(`${server.url}/oauth2/introspect`, {
    method: "POST",
    headers: { Authorization: basic(clientId, clientSecret) },
    body: new URLSearchParams({ token }),
  });
  assert.notEqual(response.status === 200 && ((await response.json()) as { active: boolean }).active, true);
});

test("signing up creates a debtor at the agent and returns a token for it", async () => {
  agent.calls.length = 0;
  const browser = new Browser();
  const page = await browser.open(authorizationUrl("access offline_access"));
  assert.match(page.text, /<h1>Log in<\/h1>/);
  const signUp = await browser.open(page.link(/sign-up/));
  const consent = await browser.submit(signUp, { email: "Alice@example.com", password: "correct horse" });
  assert.match(consent.text, /the issuer’s web client.*issue money in your name/s);
  const tokens = await browser.exchangeCode(await browser.submit(consent, { decision: "allow" }));

  assert.deepEqual(
    agent.calls.map(({ path, body }) => ({ path, body })),
    [
      { path: "/debtors/.debtor-reserve", body: {} },
      {
        path: `/debtors/${subjectOf(consent).slice(8)}/activate`,
        body: { reservationId: `r${subjectOf(consent).slice(8)}` },
      },
    ],
  );
  assert.match(agent.calls[0]!.headers.authorization ?? "", /^Bearer /);
  assert.deepEqual(await authenticate(tokens.access_token, "access"), {
    outcome: "allowed",
    subject: subjectOf(consent),
  });
  assert.match(subjectOf(consent), /^debtors:1844674407370955\d{4}$/);
  assert.deepEqual(await authenticate(tokens.refresh_token, "access"), {
    outcome: "unauthorized",
    isTokenInvalid: true,
  });

  const refreshed = await tokenRequest({ grant_type: "refresh_token", refresh_token: tokens.refresh_token });
  assert.deepEqual(await authenticate(refreshed.access_token, "access"), {
    outcome: "allowed",
    subject: subjectOf(consent),
  });
});

test("the right password logs in again, a wrong one does not, and an address can sign up once", async () => {
  const first = await signUp("bob@example.com", "correct horse");
  const browser = new Browser();
  const page = await browser.open(authorizationUrl("access"));
  const rejected = await browser.submit(page, { email: "bob@example.com", password: "wrong horse" });
  assert.equal(rejected.status, 422);
  assert.match(rejected.text, /role="alert"[^>]*>Unknown user or wrong password/);
  const unknown = await browser.submit(rejected, { email: "nobody@example.com", password: "wrong horse" });
  assert.match(unknown.text, /Unknown user or wrong password/);
  const consent = await browser.submit(unknown, { email: "BOB@example.com", password: "correct horse" });
  assert.equal(subjectOf(consent), first);

  const other = new Browser();
  const form = await other.open((await other.open(authorizationUrl("access"))).link(/sign-up/));
  const taken = await other.submit(form, { email: "bob@Example.com", password: "another horse" });
  assert.match(taken.text, /address is already in use/);
});

for (const [email, password, problem] of [
  ["no address", "correct horse", /valid e-mail address/i],
  ["x@example.com", "short", /8 to 200 characters/],
  ["x@example.com", "x".repeat(201), /8 to 200 characters/],
] as const) {
  test(`no one can sign up as ${email} with the password ${password.slice(0, 20)}, and what was typed is escaped`, async () => {
    agent.calls.length = 0;
    const browser = new Browser();
    const form = await browser.open((await browser.open(authorizationUrl("access"))).link(/sign-up/));
    const page = await browser.submit(form, { email: `${email}"><script>`.replace(/^x@.*/, email), password });
    assert.match(page.text, problem);
    assert.doesNotMatch(page.text, /<script/);
    assert.deepEqual(agent.calls, []);
  });
}

test("a form without its token, of another log-in, of another site, or with a NUL is rejected", async () => {
  const browser = new Browser();
  const page = await browser.open(authorizationUrl("access"));
  const fields = { email: "carol@example.com", password: "correct horse" };
  assert.equal((await browser.submit(page, { ...fields, csrf_token: "" })).status, 403);
  assert.equal((await browser.submit(page, fields, { Origin: "http://evil.example" })).status, 403);
  assert.equal((await browser.submit(page, fields, { Origin: "null" })).status, 403);
  assert.equal((await browser.submit(page, { ...fields, email: "carol\0@example.com" })).status, 403);
  assert.equal((await new Browser().submit(page, fields)).status, 400);
  const other = new Browser();
  await other.open(authorizationUrl("access"));
  assert.notEqual((await other.submit(page, fields)).status, 200);
});

test("a forged form neither consents nor signs anybody out", async () => {
  const browser = new Browser();
  const form = await browser.open((await browser.open(authorizationUrl("access"))).link(/sign-up/));
  const consent = await browser.submit(form, { email: "trudy@example.com", password: "correct horse" });
  const fields = { decision: "allow" };
  for (const action of [/consent$/, /other-user$/]) {
    assert.equal((await browser.submit(consent, { ...fields, csrf_token: "" }, {}, action)).status, 403);
    assert.equal((await browser.submit(consent, fields, { Origin: "http://evil.example" }, action)).status, 403);
  }
  await browser.exchangeCode(await browser.submit(consent, fields));
});

test("without consent the client gets no code", async () => {
  const browser = new Browser();
  const form = await browser.open((await browser.open(authorizationUrl("access"))).link(/sign-up/));
  const consent = await browser.submit(form, { email: "dan@example.com", password: "correct horse" });
  const page = await browser.submit(consent, { decision: "deny" });
  const location = new URL(page.location ?? "");
  assert.equal(location.searchParams.get("error"), "access_denied");
  assert.equal(location.searchParams.get("code"), null);
});

test("a code needs its verifier, works once, and is sent only to the client's registered redirect URIs", async () => {
  const withoutPkce = new URL(authorizationUrl("access"));
  withoutPkce.searchParams.delete("code_challenge");
  withoutPkce.searchParams.delete("code_challenge_method");
  const rejected = await new Browser().open(withoutPkce.href);
  assert.equal(new URL(rejected.location ?? "").searchParams.get("error"), "invalid_request");

  const elsewhere = new URL(authorizationUrl("access"));
  elsewhere.searchParams.set("redirect_uri", "http://evil.example/");
  const page = await new Browser().open(elsewhere.href);
  assert.equal(page.location, undefined);
  assert.equal(page.status, 400);

  const browser = new Browser();
  const form = await browser.open((await browser.open(authorizationUrl("access"))).link(/sign-up/));
  const consent = await browser.submit(form, { email: "grace@example.com", password: "correct horse" });
  const done = await browser.submit(consent, { decision: "allow" });
  const { access_token: token } = await browser.exchangeCode(done);
  await assert.rejects(browser.exchangeCode(done), /invalid_grant/);
  // Another client has seen the code: the tokens that it was exchanged for are revoked (RFC 6749, 4.1.2).
  assert.equal((await authenticate(token, "access")).outcome, "unauthorized");
});

/** Sends four requests, of which each has found the record before any of them may mark it as consumed. */
async function fourThatMeet(model: string, send: () => Promise<Response>): Promise<Response[]> {
  const responses = await database.pool.transaction(async (tx) => {
    await tx.run({
      name: "",
      text: "select from sandbox.oidc_record where model = $1::text for update",
      values: [model],
    });
    const sent = Promise.all([1, 2, 3, 4].map(send));
    // From outside of the transaction, in which the server's statistics stand still.
    const text = `
      select count(*) = 4 as "haveMet" from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    const haveMet = async () => (await database.pool.maybeOne<{ haveMet: boolean }>({ name: "", text }))!.haveMet;
    await waitFor(haveMet, { what: "four requests that wait for the record" });
    return { sent };
  });
  return responses.sent;
}

test("of requests that use one code at the same time exactly one gets tokens, and they are revoked", async () => {
  const browser = new Browser();
  const form = await browser.open((await browser.open(authorizationUrl("access"))).link(/sign-up/));
  const consent = await browser.submit(form, { email: "heidi@example.com", password: "correct horse" });
  const done = await browser.submit(consent, { decision: "allow" });

  const responses = await fourThatMeet("AuthorizationCode", () => browser.requestTokens(done));

  const bodies = await Promise.all(responses.map((response) => response.json() as Promise<Record<string, string>>));
  assert.deepEqual(responses.map(({ status }) => status).sort(), [200, 400, 400, 400]);
  assert.deepEqual(
    bodies.flatMap(({ error }) => error ?? []),
    ["invalid_grant", "invalid_grant", "invalid_grant"],
  );
  const { access_token: token } = bodies.find(({ access_token }) => access_token)!;
  assert.equal((await authenticate(token!, "access")).outcome, "unauthorized");
});

test("of requests that use one refresh token at the same time exactly one gets tokens", async () => {
  const tokens = await signUpForTokens("ivan@example.com", "access offline_access");
  const fields = { client_id: "debtors-webapp", grant_type: "refresh_token", refresh_token: tokens.refresh_token };
  const responses = await fourThatMeet("RefreshToken", () =>
    fetch(server.tokenUrl, { method: "POST", body: new URLSearchParams(fields) }),
  );
  assert.deepEqual(responses.map(({ status }) => status).sort(), [200, 400, 400, 400]);
});

test("a refresh token that is used again ends everything that was given for it, whoever used it first", async () => {
  const first = await signUpForTokens("mallory@example.com", "access offline_access");
  const second = await tokenRequest({ grant_type: "refresh_token", refresh_token: first.refresh_token });
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal(await refusalOf({ grant_type: "refresh_token", refresh_token: first.refresh_token }), "invalid_grant");
  assert.equal(await refusalOf({ grant_type: "refresh_token", refresh_token: second.refresh_token }), "invalid_grant");
  for (const { access_token: token } of [first, second]) {
    assert.equal((await authenticate(token, "access")).outcome, "unauthorized");
  }
});

test("a revoked refresh token takes its access tokens along", async () => {
  const tokens = await signUpForTokens("niaj@example.com", "access offline_access");
  const body = new URLSearchParams({ client_id: "debtors-webapp", token: tokens.refresh_token });
  assert.equal((await fetch(server.revocationUrl, { method: "POST", body })).status, 200);
  assert.equal((await authenticate(tokens.access_token, "access")).outcome, "unauthorized");
  assert.equal(await refusalOf({ grant_type: "refresh_token", refresh_token: tokens.refresh_token }), "invalid_grant");
});

test("a code is worth nothing with another verifier, redirect URI or client, and neither is a refresh token", async () => {
  const { browser } = await signUpForCode("olivia@example.com");
  for (const wrong of [
    { code_verifier: randomBytes(32).toString("base64url") },
    { code_verifier: "" },
    { redirect_uri: "http://127.0.0.1:5173/debtors-webapp/" },
    { redirect_uri: "http://evil.example/" },
    { client_id: "swagger-ui" },
  ]) {
    const page = await browser.open(authorizationUrl("access"));
    // A code in the wrong hands ends the consent as well.
    const done = page.location === undefined ? await browser.submit(page, { decision: "allow" }) : page;
    const code = new URL(done.location!).searchParams.get("code")!;
    const fields = { grant_type: "authorization_code", code, redirect_uri: REDIRECT_URI, code_verifier: verifier };
    assert.match(await refusalOf({ ...fields, ...wrong }), /^invalid_(?:grant|request)$/, JSON.stringify(wrong));
  }
  const { refresh_token } = await signUpForTokens("peggy@example.com", "access offline_access");
  const refusal = await refusalOf({ client_id: "swagger-ui", grant_type: "refresh_token", refresh_token });
  assert.equal(refusal, "invalid_grant");
});

test("PKCE cannot be weakened to a challenge that is the verifier itself", async () => {
  for (const method of ["plain", undefined]) {
    const url = new URL(authorizationUrl("access"));
    url.searchParams.set("code_challenge", verifier);
    url.searchParams.delete("code_challenge_method");
    if (method !== undefined) url.searchParams.set("code_challenge_method", method);
    const page = await new Browser().open(url.href);
    assert.equal(new URL(page.location ?? "http://none").searchParams.get("error"), "invalid_request");
  }
});

test("of several people who sign up with one address at the same time exactly one does", async () => {
  const forms = await Promise.all(
    [1, 2, 3, 4].map(async () => {
      const browser = new Browser();
      return { browser, form: await browser.open((await browser.open(authorizationUrl("access"))).link(/sign-up/)) };
    }),
  );
  const pages = await Promise.all(
    forms.map(({ browser, form }, index) =>
      browser.submit(form, { email: "Quentin@example.com", password: `correct horse ${index}` }),
    ),
  );
  assert.deepEqual(pages.map(({ status }) => status).sort(), [200, 422, 422, 422]);
  const winner = pages.findIndex(({ status }) => status === 200);
  const logIn = new Browser();
  const page = await logIn.open(authorizationUrl("access"));
  const consent = await logIn.submit(page, { email: "quentin@example.com", password: `correct horse ${winner}` });
  assert.equal(subjectOf(consent), subjectOf(pages[winner]!));
});

test("log-ins at the same time, after a reservation has run out, lead to one and the same debtor", async () => {
  const email = "rupert@example.com";
  const form = async (browser: Browser) =>
    browser.open((await browser.open(authorizationUrl("access"))).link(/sign-up/));
  const first = new Browser();
  agent.failures.set("activate", 503);
  await first.submit(await form(first), { email, password: "correct horse" });
  agent.failures.clear();
  agent.expired.add(agent.lastReservationId());

  const consents = await Promise.all(
    [1, 2, 3, 4].map(async () => {
      const browser = new Browser();
      const page = await browser.open(authorizationUrl("access"));
      return browser.submit(page, { email, password: "correct horse" });
    }),
  );
  const later = new Browser();
  const page = await later.open(authorizationUrl("access"));
  const subject = subjectOf(await later.submit(page, { email, password: "correct horse" }));
  assert.match(subject, /^debtors:\d+$/);
  for (const consent of consents) assert.equal(subjectOf(consent), subject);
});

test("the consent page that somebody leaves to sign in as another person consents to nothing any more", async () => {
  const browser = new Browser();
  const form = await browser.open((await browser.open(authorizationUrl("access"))).link(/sign-up/));
  const consent = await browser.submit(form, { email: "sybil@example.com", password: "correct horse" });
  const logIn = await browser.submit(consent, {}, {}, /other-user$/);
  const uid = /action="\/interaction\/([^/"]+)/.exec(logIn.text)![1];
  const back = await browser.open(`${server.url}/interaction/${uid}`);
  assert.equal(back.status, 200);
  assert.match(back.text, /<h1>Log in<\/h1>/);
  const stale = await browser.submit(consent, { decision: "allow" });
  assert.equal(stale.status, 403);
  assert.equal(stale.location, undefined);
});

test("the database contains no password, and no usable token, code or cookie", async () => {
  const browser = new Browser();
  const form = await browser.open((await browser.open(authorizationUrl("access offline_access"))).link(/sign-up/));
  const consent = await browser.submit(form, { email: "judy@example.com", password: "correct horse" });
  const done = await browser.submit(consent, { decision: "allow" });
  const code = new URL(done.location!).searchParams.get("code")!;
  const tokens = await browser.exchangeCode(done);
  const programToken = await getToken(server.clients.superuser, "access");
  const rows = await database.pool.many<{ row: string }>({
    name: "records",
    text: "select r::text as row from sandbox.oidc_record r",
  });
  const stored = rows.map(({ row }) => row).join("\n");
  const users = await database.pool.many<{ row: string }>({
    name: "users",
    text: "select u::text as row from sandbox.app_user u",
  });
  assert.ok(!users.some(({ row }) => row.includes("correct horse")));
  const secrets = [code, tokens.access_token, tokens.refresh_token, programToken, ...browser.cookies()];
  assert.ok(secrets.length > 5);
  for (const secret of secrets) assert.ok(!stored.includes(secret), `${secret} is stored in clear`);
});

test("another person can sign in while one is already signed in", async () => {
  const browser = new Browser();
  const form = await browser.open((await browser.open(authorizationUrl("access"))).link(/sign-up/));
  const first = await browser.submit(form, { email: "kim@example.com", password: "correct horse" });
  await browser.exchangeCode(await browser.submit(first, { decision: "allow" }));
  const second = await signUp("lee@example.com", "correct horse");

  // At the consent page, for a scope that was not granted before, and at the log-in page of a client that requires it.
  for (const [url, heading] of [
    [authorizationUrl("access access.readonly offline_access"), "Allow access"],
    [`${authorizationUrl("access")}&prompt=login`, "Log in"],
  ] as const) {
    const page = await browser.open(url);
    assert.match(page.text, new RegExp(`<h1>${heading}</h1>`));
    const logIn = await browser.submit(page, {}, {}, /other-user$/);
    assert.match(logIn.text, /<h1>Log in<\/h1>/);
    assert.doesNotMatch(logIn.text, /Signed in as/);
    const consent = await browser.submit(logIn, { email: "lee@example.com", password: "correct horse" });
    const done = consent.location === undefined ? await browser.submit(consent, { decision: "allow" }) : consent;
    const { access_token: token } = await browser.exchangeCode(done);
    assert.deepEqual(await authenticate(token, "access"), { outcome: "allowed", subject: second });
  }
});

test("signing up needs the agent; a debtor that could not be activated is activated at the next log-in", async () => {
  const browser = new Browser();
  const form = await browser.open((await browser.open(authorizationUrl("access"))).link(/sign-up/));
  const fields = { email: "erin@example.com", password: "correct horse" };
  agent.failures.set(".debtor-reserve", 503);
  const away = await browser.submit(form, fields);
  assert.match(away.text, /agent does not answer/);
  agent.failures.clear();
  agent.failures.set("activate", 503);
  assert.match((await browser.submit(away, fields)).text, /agent does not answer/);
  agent.failures.clear();
  const logIn = await browser.open(authorizationUrl("access"));
  assert.match(subjectOf(await browser.submit(logIn, fields)), /^debtors:\d+$/);
});

test("browsers on any origin may exchange codes and revoke tokens", async () => {
  const response = await fetch(server.tokenUrl, {
    method: "POST",
    headers: { Origin: "http://127.0.0.1:5173" },
    body: new URLSearchParams({ grant_type: "authorization_code", client_id: "debtors-webapp", code: "none" }),
  });
  assert.equal(response.status, 400);
  assert.equal(response.headers.get("access-control-allow-origin"), "http://127.0.0.1:5173");
  const preflight = await fetch(server.tokenUrl, {
    method: "OPTIONS",
    headers: { Origin: "http://127.0.0.1:5173", "Access-Control-Request-Method": "POST" },
  });
  assert.equal(preflight.headers.get("access-control-allow-origin"), "http://127.0.0.1:5173");
});

test("users, tokens, secrets and log-ins survive a restart", async () => {
  const token = await getToken(server.clients.superuser, "access");
  const browser = new Browser();
  const form = await browser.open((await browser.open(authorizationUrl("access"))).link(/sign-up/));
  const { clients, url } = server;
  await server.close();
  server = await start(Number(new URL(url).port));
  assert.deepEqual(server.clients, clients);
  assert.deepEqual(await authenticate(token, "access"), { outcome: "allowed", subject: "debtors-superuser" });
  const consent = await browser.submit(form, { email: "frank@example.com", password: "correct horse" });
  const tokens = await browser.exchangeCode(await browser.submit(consent, { decision: "allow" }));
  assert.equal((await authenticate(tokens.access_token, "access")).outcome, "allowed");
});

test("the server answers only to host names of this machine, and forbids frames and scripts", async () => {
  const { port } = new URL(server.url);
  const { request } = await import("node:http");
  const status = await new Promise((resolve) => {
    request({ port, host: "127.0.0.1", path: "/jwks", headers: { Host: "evil.example" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).end();
  });
  assert.equal(status, 421);
  const page = await new Browser().open(authorizationUrl("access"));
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'.*frame-ancestors 'none'/);
  assert.doesNotMatch(page.text, /<script/);
});

test("a request target that is not a URL does not stop the server", async () => {
  const { port } = new URL(server.url);
  for (const target of ["//", "//[", "http://[", "/interaction/%zz", "/interaction//[", "*"]) {
    const socket = connect(Number(port), "127.0.0.1");
    socket.end(`OPTIONS ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
    assert.match(await text(socket), /^HTTP\/1\.1 \d/, target);
  }
});

async function authenticate(token: string, scope: Parameters<TokenAuthenticator["authenticate"]>[1]) {
  const decision = await tokenAuthenticator.authenticate({ authorizationHeaders: [`Bearer ${token}`] }, scope);
  return decision.outcome === "allowed" ? { outcome: "allowed", subject: decision.subject } : decision;
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

const requestToken = ({ clientId, clientSecret }: Credentials, scope: string): Promise<Response> =>
  fetch(server.tokenUrl, {
    method: "POST",
    headers: { Authorization: basic(clientId, clientSecret) },
    body: new URLSearchParams({ grant_type: "client_credentials", scope }),
  });

async function getToken(credentials: Credentials, scope: string): Promise<string> {
  const response = await requestToken(credentials, scope);
  return ((await response.json()) as Tokens).access_token;
}

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

async function tokenRequest(fields: Record<string, string>): Promise<Tokens> {
  const body = new URLSearchParams({ client_id: "debtors-webapp", ...fields });
  const response = await fetch(server.tokenUrl, { method: "POST", body });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Tokens;
}

const verifier = randomBytes(32).toString("base64url");

const authorizationUrl = (scope: string): string =>
  `${server.url}/oauth2/auth?${new URLSearchParams({
    client_id: "debtors-webapp",
    response_type: "code",
    redirect_uri: REDIRECT_URI,
    scope,
    state: "s",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  })}`;

async function signUp(email: string, password: string): Promise<string> {
  const browser = new Browser();
  const form = await browser.open((await browser.open(authorizationUrl("access"))).link(/sign-up/));
  return subjectOf(await browser.submit(form, { email, password }));
}

async function signUpForTokens(email: string, scope: string): Promise<Tokens> {
  const { browser, done } = await signUpForCode(email, scope);
  return browser.exchangeCode(done);
}

async function signUpForCode(email: string, scope = "access"): Promise<{ browser: Browser; done: Page }> {
  const browser = new Browser();
  const form = await browser.open((await browser.open(authorizationUrl(scope))).link(/sign-up/));
  const consent = await browser.submit(form, { email, password: "correct horse" });
  return { browser, done: await browser.submit(consent, { decision: "allow" }) };
}

/** The error code with which the token endpoint refuses the request. */
async function refusalOf(fields: Record<string, string>): Promise<string> {
  const body = new URLSearchParams({ client_id: "debtors-webapp", ...fields });
  const response = await fetch(server.tokenUrl, { method: "POST", body });
  assert.equal(response.status, 400, await response.clone().text());
  return ((await response.json()) as { error: string }).error;
}

/** The person whom a consent page is for. */
const subjectOf = (consent: Page): string => /<code>(debtors:\d+)<\/code>/.exec(consent.text)?.[1] ?? consent.text;

interface Page {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** Where a redirect leads that leaves the authorization server. */
  readonly location: string | undefined;
  link(pattern: RegExp): string;
}

/** Follows redirects and keeps cookies, as far as a log-in needs it. */
class Browser {
  readonly #cookies = new Map<string, string>();

  async open(url: string, init: RequestInit = {}): Promise<Page> {
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      headers: { ...(init.headers as Record<string, string>), Cookie: this.#cookieHeader() },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      if (value === "") this.#cookies.delete(name!);
      else this.#cookies.set(name!, value!);
    }
    const location = response.headers.get("location");
    const target = location === null ? undefined : new URL(location, url).href;
    if (target?.startsWith(server.url)) return this.open(target);
    const text = await response.text();
    return {
      status: response.status,
      text,
      headers: response.headers,
      location: target,
      link: (pattern) => {
        const links = [...text.matchAll(/href="([^"]+)"/g)].map(([, href]) => href!);
        return new URL(links.find((href) => pattern.test(href)) ?? "", url).href;
      },
    };
  }

  /** Sends the first form of the page, or the one whose address has the pattern. */
  async submit(
    page: Page,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
    pattern = /./,
  ): Promise<Page> {
    const actions = [...page.text.matchAll(/<form method="post" action="([^"]+)"/g)].map(([, action]) => action!);
    const action = actions.find((candidate) => pattern.test(candidate)) ?? "";
    const csrfToken = /name="csrf_token" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
    const body = new URLSearchParams({ csrf_token: csrfToken, ...fields });
    return this.open(new URL(action, server.url).href, { method: "POST", body, headers });
  }

  async exchangeCode(page: Page): Promise<Tokens> {
    const response = await this.requestTokens(page);
    assert.equal(response.status, 200, await response.clone().text());
    return (await response.json()) as Tokens;
  }

  requestTokens(page: Page): Promise<Response> {
    const code = new URL(page.location ?? "").searchParams.get("code") ?? "";
    const fields = { grant_type: "authorization_code", code, redirect_uri: REDIRECT_URI, code_verifier: verifier };
    const body = new URLSearchParams({ client_id: "debtors-webapp", ...fields });
    return fetch(server.tokenUrl, { method: "POST", body });
  }

  /** The values of its cookies, without their signatures' names. */
  cookies(): string[] {
    return [...this.#cookies].filter(([name]) => !name.endsWith(".sig")).map(([, value]) => value);
  }

  #cookieHeader(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }
}
