import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NodeDataError } from "../../src/node-data/node-data-error.ts";
import { formatStompToml, parseServerAddress, parseStompToml } from "../../src/node-data/stomp-toml.ts";

const placeholder = ["$", "{NODE_ID}"].join("");
const FILE = "peers/1234abcd/nodeinfo/stomp.toml";

function errorOf(text: string): string {
  try {
    parseStompToml(text, FILE);
  } catch (error) {
    assert.ok(error instanceof NodeDataError);
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  assert.fail(`accepted: ${text}`);
}

test("every key of the file is read", () => {
  const text = `
    # a comment
    servers = ["stomp.example.com:1234", '10.0.0.1:65535', "[2001:db8::1]:1", "host.docker.internal:1236", "my_host:2"]
    host = "/"
    destination = "/exchange/accounts_in"
    login = "${placeholder}"
    passcode = """secret"""
    accepted-content-types = ["application/json", "text/plain"]
    [contact]
    email = "somebody@example.com"`;
  assert.deepEqual(parseStompToml(text, FILE), {
    servers: [
      { host: "stomp.example.com", port: 1234 },
      { host: "10.0.0.1", port: 65535 },
      { host: "2001:db8::1", port: 1 },
      { host: "host.docker.internal", port: 1236 },
      { host: "my_host", port: 2 },
    ],
    host: "/",
    destination: "/exchange/accounts_in",
    login: placeholder,
    passcode: "secret",
    acceptedContentTypes: ["application/json", "text/plain"],
  });
});

test("login, passcode and content types are optional, and the file of a new node is valid", () => {
  assert.deepEqual(parseStompToml(formatStompToml("[::1]:1234", "/exchange/debtors_in"), FILE), {
    servers: [{ host: "::1", port: 1234 }],
    host: "/",
    destination: "/exchange/debtors_in",
    login: undefined,
    passcode: undefined,
    acceptedContentTypes: ["application/json"],
  });
});

for (const [key, servers, rest] of [
  ["servers", "[]", ""],
  ["servers", '["x"]', ""],
  ["servers", '["a:0"]', ""],
  ["servers", '["-a:1"]', ""],
  ["servers", '"a:1"', ""],
  ["servers", "[1]", ""],
  ["servers", '["a:1", "b"]', ""],
  ["login", '["a:1"]', "login = 5"],
  ["passcode", '["a:1"]', "passcode = ''"],
  ["accepted-content-types", '["a:1"]', "accepted-content-types = 'application/json'"],
] as const) {
  test(`servers = ${servers} ${rest}: one line names the file and ${key}`, () => {
    const text = `servers = ${servers}\nhost = "/"\ndestination = "/exchange/accounts_in"\n${rest}`;
    assert.match(errorOf(text), new RegExp(`^${FILE}: ${key}: not valid; expected .*\\.$`));
  });
}

for (const key of ["servers", "host", "destination"]) {
  test(`without ${key}: one line names the file and the key`, () => {
    const lines = ['servers = ["a:1"]', 'host = "/"', 'destination = "/exchange/accounts_in"'];
    const text = lines.filter((line) => !line.startsWith(key)).join("\n");
    assert.match(errorOf(text), new RegExp(`^${FILE}: ${key}: missing; expected .*\\.$`));
  });
}

test("a TOML syntax error is reported by line and column without quoting the text, which may be a passcode", () => {
  const problem = errorOf('servers = ["a:1"]\npasscode = "hunter2\nhost = "/"\n');
  assert.match(problem, new RegExp(`^${FILE}: line 2, column \\d+: `));
  assert.doesNotMatch(problem, /hunter2/);
});

test("a server address is parsed from its text, with the extreme ports and lengths", () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/);
  const host = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.array(label, { minLength: 1, maxLength: 6 }).map((l) => l.join(".")),
  );
  const port = fc.oneof(fc.integer({ min: 1, max: 65535 }), fc.constantFrom(1, 65535));
  fc.assert(
    fc.property(host, port, (host, port) => {
      const text = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
      assert.deepEqual(parseServerAddress(text), { host, port });
    }),
  );
  for (const text of [
    "a:65536",
    "a:01",
    "a:",
    ":1",
    "a",
    "a:1:2",
    "::1:1",
    "[::1]",
    "[a]:1",
    "a b:1",
    "a-:1",
    "a..b:1",
  ]) {
    assert.equal(parseServerAddress(text), undefined, text);
  }
});
