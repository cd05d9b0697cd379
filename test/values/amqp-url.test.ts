import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { BrokerUrlError, parseBrokerUrls } from "../../src/values/amqp-url.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-amqp-url-"));
const file = path.join(folder, "some.pem");
await writeFile(file, "PEM");
after(() => rm(folder, { recursive: true }));

for (const [url, expected] of [
  ["amqp://", [["amqp", "guest", "guest", "localhost", 5672, "/"]]],
  ["amqp://h", [["amqp", "guest", "guest", "h", 5672, "/"]]],
  ["amqps://h/", [["amqps", "guest", "guest", "h", 5671, "/"]]],
  ["amqp://u1:p%C3%A4ssw%C3%B6rd@h:5673/v", [["amqp", "u1", "pässwörd", "h", 5673, "v"]]],
  ["amqp://u:a@b:c@h/%2Fv", [["amqp", "u", "a@b:c", "h", 5672, "/v"]]],
  ["amqp://u:,p@h/v", [["amqp", "u", ",p", "h", 5672, "v"]]],
  ["amqp://[::1]:5673/v", [["amqp", "guest", "guest", "::1", 5673, "v"]]],
  ["amqp://h?heartbeat=10", [["amqp", "guest", "guest", "h", 5672, "/"]]],
  ["amqp://h/%2f", [["amqp", "guest", "guest", "h", 5672, "/"]]],
  ["amqp:///v", [["amqp", "guest", "guest", "localhost", 5672, "v"]]],
  ["amqp://u@h:/a%2Cb", [["amqp", "u", "", "h", 5672, "a,b"]]],
  [
    "amqp://h1/v , amqp://h2/v",
    [
      ["amqp", "guest", "guest", "h1", 5672, "v"],
      ["amqp", "guest", "guest", "h2", 5672, "v"],
    ],
  ],
  [
    "amqp://a:b@h1:1/v,amqp://a:b@h2:2/v,amqp://a:b@h3/v",
    [
      ["amqp", "a", "b", "h1", 1, "v"],
      ["amqp", "a", "b", "h2", 2, "v"],
      ["amqp", "a", "b", "h3", 5672, "v"],
    ],
  ],
] as const) {
  test(`${url} is parsed`, () => {
    const { addresses } = parseBrokerUrls(url);
    assert.deepEqual(
      addresses.map((a) => [a.protocol, a.username, a.password, a.hostname, a.port, a.vhost]),
      expected,
    );
  });
}

test("user name, password and virtual host may be any text, percent-encoded in UTF-8", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(
    fc.property(text, text, text, (user, password, vhost) => {
      const [u, p, v] = [user, password, vhost].map((part) => encodeURIComponent(part.toWellFormed()));
      const [address] = parseBrokerUrls(`amqp://${u}:${p}@h/${v}`).addresses;
      assert.deepEqual([address!.username, address!.password, address!.vhost], [user, password, vhost]);
    }),
  );
});

test("certificates, verification and heartbeat are those of the parameters", () => {
  const url = `amqps://h/v?cacertfile=${file}&certfile=${file}&keyfile=${file}&verify=verify_none&heartbeat=7&auth_mechanism=external`;
  const { addresses, tls, authenticatesByCertificate } = parseBrokerUrls(url);
  assert.deepEqual([tls.ca, tls.cert, tls.key, tls.rejectUnauthorized], ["PEM", "PEM", "PEM", false]);
  assert.deepEqual([addresses[0]!.heartbeat, authenticatesByCertificate], [7, true]);
  assert.equal(parseBrokerUrls("amqps://h/v").tls.rejectUnauthorized, true);
});

test("unsupported parameters are rejected by name, and no error contains a password", () => {
  for (const [url, reason] of [
    ["amqp://u:hidden@h1,h2/v", /whole URLs/],
    ["amqp://u:hidden@h1/v,amqp://u:hidden@h2/w", /virtual host/],
    [`amqps://u:hidden@h1/v,amqps://u:hidden@h2/v?cacertfile=${file}`, /same certificates/],
    ["amqp://u:hidden@h/v/w", /form/],
    ["amqp://u:hidden@h/v?blocked_connection_timeout=1", /blocked_connection_timeout/],
    ["amqp://u:hidden@h/v?frameMax=1", /frameMax/],
    ["amqp://u:hidden@h/v?heartbeat=never", /heartbeat=never/],
    ["amqp://u:hidden@h1/v,", /whole URLs.*%2C/],
    ["amqp://u:hidden@h1/v,h2", /whole URLs/],
    ["amqp://u:hidden@h/v?connection_attempts=3", /connection_attempts/],
    ["amqps://u:hidden@h/v?fail_if_no_peer_cert=true", /fail_if_no_peer_cert/],
    ["amqps://u:hidden@h/v?server_name_indication=disable", /server_name_indication=disable/],
    ["amqp://u:hidden@h/v?server_name_indication=x", /server_name_indication needs.*amqps/],
    ["amqp://u:hidden@h/v?password=hidden", /password needs.*amqps/],
    ["amqp://u:hidden@h/v?auth_mechanism=external", /external needs amqps/],
    ["amqps://u:hidden@h/v?auth_mechanism=external", /external needs.*certfile/],
    ["amqp://u:hidden@h/v?auth_mechanism=amqplain", /auth_mechanism=amqplain/],
    [`amqp://u:hidden@h/${"%C3%A4".repeat(128)}`, /longer than 255 bytes/],
    ["amqp://u:hidden@h/v?verify=verify_peer", /verify needs.*amqps/],
    ["amqps://u:hidden@h/v?verify=maybe", /verify=maybe.*verify_peer/],
    [`amqps://u:hidden@h/v?certfile=${file}`, /keyfile/],
    ["amqps://u:hidden@h/v?cacertfile=/nowhere/ca.pem", /cacertfile cannot be read/],
    ["amqp://u:hidden@h:99999/v", /port=99999/],
    ["amqp://u:hid%den@h/v", /percent/],
  ] as const) {
    assert.throws(
      () => parseBrokerUrls(url),
      (error) => error instanceof BrokerUrlError && reason.test(error.message) && !/hid|den@/.test(error.message),
      url,
    );
  }
});
