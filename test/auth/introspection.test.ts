import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { createServer } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { pino } from "pino";
import {
  createTokenAuthenticator,
  type Scope,
  type TokenAuthenticator,
  type TokenAuthenticatorOptions,
  type TokenDecision,
} from "../../src/http/auth/token-authenticator.ts";
import { defaultTokenRules } from "../../src/http/auth/token-rules.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { type FakeIntrospectionServer, sendJson, startFakeIntrospectionServer } from "./fake-introspection-server.ts";

const unauthorized: TokenDecision = { outcome: "unauthorized", isTokenInvalid: true };
const noToken: TokenDecision = { outcome: "unauthorized", isTokenInvalid: false };
const forbidden: TokenDecision = { outcome: "forbidden" };
const allowed = (subject: string) => ({ outcome: "allowed", subject });

let server: FakeIntrospectionServer;
let clock: FakeClock;
let logged: string[];
let authenticators: { close(): Promise<void> }[];

beforeEach(async () => {
  server = await startFakeIntrospectionServer();
  clock = createFakeClock();
  logged = [];
  authenticators = [];
});
afterEach(async () => {
  await Promise.all(authenticators.map((tokenAuthenticator) => tokenAuthenticator.close()));
  await server.close();
});

function openTokenAuthenticator(
  options: Partial<TokenAuthenticatorOptions> = {},
): TokenAuthenticator & { close(): Promise<void> } {
  const tokenAuthenticator = createTokenAuthenticator({
    verification: { kind: "introspection", introspectUrl: server.url },
    rules: defaultTokenRules,
    cacheSeconds: 300,
    cacheEntriesMax: 1000,
    log: pino({ base: null, timestamp: false }, { write: (line: string) => void logged.push(line) }),
    clock,
    ...options,
  });
  authenticators.push(tokenAuthenticator);
  return tokenAuthenticator;
}

const ask = async (tokenAuthenticator: TokenAuthenticator, token: string, scope: Scope = "access.readonly") =>
  summaryOf(await tokenAuthenticator.authenticate({ authorizationHeaders: [`Bearer ${token}`] }, scope));

/** Of a token that is good only whom it names. */
const summaryOf = (decision: TokenDecision) => (decision.outcome === "allowed" ? allowed(decision.subject) : decision);

/** The decision about a token with that introspection answer. */
async function decide(
  answer: unknown,
  scope: Scope = "access.readonly",
  options: Partial<TokenAuthenticatorOptions> = {},
) {
  server.tokens.set("T", answer);
  return ask(openTokenAuthenticator({ cacheSeconds: 0, ...options }), "T", scope);
}

const good = (members: object = {}): object => ({ active: true, scope: "access", sub: "debtors:7", ...members });

test("a token is introspected as in RFC 7662, and its subject is the caller", async () => {
  const token = "a+b/c=d&token=x%20~";
  server.tokens.set(token, good());
  assert.deepEqual(await ask(openTokenAuthenticator(), token), allowed("debtors:7"));
  const [call, ...others] = server.calls;
  assert.deepEqual(others, []);
  assert.equal(call?.method, "POST");
  assert.equal(call?.path, "/oauth2/introspect");
  assert.equal(call?.token, token);
  assert.deepEqual([...new URLSearchParams(call?.body).keys()], ["token"]);
  assert.equal(call?.headers.accept, "application/json");
  assert.equal(call?.headers["content-type"], "application/x-www-form-urlencoded");
  assert.equal(call?.headers["x-forwarded-proto"], "https");
  assert.equal(call?.headers.authorization, undefined);
});

test("user name and password in the URL become HTTP Basic authentication", async () => {
  server.tokens.set("T", good());
  const tokenAuthenticator = openTokenAuthenticator({
    verification: {
      kind: "introspection",
      introspectUrl: server.url.replace("http://", "http://resource-server:p%40ss@"),
    },
  });
  assert.deepEqual(await ask(tokenAuthenticator, "T"), allowed("debtors:7"));
  const expected = `Basic ${Buffer.from("resource-server:p@ss").toString("base64")}`;
  assert.equal(server.calls[0]?.headers.authorization, expected);
});

test("30: the scheme is compared without case; without a token, or with two headers, nothing is introspected", async () => {
  const tokenAuthenticator = openTokenAuthenticator();
  server.tokens.set("T", good());
  for (const header of ["bearer T", "BEARER T", "Bearer T"]) {
    assert.deepEqual(
      summaryOf(await tokenAuthenticator.authenticate({ authorizationHeaders: [header] }, "access")),
      allowed("debtors:7"),
    );
  }
  const asked = server.calls.length;
  for (const headers of [[], ["Basic T"], ["Bearer"], ["Bearer "], ["Bearer T", "Bearer T"]]) {
    assert.deepEqual(await tokenAuthenticator.authenticate({ authorizationHeaders: headers }, "access"), noToken);
  }
  assert.equal(server.calls.length, asked);
});

for (const answer of [
  { active: false },
  {},
  good({ active: "true" }),
  good({ active: 1 }),
  good({ exp: 1_800_000_000 }),
  good({ exp: 1_900_000_000 }),
  good({ exp: 0.5 }),
  good({ exp: 1, token_use: "refresh_token" }),
]) {
  test(`32: 401 when the server says ${JSON.stringify(answer)}`, async () => {
    assert.deepEqual(await decide(answer), unauthorized);
  });
}

for (const exp of [1_900_000_000.5, 1e300, 0, -1, "1", null, true, undefined]) {
  test(`an exp of ${JSON.stringify(exp)} does not end a token at 1900000000`, async () => {
    assert.deepEqual(await decide(good({ exp })), allowed("debtors:7"));
  });
}

for (const members of [
  { token_use: "refresh_token" },
  { token_use: "id_token" },
  { token_use: "Access_token" },
  { token_use: 1 },
  { token_type: "refresh_token" },
]) {
  test(`33: 403 when it is not an access token: ${JSON.stringify(members)}`, async () => {
    assert.deepEqual(await decide(good(members)), forbidden);
  });
}

for (const members of [
  { token_use: "access_token" },
  { token_use: "" },
  { token_use: null },
  { token_type: "Bearer" },
]) {
  test(`it is an access token when the server says ${JSON.stringify(members)}`, async () => {
    assert.deepEqual(await decide(good(members)), allowed("debtors:7"));
  });
}

for (const sub of ["", 7, null, ["debtors:7"], "debtors:7\r\nX: y", "debtors:7\n", "a\u0085", "x".repeat(5000)]) {
  test(`34: 403 when sub is ${JSON.stringify(sub).slice(0, 30)}`, async () => {
    assert.deepEqual(await decide(good({ sub })), forbidden);
    assert.deepEqual(await decide(good({ sub, username: "debtors:7" })), forbidden);
  });
}

test("34: 403 when the answer has neither sub nor username; client_id is not used", async () => {
  assert.deepEqual(await decide(good({ sub: undefined, client_id: "debtors-superuser" })), forbidden);
});

test("36: sub names the caller, else username; a setting pins one of them", async () => {
  const both = good({ sub: "debtors:7", username: "debtors-superuser" });
  const onlyUsername = good({ sub: undefined, username: "debtors:7" });
  assert.deepEqual(await decide(both), allowed("debtors:7"));
  assert.deepEqual(await decide(onlyUsername), allowed("debtors:7"));
  assert.deepEqual(
    await decide(both, "access", { rules: { ...defaultTokenRules, identityClaim: "username" } }),
    allowed("debtors-superuser"),
  );
  assert.deepEqual(
    await decide(both, "access", { rules: { ...defaultTokenRules, identityClaim: "sub" } }),
    allowed("debtors:7"),
  );
  assert.deepEqual(
    await decide(onlyUsername, "access", { rules: { ...defaultTokenRules, identityClaim: "sub" } }),
    forbidden,
  );
  assert.deepEqual(
    await decide(good(), "access", { rules: { ...defaultTokenRules, identityClaim: "username" } }),
    forbidden,
  );
});

for (const scope of [
  "accessx",
  "Access",
  "acc",
  "access.readonly.x",
  ["access"],
  undefined,
  "access\taccess.readonly",
]) {
  test(`37, 38: 403 when the granted scope is ${JSON.stringify(scope)}`, async () => {
    assert.deepEqual(await decide(good({ scope })), forbidden);
  });
}

test("38: the space between two scopes may be doubled", async () => {
  assert.deepEqual(await decide(good({ scope: "x  access" }), "access"), allowed("debtors:7"));
});

test("the answers of Ory Hydra 1 and 2 are understood", async () => {
  const hydra1 = {
    active: true,
    scope: "offline access",
    client_id: "debtors-webapp",
    sub: "debtors:18446744073709551615",
    exp: 1_900_003_600,
    iat: 1_899_999_999,
    nbf: 1_899_999_999,
    aud: [],
    iss: "https://localhost:44444/",
    token_type: "access_token",
  };
  const hydra2 = {
    ...hydra1,
    scope: "activate",
    client_id: "0d3f5f1c-0f7a-4d0a-9c5b-6a4d7a0f1c2e",
    sub: "0d3f5f1c-0f7a-4d0a-9c5b-6a4d7a0f1c2e",
    token_type: "Bearer",
    token_use: "access_token",
    ext: { deep: [{ x: 1 }] },
  };
  assert.deepEqual(await decide(hydra1, "access"), allowed("debtors:18446744073709551615"));
  assert.deepEqual(await decide(hydra2, "activate"), allowed("0d3f5f1c-0f7a-4d0a-9c5b-6a4d7a0f1c2e"));
});

const misbehaviors: Record<string, (response: ServerResponse) => void> = {
  "status 500": (response) => response.writeHead(500).end(JSON.stringify(good())),
  "status 201": (response) => response.writeHead(201).end(JSON.stringify(good())),
  "status 401": (response) => response.writeHead(401).end(JSON.stringify(good())),
  HTML: (response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<html>active: true</html>"),
  "an array": (response) => sendJson(response, [good()]),
  null: (response) => sendJson(response, null),
  "nothing at all": (response) => response.writeHead(200).end(),
  "half an answer": (response) => {
    response.writeHead(200, { "Content-Length": 1000 }).write('{"active": true, "scope": "access"');
    response.destroy();
  },
  "10 MB": (response) => sendJson(response, good({ ext: "x".repeat(10_000_000) })),
  "10 MB behind gzip": (response) => {
    response.writeHead(200, { "Content-Encoding": "gzip" }).end("no gzip at all");
  },
  "a redirect": (response) => response.writeHead(307, { Location: "/elsewhere" }).end(),
};

for (const [name, behavior] of Object.entries(misbehaviors)) {
  test(`39: a server that answers ${name}: 503, and one log line without a host name`, async () => {
    server.misbehave(behavior);
    assert.deepEqual(await ask(openTokenAuthenticator(), "T"), { outcome: "unavailable", retryAfterSeconds: 1 });
    assert.equal(logged.length, 1, logged.join());
    assert.doesNotMatch(logged.join(), /127\.0\.0\.1|introspect\b|Bearer|"T"/);
    server.misbehave(undefined);
  });
}

test("39: a server that is down: 503", async () => {
  const tokenAuthenticator = openTokenAuthenticator();
  await server.close();
  assert.deepEqual(await ask(tokenAuthenticator, "T"), { outcome: "unavailable", retryAfterSeconds: 1 });
  assert.match(logged.join(), /ECONNREFUSED/);
  assert.doesNotMatch(logged.join(), /127\.0\.0\.1/);
  server = await startFakeIntrospectionServer();
});

test("39: a silent server times out, and so does one that stops in the middle", async () => {
  const tokenAuthenticator = openTokenAuthenticator({ limits: { timeoutMillis: 50 } });
  server.misbehave(() => {});
  assert.equal((await ask(tokenAuthenticator, "T")).outcome, "unavailable");
  server.misbehave((response) => response.writeHead(200).write('{"active"'));
  assert.equal((await ask(tokenAuthenticator, "T")).outcome, "unavailable");
  assert.match(logged.join(), /no answer in time/);
});

test("no request fails when the server closes a kept-alive connection as it is used again", async () => {
  let connections = 0;
  // Answers one request on each connection, and hangs up on the second.
  const droppingServer = createServer((socket) => {
    connections += 1;
    let requests = 0;
    socket.on("error", () => {});
    socket.on("data", (data) => {
      if (!data.toString().includes("token=")) return;
      requests += 1;
      const body = JSON.stringify(good());
      if (requests === 1) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      else socket.destroy();
    });
  });
  await new Promise<void>((resolve) => droppingServer.listen(0, "127.0.0.1", resolve));
  const { port } = droppingServer.address() as { port: number };
  const tokenAuthenticator = openTokenAuthenticator({
    verification: { kind: "introspection", introspectUrl: `http://127.0.0.1:${port}/` },
    cacheSeconds: 0,
  });
  for (const token of ["1", "2", "3"]) assert.deepEqual(await ask(tokenAuthenticator, token), allowed("debtors:7"));
  assert.equal(connections, 3);
  await new Promise((resolve) => droppingServer.close(resolve));
});

test("40: while the server is down, a cached token works", async () => {
  server.tokens.set("T", good());
  const tokenAuthenticator = openTokenAuthenticator();
  await ask(tokenAuthenticator, "T");
  await server.close();
  assert.deepEqual(await ask(tokenAuthenticator, "T"), allowed("debtors:7"));
  assert.equal((await ask(tokenAuthenticator, "U")).outcome, "unavailable");
  server = await startFakeIntrospectionServer();
});

for (const cacheSeconds of [300, 0]) {
  test(`41: 50 requests at once with one new token are one introspection (cache: ${cacheSeconds} s)`, async () => {
    server.tokens.set("T", good());
    const tokenAuthenticator = openTokenAuthenticator({ cacheSeconds });
    const decisions = await Promise.all(Array.from({ length: 50 }, () => ask(tokenAuthenticator, "T")));
    assert.deepEqual(new Set(decisions.map((decision) => JSON.stringify(decision))).size, 1);
    assert.deepEqual(decisions[0], allowed("debtors:7"));
    assert.equal(server.calls.length, 1);
  });
}

test("requests that wait for the same answer are decided by their own scopes", async () => {
  server.tokens.set("T", good({ scope: "access.readonly" }));
  const tokenAuthenticator = openTokenAuthenticator();
  const decisions = await Promise.all([
    ask(tokenAuthenticator, "T"),
    ask(tokenAuthenticator, "T", "access"),
    ask(tokenAuthenticator, "T", "activate"),
  ]);
  assert.deepEqual(decisions, [allowed("debtors:7"), forbidden, forbidden]);
  assert.equal(server.calls.length, 1);
});

test("42: a cached token is good only for the scopes that it has", async () => {
  server.tokens.set("T", good({ scope: "access.readonly" }));
  const tokenAuthenticator = openTokenAuthenticator();
  assert.deepEqual(await ask(tokenAuthenticator, "T"), allowed("debtors:7"));
  assert.deepEqual(await ask(tokenAuthenticator, "T", "access"), forbidden);
  assert.deepEqual(await ask(tokenAuthenticator, "T"), allowed("debtors:7"));
  assert.equal(server.calls.length, 1);
});

test("43: a cached token that reaches its exp is no longer good", async () => {
  server.tokens.set("T", good({ exp: clock.wallSeconds() + 10.5 }));
  const tokenAuthenticator = openTokenAuthenticator();
  clock.pass(10.4);
  assert.deepEqual(await ask(tokenAuthenticator, "T"), allowed("debtors:7"));
  clock.pass(0.1);
  assert.deepEqual(await ask(tokenAuthenticator, "T"), unauthorized);
});

test("44: a revoked token works for 300 s at most; without a cache it stops at once", async () => {
  server.tokens.set("T", good());
  const cached = openTokenAuthenticator();
  const uncached = openTokenAuthenticator({ cacheSeconds: 0 });
  await Promise.all([ask(cached, "T"), ask(uncached, "T")]);
  server.tokens.delete("T");
  assert.deepEqual(await ask(uncached, "T"), unauthorized);
  clock.pass(299);
  assert.deepEqual(await ask(cached, "T"), allowed("debtors:7"));
  clock.pass(1);
  assert.deepEqual(await ask(cached, "T"), unauthorized);
});

test("only valid tokens are cached", async () => {
  const tokenAuthenticator = openTokenAuthenticator();
  for (const answer of [{ active: false }, good({ token_use: "refresh_token" }), good({ exp: 1 })]) {
    server.tokens.set("T", answer);
    assert.notEqual((await ask(tokenAuthenticator, "T")).outcome, "allowed");
  }
  server.tokens.set("T", good());
  assert.deepEqual(await ask(tokenAuthenticator, "T"), allowed("debtors:7"));
});

test("the cache tells authorization servers apart", async () => {
  server.tokens.set("T", good());
  const other = await startFakeIntrospectionServer();
  assert.deepEqual(await ask(openTokenAuthenticator(), "T"), allowed("debtors:7"));
  assert.deepEqual(
    await ask(openTokenAuthenticator({ verification: { kind: "introspection", introspectUrl: other.url } }), "T"),
    unauthorized,
  );
  await other.close();
});

test("48: a token of 1 MB, or with bytes beyond ASCII, is rejected without introspection", async () => {
  const tokenAuthenticator = openTokenAuthenticator();
  for (const token of ["x".repeat(1024 * 1024), "tök\u00ffen"])
    assert.deepEqual(await ask(tokenAuthenticator, token), unauthorized);
  assert.equal(server.calls.length, 0);
});

test("the numbers of running and waiting introspections are limited; beyond that the answer is 503 at once", async () => {
  const tokenAuthenticator = openTokenAuthenticator({ limits: { runningMax: 3, waitingMax: 2 } });
  const held: ServerResponse[] = [];
  server.misbehave((response) => void held.push(response));
  const decisions = Array.from({ length: 6 }, (_, index) => ask(tokenAuthenticator, `T${index}`));
  assert.equal((await decisions[5]!).outcome, "unavailable");
  while (held.length < 3) await turn();
  assert.equal(server.underWay(), 3);
  server.misbehave((response) => sendJson(response, good()));
  for (const response of held) sendJson(response, good());
  const outcomes = (await Promise.all(decisions)).map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ["allowed", "allowed", "allowed", "allowed", "allowed", "unavailable"]);
});

test("the time-out includes waiting for a turn", async () => {
  const tokenAuthenticator = openTokenAuthenticator({ limits: { runningMax: 1, waitingMax: 10, timeoutMillis: 50 } });
  server.misbehave(() => {});
  const decisions = await Promise.all([
    ask(tokenAuthenticator, "1"),
    ask(tokenAuthenticator, "2"),
    ask(tokenAuthenticator, "3"),
  ]);
  assert.deepEqual([...new Set(decisions.map(({ outcome }) => outcome))], ["unavailable"]);
});

test("an introspection that has not started within half of the time-out fails; a running one has the whole time-out", async () => {
  const tokenAuthenticator = openTokenAuthenticator({
    limits: { runningMax: 1, waitingMax: 10, timeoutMillis: 4_000 },
  });
  const held: ServerResponse[] = [];
  server.misbehave((response) => void held.push(response));
  const first = ask(tokenAuthenticator, "1");
  assert.equal((await ask(tokenAuthenticator, "2")).outcome, "unavailable");
  assert.match(logged.join(""), /too many introspections are waiting/);
  sendJson(held[0]!, good());
  assert.deepEqual(await first, allowed("debtors:7"));
  assert.equal(server.calls.length, 1);
});

test("the circuit opens for a server that is unavailable, and then lets one probe through", async () => {
  const tokenAuthenticator = openTokenAuthenticator({ limits: { failuresMax: 3, pauseSeconds: 7 } });
  server.misbehave((response) => response.writeHead(503).end());
  for (const token of ["1", "2", "3"]) assert.equal((await ask(tokenAuthenticator, token)).outcome, "unavailable");
  assert.deepEqual(await ask(tokenAuthenticator, "4"), { outcome: "unavailable", retryAfterSeconds: 7 });
  assert.equal(server.calls.length, 3);

  clock.pass(7);
  await Promise.all(["5", "6", "7"].map((token) => ask(tokenAuthenticator, token)));
  assert.equal(server.calls.length, 4, "one probe");
  assert.equal((await ask(tokenAuthenticator, "8")).outcome, "unavailable");
  assert.equal(server.calls.length, 4, "the probe failed, so the circuit opens again");

  clock.pass(7);
  server.misbehave(undefined);
  server.tokens.set("9", good());
  assert.deepEqual(await ask(tokenAuthenticator, "9"), allowed("debtors:7"));
  assert.deepEqual(await ask(tokenAuthenticator, "10"), unauthorized);
});

test("unexpected answers to single tokens do not open the circuit", async () => {
  const tokenAuthenticator = openTokenAuthenticator({ limits: { failuresMax: 2 } });
  server.tokens.set("T", good());
  server.misbehave((response) => response.writeHead(500).end());
  for (let index = 0; index < 20; index++) await ask(tokenAuthenticator, `strange-${index}`);
  server.misbehave(undefined);
  assert.deepEqual(await ask(tokenAuthenticator, "T"), allowed("debtors:7"));
});

test("closing aborts running introspections, and no further ones start", async () => {
  const tokenAuthenticator = openTokenAuthenticator();
  server.misbehave(() => {});
  const decision = ask(tokenAuthenticator, "T");
  while (server.calls.length === 0) await turn();
  await tokenAuthenticator.close();
  assert.equal((await decision).outcome, "unavailable");
  assert.equal((await ask(tokenAuthenticator, "U")).outcome, "unavailable");
  assert.equal(server.calls.length, 1);
});

test("in any order of requests every decision is that of the token's own answer", async () => {
  const token = fc.record({ scope: fc.constantFrom("access", "access.readonly", "activate", ""), id: fc.nat(99) });
  const request = fc.record({
    index: fc.nat(9),
    scope: fc.constantFrom<Scope>("access", "access.readonly", "activate"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(token, { minLength: 1, maxLength: 10 }), fc.array(request), async (tokens, requests) => {
      const tokenAuthenticator = openTokenAuthenticator({ cacheEntriesMax: 3, limits: { runningMax: 2 } });
      tokens.forEach(({ scope, id }, index) => {
        server.tokens.set(`t${index}`, good({ scope, sub: `debtors:${id}` }));
      });
      await Promise.all(
        requests.map(async ({ index, scope }) => {
          const { id, scope: granted } = tokens[index % tokens.length]!;
          const isGranted = granted === scope || (granted === "access" && scope === "access.readonly");
          const decision = await ask(tokenAuthenticator, `t${index % tokens.length}`, scope);
          assert.deepEqual(decision, isGranted ? allowed(`debtors:${id}`) : forbidden);
        }),
      );
    }),
    { numRuns: 50 },
  );
});
