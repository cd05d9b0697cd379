import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConfigError, readConfig } from "../../src/config.ts";
import { type Environment, type SettingName, settings } from "../../src/environment.ts";
import { baseEnvironment } from "./environment.ts";

const read = (environment: Environment) =>
  readConfig({ ...baseEnvironment, ...environment }, ["realm", "postgresUrl", "authentication"]);

/** The two go together. */
const webapp = {
  WEBAPP_AUTHORIZATION_URL: "https://auth.example.com/oauth2/auth",
  WEBAPP_TOKEN_URL: "https://auth.example.com/oauth2/token",
};

/** The problems that the settings have, one for each line. */
function problemsOf(environment: Environment): string[] {
  try {
    read(environment);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split("\n");
  }
}

/** Valid values for variables without a default. */
const samples: Partial<Record<SettingName, string>> = {
  ...baseEnvironment,
  OAUTH2_IDENTITY_CLAIM: "username",
  OAUTH2_ISSUER: "https://id.example.com",
  OAUTH2_AUDIENCE: "debtors",
  OAUTH2_SCOPE_NAMES: "access=urn:access",
  OAUTH2_PROVISION_SCOPE: "issuer",
  OAUTH2_PROVISION_CLAIM: "groups=issuers",
  APP_SUPERUSER_SUBJECT_REGEX: "root|admin",
  APP_SUPERVISOR_SUBJECT_REGEX: "support",
  APP_ENABLE_CORS: "no",
  SWPT_NODEDATA_URL: "file:///srv/node",
  NODE_DATA_PASSPHRASE: "correct horse",
  ...webapp,
  WEBAPP_REVOCATION_URL: "https://auth.example.com/oauth2/revoke",
  WEBAPP_REDIRECT_URL: "https://example.com/debtors-webapp/",
  WEBAPP_DEFAULT_PEG_ABBR: "EUR",
  WEBAPP_DEFAULT_PEG_COIN: "https://example.com/debtors/1/public#swpt:1",
  WEBAPP_REGISTER_ISSUER_URL: "https://example.com/sign-up",
  WEBAPP_INSTALL_WALLET_URL: "https://example.com/wallet",
  SUBSTITUTE_LOCALHOST_IN_VARS: "POSTGRES_URL",
};
const names = (Object.keys(settings) as SettingName[]).filter((name) => samples[name] ?? settings[name].default);

const blanks = fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\r", "\u00a0", "\ufeff"), maxLength: 3 });

test("white space around any value makes no difference", () => {
  fc.assert(
    fc.property(fc.constantFrom(...names), blanks, blanks, (name, before, after) => {
      const value = samples[name] ?? settings[name].default!;
      assert.deepEqual(read({ ...webapp, [name]: before + value + after }), read({ ...webapp, [name]: value }));
    }),
  );
});

test("an empty or blank variable counts as not set", () => {
  const required = ["MIN_DEBTOR_ID", "MAX_DEBTOR_ID", "POSTGRES_URL", "APP_TRUSTED_PROXY_AUTH"];
  for (const name of Object.keys(settings).filter((candidate) => !required.includes(candidate))) {
    for (const empty of ["", " \n"]) assert.deepEqual(read({ [name]: empty }), read({ [name]: undefined }), name);
  }
  assert.match(problemsOf({ MIN_DEBTOR_ID: " " }).join(), /^MIN_DEBTOR_ID is not set; expected a 64-bit integer, /);
  assert.match(problemsOf({ POSTGRES_URL: "" }).join(), /^POSTGRES_URL is not set; expected a URL /);
});

test("a superuser's name from a file that ends with a line feed is the superuser's", () => {
  assert.match("su", read({ OAUTH2_SUPERUSER_USERNAME: "su\n" }).subjects.superuser);
});

test("a problem names the variable, its value, and what was expected", () => {
  assert.deepEqual(problemsOf({ FLUSH_PERIOD: "x", WEBSERVER_PORT: "99999" }), [
    'WEBSERVER_PORT: "99999" is not valid; expected an integer from 0 to 65535.',
    'FLUSH_PERIOD: "x" is not valid; expected a number from 0.001 to 1000000000.',
  ]);
});

for (const [name, value, problem] of [
  ["OAUTH2_SUPERUSER_USERNAME", "su\tuser", /expected text without control characters/],
  ["PROTOCOL_BROKER_QUEUE", "amq.queue", /expected a name of 1 to 252 bytes/],
  ["PROTOCOL_BROKER_QUEUE", "ä".repeat(127), /expected a name of 1 to 252 bytes/],
  ["WEBSERVER_HOST", "http://localhost", /expected an IP address or a host name/],
  ["WEBSERVER_HOST", "host:80", /expected an IP address or a host name/],
  ["APP_DEBTOR_SUBJECT_REGEX", "debtors:[0-9]+", /\(it has no group for the debtor ID\); expected/],
  ["APP_SUPERUSER_SUBJECT_REGEX", "(admin)?", /\(it matches the empty name\); expected/],
  ["APP_SUPERVISOR_SUBJECT_REGEX", "(", /\(Invalid regular expression: .*\); expected/],
  ["OAUTH2_INTROSPECT_URL", "https://c:100%@host/", /"https:\/\/\*\*\*@host\/" is not valid \(% in .* written %25\)/],
  ["OAUTH2_INTROSPECT_URL", "https://host/#introspect", /\(it has a fragment;/],
  // What follows a value on its line belongs to it, in systemd's files and those of containers.
  ["APP_ANONYMOUS_IS_SUPERUSER", "no # not yet", /\(it contains white space; write comments .* lines of their own\)/],
  ["APP_ENABLE_CORS", "no SETUP_RABBITMQ_BINDINGS=yes", /\(it contains white space;/],
  ["OAUTH2_INTROSPECT_URL", "https://host/introspect # ours", /\(it contains white space;/],
  ["OAUTH2_ISSUER", "https://host OAUTH2_AUDIENCE=debtors", /\(it contains white space;/],
  ["OAUTH2_AUDIENCE", "debtors # ours", /\(it contains white space;/],
  ["WEBAPP_REVOCATION_URL", "https://host/revoke # ours", /\(it contains white space;/],
  ["POSTGRES_URL", "postgresql://user@host/db APP_LOG_LEVEL=info", /\(it contains white space;/],
  ["PROTOCOL_BROKER_URL", "amqp://host/vhost APP_LOG_LEVEL=info", /\(it contains white space;/],
  [
    "POSTGRES_URL",
    "postgresql://user:se/cret@host/db",
    /a host with an optional port; .* a password are percent-encoded\)/,
  ],
  ["PROTOCOL_BROKER_URL", "amqp://user:se#cret@host", /\/ \? # @ % of a password are percent-encoded\)/],
  ["OAUTH2_INTROSPECT_URL", "https://:secret@host/", /"https:\/\/\*\*\*@host\/" .*\(it has a password without a user/],
  ["OAUTH2_INTROSPECT_URL", "https://a%3Ab:secret@host/", /\(a user name cannot have a colon/],
  ["OAUTH2_ISSUER", "https://id\0.example.com", /expected text without white space/],
  ["OAUTH2_AUDIENCE", "debtors\nagent", /\(it contains white space;/],
  ["OAUTH2_AUDIENCE", '"debtors"', /\(the quotes would be a part of it\); expected text/],
  ["PROTOCOL_BROKER_QUEUE", "'swpt_debtors'", /\(the quotes would be a part of it\); expected a name/],
  ["OAUTH2_PROVISION_SCOPE", "issuer access", /expected the name of a scope/],
  ["WEBAPP_SCOPE", "access\toffline_access", /expected names of scopes/],
  [
    "WEBAPP_REVOCATION_URL",
    "https://c:secret@host/",
    /"https:\/\/\*\*\*@host\/" .*\(it has a user name or a password\)/,
  ],
  ["WEBAPP_REVOCATION_URL", "https://host/#", /\(it has a fragment\); expected a URL/],
  ["WEBAPP_SERVER_API_ENTRYPOINT", "https://u:p@host/", /\(it has a user name or a password\); expected a path/],
  ["APP_ANONYMOUS_IS_SUPERUSER", "0", /\(it would mean yes\); expected false, off or no/],
  ["DELETE_PARENT_SHARD_RECORDS", '"false"', /\(it would mean yes\); expected false, off or no/],
  ["SETUP_RABBITMQ_BINDINGS", "None", /\(it would mean yes\); expected false, off or no/],
  ["WEBSERVER_PORT", "+5", /expected an integer/],
  ["WEBSERVER_PORT", "１２", /expected an integer/],
  ["WEBSERVER_PROCESSES", "1e2", /expected an integer/],
  ["FLUSH_PERIOD", "Infinity", /expected a number/],
  ["FLUSH_PERIOD", "0x10", /expected a number/],
  ["SWPT_NODEDATA_URL", "file:///a%00b", /expected a URL that begins with file/],
  ["WEBSERVER_PORT", "9464", /^WEBSERVER_PORT and METRICS_PORT are both 9464; expected two different ports\.$/],
] as const) {
  test(`${name}=${JSON.stringify(value)} can never work, and stops the start`, () => {
    const problems = problemsOf({ [name]: value });
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0]!, problem);
  });
}

test("yes and no are what they were for the Python program, in any case", () => {
  const isSet = (value: string): boolean => read({ DELETE_PARENT_SHARD_RECORDS: value }).deleteParentShardRecords;
  for (const value of ["true", "True", "yes", "on", "1", "y", "t"]) assert.equal(isSet(value), true, value);
  for (const value of ["false", "False", "NO", "off", "OFF\r\n"]) assert.equal(isSet(value), false, value);
});

test("a host may be an address of either family, with or without brackets, or a name", () => {
  for (const [value, host] of [
    ["::", "::"],
    ["[::1]", "::1"],
    ["0.0.0.0", "0.0.0.0"],
    ["localhost", "localhost"],
    ["node-1.example.com.", "node-1.example.com."],
  ] as const) {
    assert.equal(read({ WEBSERVER_HOST: value }).webserver.host, host);
  }
});

test("a problem with a URL shows where it leads, and not the password", () => {
  for (const [held, shown] of [
    ["mysql://user:secret@host/db", "mysql://***@host/db"],
    ["postgresql://user:sec/ret@host/db", "postgresql://***@host/db"],
    ["postgresql://user:sec@ret:s@host:port", "postgresql://***@host:port"],
    ["user:secret@host/db", "***@host/db"],
    ["host/db", "host/db"],
    ["postgresql://user:sec?secret@host/db", "postgresql://***@host/db"],
    ["postgresql://user:sec?secret=1@host/db", "postgresql://***@host/db"],
    ["postgresql://user:sec?sslmode=secret@host/db", "postgresql://***@host/db"],
    ["postgresql://host/db?password=secret&x=1", "postgresql://host/db?password=***"],
    ["postgresql://host/db?password=a&secret", "postgresql://host/db?password=***"],
    ["postgresql://host/db?passwd=secret", "postgresql://host/db?passwd=***"],
    ["host=db password=secret", "host=***"],
  ] as const) {
    const problem = problemsOf({ POSTGRES_URL: held }).join("\n");
    assert.ok(problem.startsWith(`POSTGRES_URL: "${shown}" is not valid`), problem);
    assert.doesNotMatch(problem, /secret/);
  }
  for (const held of ["amqps://host/v?password=secret&x=1", "amqp://user:12?secret@host/v"]) {
    const problem = problemsOf({ PROTOCOL_BROKER_URL: held }).join("\n");
    assert.match(problem, /^PROTOCOL_BROKER_URL: .* is not valid/);
    assert.doesNotMatch(problem, /secret/);
  }
});

test("the web client needs an authorization and a token endpoint, and is off without both", () => {
  const { WEBAPP_AUTHORIZATION_URL, WEBAPP_TOKEN_URL } = webapp;
  assert.deepEqual(problemsOf({ WEBAPP_TOKEN_URL }), [
    "WEBAPP_AUTHORIZATION_URL is not set; expected a URL that begins with http:// or https://, as WEBAPP_TOKEN_URL is set.",
  ]);
  assert.deepEqual(problemsOf({ WEBAPP_AUTHORIZATION_URL }), [
    "WEBAPP_TOKEN_URL is not set; expected a URL that begins with http:// or https://, as WEBAPP_AUTHORIZATION_URL is set.",
  ]);
  assert.equal(read({}).webapp, null);
  assert.deepEqual(read(webapp).webapp, {
    authorizationUrl: WEBAPP_AUTHORIZATION_URL,
    tokenUrl: WEBAPP_TOKEN_URL,
    revocationUrl: null,
    clientId: "debtors-webapp",
    scope: "access",
    resource: null,
    redirectUrl: null,
    siteTitle: "Swaptacular",
    serverApiEntrypoint: "/debtors/.debtor",
    serverApiTimeout: 8000,
    transferDeletionDelaySeconds: 1296000,
    defaultAmountDivisor: "100",
    defaultDecimalPlaces: 2,
    defaultPegAbbr: null,
    defaultPegCoin: null,
    registerIssuerUrl: null,
    installWalletUrl: null,
  });
});

test("what the web client proposes for a new currency is checked", () => {
  for (const [name, value] of [
    ["WEBAPP_DEFAULT_AMOUNT_DIVISOR", "0"],
    ["WEBAPP_DEFAULT_AMOUNT_DIVISOR", "1e2"],
    ["WEBAPP_DEFAULT_DECIMAL_PLACES", "21"],
    ["WEBAPP_DEFAULT_PEG_COIN", "https://example.com/debtors/1/public"],
    ["WEBAPP_SERVER_API_ENTRYPOINT", "//example.com/debtors/.debtor"],
    ["WEBAPP_REVOCATION_URL", "javascript:alert(1)"],
  ] as const) {
    assert.match(problemsOf({ [name]: value }).join(), new RegExp(`^${name}: .* is not valid; expected `), value);
  }
});

test("a client secret of any characters reaches the introspection endpoint, and is not shown", () => {
  const introspection = {
    APP_TRUSTED_PROXY_AUTH: "",
    APP_ANONYMOUS_IS_SUPERUSER: "",
    OAUTH2_INTROSPECT_URL: "https://auth/x",
  };
  for (const secret of ["a/b", "a@b", "a#b", "a%b", "a:b?c d", "ä+"]) {
    const { authentication } = read({
      ...introspection,
      OAUTH2_INTROSPECT_CLIENT_ID: "resource server",
      OAUTH2_INTROSPECT_CLIENT_SECRET: secret,
    });
    assert.ok(authentication.mode === "introspection");
    const { username, password, host, pathname } = new URL(authentication.introspectUrl);
    assert.deepEqual([username, password].map(decodeURIComponent), ["resource server", secret]);
    assert.deepEqual([host, pathname], ["auth", "/x"]);
  }
  const [problem] = problemsOf({ ...introspection, OAUTH2_INTROSPECT_CLIENT_SECRET: "hidden" });
  assert.match(problem!, /set both or neither/);
  const both = { OAUTH2_INTROSPECT_CLIENT_ID: "a", OAUTH2_INTROSPECT_CLIENT_SECRET: "hidden" };
  const [conflict] = problemsOf({ ...introspection, ...both, OAUTH2_INTROSPECT_URL: "https://b:c@auth/x" });
  assert.match(conflict!, /^OAUTH2_INTROSPECT_URL has a user name/);
});
