import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import { pino } from "pino";
import { systemClock } from "../../src/http/auth/clock.ts";
import { createJwtVerification } from "../../src/http/auth/jwt-verification.ts";
import { createTokenAuthenticator, type TokenAuthenticator } from "../../src/http/auth/token-authenticator.ts";
import { defaultTokenRules } from "../../src/http/auth/token-rules.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { AUDIENCE, type FakeIssuer, ISSUER, startFakeIssuer } from "./fake-issuer.ts";

const unauthorized = { outcome: "unauthorized", isTokenInvalid: true };
const good = { sub: "debtors:7", scope: "access" };

let issuer: FakeIssuer;
let clock: FakeClock;
let authenticator: TokenAuthenticator & { close(): Promise<void> };

beforeEach(async () => {
  issuer = await startFakeIssuer();
  clock = createFakeClock();
  authenticator = createTokenAuthenticator({
    verification: { kind: "jwt", jwksUrl: issuer.jwksUrl, algorithms: ["ES256"] },
    rules: { ...defaultTokenRules, issuer: ISSUER, audience: AUDIENCE },
    cacheSeconds: 0,
    cacheEntriesMax: 0,
    log: pino({ level: "silent" }),
    clock: { ...clock, wallSeconds: () => Date.now() / 1000 },
  });
});
afterEach(async () => {
  await authenticator.close();
  await issuer.close();
});

const ask = (token: string) => authenticator.authenticate({ authorizationHeaders: [`Bearer ${token}`] }, "access");
const seconds = () => Math.floor(Date.now() / 1000);

test("a signed token names the caller and its scopes", async () => {
  assert.partialDeepStrictEqual(await ask(issuer.sign(good)), {
    outcome: "allowed",
    subject: "debtors:7",
    issuer: ISSUER,
  });
  assert.partialDeepStrictEqual(await ask(issuer.sign({ ...good, aud: ["other", AUDIENCE] })), { outcome: "allowed" });
  assert.partialDeepStrictEqual(await ask(issuer.sign(good, { typ: "application/at+jwt" })), { outcome: "allowed" });
  assert.deepEqual(await ask(issuer.sign({ ...good, scope: "access.readonly" })), { outcome: "forbidden" });
});

for (const [title, claims, header] of [
  ["of another issuer", { iss: "https://other.example.com" }, {}],
  ["without an issuer", { iss: undefined }, {}],
  ["for another audience", { aud: "others" }, {}],
  ["without an audience", { aud: undefined }, {}],
  ["that has expired", { exp: seconds() - 1 }, {}],
  ["without an expiry", { exp: undefined }, {}],
  ["that is not valid yet", { nbf: seconds() + 600 }, {}],
  ["without a subject", { sub: undefined }, {}],
  ["that is bound to a key", { cnf: { jkt: "x" } }, {}],
  ["that is an ID token", {}, { typ: "JWT" }],
  ["without a type", {}, { typ: undefined }],
  ["with a critical extension", {}, { crit: ["b64"], b64: false }],
] as const) {
  test(`a token ${title} is not accepted`, async () => {
    assert.deepEqual(await ask(issuer.sign({ ...good, ...claims }, header)), unauthorized);
  });
}

test("a token that is not signed by the issuer's key, or was changed, is not accepted", async () => {
  const token = issuer.sign(good);
  const [header, payload, signature] = token.split(".") as [string, string, string];
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const changed = encode({ ...JSON.parse(Buffer.from(payload, "base64url").toString()), sub: "debtors-superuser" });
  const none = encode({ alg: "none", typ: "at+jwt" });
  const hmacHeader = encode({ alg: "HS256", typ: "at+jwt", kid: "key-1" });
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const secret = publicKey.export({ format: "pem", type: "spki" });
  const hmac = createHmac("sha256", secret).update(`${hmacHeader}.${payload}`).digest("base64url");
  for (const wrong of [
    `${header}.${changed}.${signature}`,
    `${none}.${payload}.`,
    `${hmacHeader}.${payload}.${hmac}`,
    `${header}.${payload}.${signature.slice(2)}`,
    `${header}.${payload}`,
    "a.b.c",
    "opaque",
  ]) {
    assert.deepEqual(await ask(wrong), unauthorized, wrong);
  }
});

test("keys are fetched once, and again when a token names an unknown one; a withdrawn key is no longer accepted", async () => {
  const rules = { ...defaultTokenRules, issuer: ISSUER, audience: AUDIENCE };
  const verify = createJwtVerification({
    jwksUrl: issuer.jwksUrl,
    algorithms: ["ES256"],
    rules,
    clock: systemClock,
    cooldownMillis: 0,
  });
  const kindOf = async (token: string) => (await verify(token, new AbortController().signal)).kind;
  const first = issuer.sign(good);
  assert.deepEqual([await kindOf(first), await kindOf(first), issuer.fetches()], ["good", "good", 1]);

  issuer.rotate({ keepOld: true });
  assert.deepEqual([await kindOf(issuer.sign(good)), await kindOf(first), issuer.fetches()], ["good", "good", 2]);

  issuer.rotate({ keepOld: false });
  assert.deepEqual([await kindOf(issuer.sign(good)), await kindOf(first)], ["good", "inactive"]);
});

test("tokens that name unknown keys do not cause repeated fetches of the keys", async () => {
  for (let i = 0; i < 20; i++) assert.deepEqual(await ask(issuer.sign(good, { kid: `unknown-${i}` })), unauthorized);
  assert.ok(issuer.fetches() <= 2, String(issuer.fetches()));
});

for (const [name, status, body, reason] of [
  ["an answer without an end", 200, "[".repeat(1_048_577), /^the answer has more than 1048576 bytes$/],
  ["a redirect", 302, "", /^the endpoint redirects \(status 302\); OAUTH2_JWKS_URL must name its final address$/],
  ["no such page", 404, "<html>", /^there is no such endpoint \(status 404\); check OAUTH2_JWKS_URL$/],
  ["an overloaded server", 429, "", /^the answer has the status 429$/],
  ["an empty answer", 200, "", /^the keys of the issuer are not a JSON Web Key Set$/],
  ["a web page", 200, "<html>", /^the keys of the issuer are not a JSON Web Key Set$/],
] as const) {
  test(`keys that are ${name} are unavailable, and the reason says what to check`, async () => {
    issuer.misbehave((response) => response.writeHead(status, { location: "/elsewhere" }).end(body));
    const verify = createJwtVerification({
      jwksUrl: issuer.jwksUrl,
      algorithms: ["ES256"],
      rules: { ...defaultTokenRules, issuer: ISSUER, audience: AUDIENCE },
      clock: systemClock,
    });
    const verifying = verify(issuer.sign(good), new AbortController().signal);
    await assert.rejects(verifying, { name: "IntrospectionError", message: reason });
  });
}

test("while the keys cannot be fetched the answer is 503, and no token is accepted", async () => {
  for (const behavior of [
    (response: import("node:http").ServerResponse) => response.writeHead(500).end("<html>"),
    (response: import("node:http").ServerResponse) =>
      response.writeHead(302, { Location: "http://127.0.0.1:1/" }).end(),
    (response: import("node:http").ServerResponse) => response.writeHead(200).end("no JSON"),
    (response: import("node:http").ServerResponse) => response.writeHead(200).end('{"keys":"none"}'),
    (response: import("node:http").ServerResponse) => response.destroy(),
  ]) {
    issuer.misbehave((response) => void behavior(response));
    assert.partialDeepStrictEqual(await ask(issuer.sign(good)), { outcome: "unavailable" });
  }
  issuer.misbehave(undefined);
  assert.partialDeepStrictEqual(await ask(issuer.sign(good)), { outcome: "allowed" });
});
