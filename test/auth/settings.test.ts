import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, readConfig } from "../../src/config.ts";
import { callerOf } from "../../src/http/auth/subjects.ts";

type Environment = Record<string, string>;

const INTROSPECTION: Environment = { OAUTH2_INTROSPECT_URL: "http://hydra:4445/admin/oauth2/introspect" };
const PROXY: Environment = { APP_TRUSTED_PROXY_AUTH: "true" };

const read = (environment: Environment) => readConfig(environment, ["authentication"]);

/** The lines of the error message. */
function problemsWith(environment: Environment): string[] {
  try {
    read(environment);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message.split("\n");
  }
  return [];
}

test("a URL enables token introspection; a trusted proxy is the other mode", () => {
  assert.deepEqual(read(INTROSPECTION).authentication, {
    mode: "introspection",
    introspectUrl: "http://hydra:4445/admin/oauth2/introspect",
  });
  assert.deepEqual(read(PROXY).authentication, { mode: "trusted proxy", anonymousIsSuperuser: false });
  assert.deepEqual(read({ ...PROXY, OAUTH2_INTROSPECT_URL: "" }).authentication.mode, "trusted proxy");
  assert.deepEqual(read({ ...PROXY, APP_ANONYMOUS_IS_SUPERUSER: "yes" }).authentication, {
    mode: "trusted proxy",
    anonymousIsSuperuser: true,
  });
});

test("no mode, several modes, and an anonymous superuser outside its mode are rejected", () => {
  assert.match(problemsWith({}).join(), /None of OAUTH2_INTROSPECT_URL, OAUTH2_JWKS_URL and APP_TRUSTED_PROXY_AUTH/);
  assert.match(problemsWith({ ...INTROSPECTION, ...PROXY }).join(), /OAUTH2_INTROSPECT_URL and APP_TRUSTED_PROXY_AUTH/);
  assert.match(
    problemsWith({ ...INTROSPECTION, APP_ANONYMOUS_IS_SUPERUSER: "true" }).join(),
    /APP_ANONYMOUS_IS_SUPERUSER/,
  );
});

for (const [name, value] of [
  ["OAUTH2_SUPERUSER_USERNAME", "super\u0007user"],
  ["OAUTH2_SUPERVISOR_USERNAME", "two\nlines"],
  ["APP_SUPERUSER_SUBJECT_REGEX", "("],
  ["APP_SUPERUSER_SUBJECT_REGEX", "x)|(?:.*"],
  ["APP_SUPERVISOR_SUBJECT_REGEX", "[z-a]"],
  ["APP_DEBTOR_SUBJECT_REGEX", "(?P<id>[0-9]+)"],
  ["OAUTH2_INTROSPECT_URL", "hydra:4445"],
  ["OAUTH2_IDENTITY_CLAIM", "client_id"],
  ["TOKEN_INTROSPECTION_CACHE_SECONDS", "301"],
  ["TOKEN_INTROSPECTION_CACHE_MAX_COST", "many"],
] as const) {
  test(`50: ${name} = ${JSON.stringify(value)} is rejected by name, in one line`, () => {
    const problems = problemsWith({ ...INTROSPECTION, [name]: value });
    assert.equal(problems.length, 1, problems.join());
    assert.match(problems[0]!, new RegExp(`^${name}: `));
  });
}

const JWT: Environment = {
  OAUTH2_JWKS_URL: "https://id.example.com/jwks",
  OAUTH2_ISSUER: "https://id.example.com",
  OAUTH2_AUDIENCE: "debtors",
};

test("JWTs are checked against an issuer and an audience, with asymmetric algorithms", () => {
  assert.deepEqual(read({ ...JWT, OAUTH2_JWT_ALGORITHMS: "ES256,EdDSA" }).authentication, {
    mode: "jwt",
    jwksUrl: "https://id.example.com/jwks",
    algorithms: ["ES256", "EdDSA"],
  });
  assert.match(problemsWith({ ...JWT, OAUTH2_ISSUER: "" }).join(), /OAUTH2_JWKS_URL needs OAUTH2_ISSUER/);
  assert.match(problemsWith({ ...JWT, OAUTH2_AUDIENCE: "" }).join(), /OAUTH2_JWKS_URL needs OAUTH2_AUDIENCE/);
  for (const algorithms of ["none", "HS256", "RS256 HS512", "rs256"]) {
    assert.match(problemsWith({ ...JWT, OAUTH2_JWT_ALGORITHMS: algorithms }).join(), /^OAUTH2_JWT_ALGORITHMS: /);
  }
  assert.match(problemsWith({ ...JWT, ...INTROSPECTION }).join(), /OAUTH2_INTROSPECT_URL and OAUTH2_JWKS_URL are set/);
});

test("provisioning needs an issuer, and cannot be combined with a trusted proxy", () => {
  const issuer = "https://id.example.com";
  assert.match(
    problemsWith({ ...INTROSPECTION, OAUTH2_PROVISION: "yes" }).join(),
    /OAUTH2_PROVISION needs OAUTH2_ISSUER/,
  );
  assert.match(
    problemsWith({ ...PROXY, OAUTH2_PROVISION: "yes", OAUTH2_ISSUER: issuer }).join(),
    /OAUTH2_PROVISION and APP_TRUSTED_PROXY_AUTH/,
  );
  const on = { ...INTROSPECTION, OAUTH2_ISSUER: issuer, OAUTH2_PROVISION: "yes" };
  assert.match(
    problemsWith({ ...on, PROTOCOL_BROKER_QUEUE_ROUTING_KEY: "0.1.#" }).join(),
    /^OAUTH2_PROVISION is on in the shard 0\.1\.#; expected the first shard/,
  );
  read({ ...on, PROTOCOL_BROKER_QUEUE_ROUTING_KEY: "0.0.#" });
  assert.deepEqual(read(INTROSPECTION).tokenRules.provisioning, null);
  assert.deepEqual(read(on).tokenRules.provisioning, { scope: null, claim: null });
  assert.deepEqual(read({ ...on, OAUTH2_PROVISION_CLAIM: "groups=a=b" }).tokenRules.provisioning?.claim, {
    name: "groups",
    value: "a=b",
  });
  assert.match(problemsWith({ ...on, OAUTH2_PROVISION_CLAIM: "groups" }).join(), /^OAUTH2_PROVISION_CLAIM: /);
});

test("scope names can be mapped", () => {
  const names = "access=https://api.example.com/access access.readonly=debtors:read=1";
  assert.deepEqual(read({ ...INTROSPECTION, OAUTH2_SCOPE_NAMES: names }).tokenRules.scopeNames, {
    access: "https://api.example.com/access",
    "access.readonly": "debtors:read=1",
  });
  for (const wrong of ["access", "acces=x", "access=a access=b", 'access="x"']) {
    assert.match(problemsWith({ ...INTROSPECTION, OAUTH2_SCOPE_NAMES: wrong }).join(), /^OAUTH2_SCOPE_NAMES: /);
  }
});

test("all problems are reported together, without passwords", () => {
  const problems = problemsWith({
    OAUTH2_INTROSPECT_URL: "ftp://user:secret@hydra",
    OAUTH2_SUPERUSER_USERNAME: "two\nlines",
    APP_DEBTOR_SUBJECT_REGEX: "(",
  });
  assert.equal(problems.length, 3);
  assert.doesNotMatch(problems.join(), /secret/);
});

test("an empty pattern counts as not set: the exact user name decides", () => {
  const { subjects } = read({ ...INTROSPECTION, OAUTH2_SUPERUSER_USERNAME: "root.*", APP_SUPERUSER_SUBJECT_REGEX: "" });
  assert.deepEqual(callerOf(subjects, "root.*"), { kind: "superuser" });
  for (const name of ["", "root", "roots", "root.*x", "xroot.*"]) assert.equal(callerOf(subjects, name), undefined);
});

test("a pattern, also one with alternatives, must match the whole name, and replaces the user name", () => {
  const { subjects } = read({
    ...INTROSPECTION,
    APP_SUPERUSER_SUBJECT_REGEX: "6f1c-a|6f1c-b",
    APP_DEBTOR_SUBJECT_REGEX: "issuer ([0-9]+)|debtors:[0-9]+",
  });
  assert.deepEqual(callerOf(subjects, "6f1c-a"), { kind: "superuser" });
  assert.deepEqual(callerOf(subjects, "6f1c-b"), { kind: "superuser" });
  assert.deepEqual(callerOf(subjects, "issuer 7"), { kind: "debtor", debtorId: 7n });
  for (const name of ["6f1c-ax", "x6f1c-b", "6f1c-", "debtors-superuser", "debtors:7", "issuer 7 "]) {
    assert.equal(callerOf(subjects, name), undefined, name);
  }
});
