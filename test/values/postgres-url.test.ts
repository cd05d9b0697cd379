import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import { ConnectionUrlError, parseConnectionUrl } from "../../src/values/postgres-url.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-postgres-url-"));
const file = path.join(folder, "some.pem");
await writeFile(file, "-----BEGIN CERTIFICATE-----");
after(() => rm(folder, { recursive: true }));
delete process.env.PGUSER;
const systemUser = os.userInfo().username;

const rejected = (url: string, reason: RegExp): void =>
  assert.throws(
    () => parseConnectionUrl(url),
    (error) => error instanceof ConnectionUrlError && reason.test(error.message),
    url,
  );

for (const [url, expected] of [
  ["postgresql://", [systemUser, undefined, undefined, [[undefined, undefined]]]],
  ["postgresql://localhost", [systemUser, undefined, undefined, [["localhost", undefined]]]],
  ["postgresql://u:p@h:5433/db", ["u", "p", "db", [["h", 5433]]]],
  ["postgres://u@h/db", ["u", undefined, "db", [["h", undefined]]]],
  ["postgresql://u:p%C3%A4%2F%40%3A@h/d%2Fb", ["u", "pä/@:", "d/b", [["h", undefined]]]],
  ["postgresql://u:a:b@h/db", ["u", "a:b", "db", [["h", undefined]]]],
  ["postgresql://[2001:db8::1]:5433/db", [systemUser, undefined, "db", [["2001:db8::1", 5433]]]],
  ["postgresql://user:pw@/db?host=/var/run/postgresql", ["user", "pw", "db", [["/var/run/postgresql", undefined]]]],
  ["postgresql://%2Fvar%2Frun%2Fpostgresql/db", [systemUser, undefined, "db", [["/var/run/postgresql", undefined]]]],
  ["postgresql:///db?host=h&port=5433&user=u&password=p", ["u", "p", "db", [["h", 5433]]]],
  ["postgresql://h/db?dbname=other", [systemUser, undefined, "other", [["h", undefined]]]],
  [
    "postgresql://u@h1:5433,h2:5432,[::1]/db",
    [
      "u",
      undefined,
      "db",
      [
        ["h1", 5433],
        ["h2", 5432],
        ["::1", undefined],
      ],
    ],
  ],
  [
    "postgresql://h1,h2:1/db?host=a,b&port=7,8",
    [
      systemUser,
      undefined,
      "db",
      [
        ["a", 7],
        ["b", 8],
      ],
    ],
  ],
] as const) {
  test(`${url} means what it means to libpq`, () => {
    const { user, password, database, servers } = parseConnectionUrl(url);
    assert.deepEqual([user, password, database, servers.map(({ host, port }) => [host, port])], expected);
  });
}

test("a URL without a user name means the user of PGUSER, otherwise the system's, whatever USER says", async () => {
  const script = `import { parseConnectionUrl } from ${JSON.stringify(import.meta.resolve("../../src/values/postgres-url.ts"))};
    for (const url of ["postgresql://h/db", "postgresql://u@h/db"]) console.log(parseConnectionUrl(url).user);`;
  const usersWith = async (environment: NodeJS.ProcessEnv): Promise<string> => {
    const options = { env: { PATH: process.env.PATH, ...environment } };
    return (await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], options)).stdout;
  };
  assert.equal(await usersWith({}), `${systemUser}\nu\n`);
  assert.equal(await usersWith({ USER: "somebody" }), `${systemUser}\nu\n`);
  assert.equal(await usersWith({ PGUSER: "somebody" }), "somebody\nu\n");
});

test("user, password and database may be any text, percent-encoded in UTF-8", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(
    fc.property(text, text, text, (user, password, database) => {
      const [u, p, d] = [user, password, database].map((part) => encodeURIComponent(part.toWellFormed()));
      const target = parseConnectionUrl(`postgresql://${u}:${p}@h/${d}`);
      assert.deepEqual([target.user, target.password, target.database], [user, password, database]);
    }),
  );
});

test("sslmode is prefer unless it is given, and verify-full with the authorities of the system", () => {
  assert.equal(parseConnectionUrl("postgresql://h/db").tls.mode, "prefer");
  assert.equal(parseConnectionUrl("postgresql://h/db?sslrootcert=system").tls.mode, "verify-full");
  const { tls } = parseConnectionUrl(
    `postgresql://h/db?sslmode=verify-ca&sslrootcert=${file}&sslcert=${file}&sslkey=${file}`,
  );
  assert.deepEqual([tls.mode, tls.rootCertificate, tls.certificate, tls.key], ["verify-ca", file, file, file]);
  assert.equal(parseConnectionUrl("postgresql://h/db?sslmode=require&sslnegotiation=direct").tls.negotiation, "direct");
});

test("parameters that the driver does not support are rejected by name", () => {
  for (const [parameter, reason] of [
    ["sslcrl=x", /sslcrl/],
    ["service=x", /service/],
    ["passfile=x", /passfile/],
    ["channel_binding=require", /channel_binding=require/],
    ["gssencmode=require", /gssencmode=require/],
    ["load_balance_hosts=random", /load_balance_hosts=random/],
    ["target_session_attrs=standby", /target_session_attrs=standby.*read-write/],
    ["client_encoding=LATIN1", /client_encoding=LATIN1/],
    ["sslmode=no-verify", /sslmode=no-verify.*verify-full/],
    ["uselibpqcompat=true", /uselibpqcompat/],
    ["connect_timeout=soon", /connect_timeout/],
    ["sslmode=verify-full", /sslrootcert/],
    ["sslmode=require&sslrootcert=system", /verify-full/],
    ["sslnegotiation=direct", /sslmode/],
    [`sslmode=require&sslcert=${file}`, /sslcert and sslkey/],
    ["sslmode=require&sslrootcert=/nowhere/ca.pem", /sslrootcert cannot be read.*ENOENT/],
    ["port=1,2,3", /1 hosts and 3 ports/],
    ["port=99999", /port/],
    ["user=%ff", /percent/],
  ] as const) {
    rejected(`postgresql://h/db?${parameter}`, reason);
  }
});

test("no error contains a password", () => {
  for (const url of [
    "postgresql://u:hidden/x@h/db",
    "postgresql://u:hid%den@h/db",
    "postgresql://u:hid@den@h/db",
    "postgresql://u:hidden@h:port/db",
    "mysql://u:hidden@h/db",
  ]) {
    assert.throws(
      () => parseConnectionUrl(url),
      (error) => error instanceof ConnectionUrlError && !/hid|den/.test(error.message),
      url,
    );
  }
});
