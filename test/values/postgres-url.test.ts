import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import { ConnectionUrlError, parseConnectionUrl as parse } from "../../src/values/postgres-url.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-postgres-url-"));
const file = path.join(folder, "some.pem");
await writeFile(file, "-----BEGIN CERTIFICATE-----");
after(() => rm(folder, { recursive: true }));

/** What libpq takes when nothing says otherwise. */
const [user, folderOrHost] = [
  os.userInfo().username,
  existsSync("/var/run/postgresql") ? "/var/run/postgresql" : "localhost",
];
const parseConnectionUrl = (url: string, environment: Readonly<Record<string, string>> = {}) => parse(url, environment);

const rejected = (url: string, reason: RegExp): void =>
  assert.throws(
    () => parseConnectionUrl(url),
    (error) => error instanceof ConnectionUrlError && reason.test(error.message),
    url,
  );

for (const [url, ...expected] of [
  ["postgresql://", [user, undefined, user], [folderOrHost, 5432]],
  ["postgresql:///db", [user, undefined, "db"], [folderOrHost, 5432]],
  ["postgresql://:5433/db", [user, undefined, "db"], [folderOrHost, 5433]],
  ["postgresql://localhost", [user, undefined, user], ["localhost", 5432]],
  ["postgresql://h:/", [user, undefined, user], ["h", 5432]],
  ["postgresql://u@h", ["u", undefined, "u"], ["h", 5432]],
  ["postgresql://:p@h/db", [user, "p", "db"], ["h", 5432]],
  ["postgresql://u:p@h:5433/db", ["u", "p", "db"], ["h", 5433]],
  ["postgres://u@h/db", ["u", undefined, "db"], ["h", 5432]],
  ["postgresql://u:p%C3%A4%2F%40%3A@h/d%2Fb", ["u", "pä/@:", "d/b"], ["h", 5432]],
  ["postgresql://u:a:b@h/db", ["u", "a:b", "db"], ["h", 5432]],
  ["postgresql://u@[2001:db8::1]:5433/db", ["u", undefined, "db"], ["2001:db8::1", 5433]],
  ["postgresql://u@[fe80::1%25eth0]/db", ["u", undefined, "db"], ["fe80::1%eth0", 5432]],
  ["postgresql://user:pw@/db?host=/var/run/postgresql", ["user", "pw", "db"], ["/var/run/postgresql", 5432]],
  ["postgresql://u@h/db?host=/srv/sockets,/tmp", ["u", undefined, "db"], ["/srv/sockets", 5432], ["/tmp", 5432]],
  ["postgresql://u@%2Fvar%2Frun%2Fpostgresql:5433/db", ["u", undefined, "db"], ["/var/run/postgresql", 5433]],
  ["postgresql:///db?host=h&port=5433&user=u&password=p", ["u", "p", "db"], ["h", 5433]],
  ["postgresql://u@h/db?dbname=other", ["u", undefined, "other"], ["h", 5432]],
  ["postgresql://u@h1:5433,h2:5432,[::1]/db", ["u", undefined, "db"], ["h1", 5433], ["h2", 5432], ["::1", 5432]],
  ["postgresql://u@h1,,h2:1/db", ["u", undefined, "db"], ["h1", 5432], [folderOrHost, 5432], ["h2", 1]],
  ["postgresql://u@h1,h2:1/db?host=a,b&port=7,8", ["u", undefined, "db"], ["a", 7], ["b", 8]],
  ["postgresql://u@h1,h2/db?port=7", ["u", undefined, "db"], ["h1", 7], ["h2", 7]],
] as const) {
  test(`${url} means what it means to libpq`, () => {
    const { user, password, database, servers } = parseConnectionUrl(url);
    assert.deepEqual([[user, password, database], ...servers.map(({ host, port }) => [host, port])], expected);
  });
}

const variables = {
  PGHOST: "a,b",
  PGPORT: "1,2",
  PGUSER: "u",
  PGPASSWORD: "p",
  PGDATABASE: "d",
  PGOPTIONS: "-c search_path=x",
  PGCONNECT_TIMEOUT: "3",
  PGTARGETSESSIONATTRS: "primary",
  PGSSLMODE: "require",
  PGSSLROOTCERT: file,
  PGPASSFILE: "/run/secrets/pgpass",
};

test("libpq's environment variables say what the URL does not", () => {
  const target = parseConnectionUrl("postgresql://", variables);
  assert.deepEqual(target.servers, [
    { host: "a", port: 1 },
    { host: "b", port: 2 },
  ]);
  assert.deepEqual(
    [target.user, target.password, target.database, target.options],
    ["u", "p", "d", "-c search_path=x"],
  );
  assert.deepEqual([target.connectTimeoutMillis, target.sessionAttributes], [3000, "primary"]);
  assert.deepEqual([target.tls.mode, target.tls.rootCertificate], ["require", file]);
  assert.equal(target.passwordFile, "/run/secrets/pgpass");
});

test("the URL has precedence over libpq's environment variables, and an empty one counts as not set", () => {
  const url = "postgresql://v:q@h:7/e?sslmode=disable&options=o&target_session_attrs=any&passfile=/f&connect_timeout=9";
  const target = parseConnectionUrl(url, variables);
  assert.deepEqual(target.servers, [{ host: "h", port: 7 }]);
  assert.deepEqual([target.user, target.password, target.database, target.options], ["v", "q", "e", "o"]);
  assert.deepEqual([target.connectTimeoutMillis, target.sessionAttributes], [9000, "any"]);
  assert.deepEqual([target.tls.mode, target.passwordFile], ["disable", "/f"]);
  assert.deepEqual(parseConnectionUrl("postgresql://h/db", { PGPORT: "8" }).servers, [{ host: "h", port: 8 }]);
  const padded = parseConnectionUrl("postgresql://h/db", { PGPORT: " 8 ", PGCONNECT_TIMEOUT: " 3 " });
  assert.deepEqual([padded.servers[0]!.port, padded.connectTimeoutMillis], [8, 3000]);
  const empty = Object.fromEntries(Object.keys(variables).map((name) => [name, ""]));
  assert.deepEqual(parseConnectionUrl("postgresql://h/db", empty), parseConnectionUrl("postgresql://h/db"));
});

test("an environment variable of libpq that cannot be honored is rejected by its name", () => {
  for (const [variable, value, reason] of [
    ["PGSERVICE", "x", /variable PGSERVICE is not supported/],
    ["PGSSLCRL", "x", /variable PGSSLCRL is not supported/],
    ["PGREQUIREAUTH", "scram-sha-256", /variable PGREQUIREAUTH is not supported/],
    ["PGHOSTADDR", "127.0.0.1", /variable PGHOSTADDR is not supported/],
    ["PGCHANNELBINDING", "require", /PGCHANNELBINDING=require.*prefer/],
    ["PGSSLMODE", "no-verify", /PGSSLMODE=no-verify.*verify-full/],
    ["PGPORT", "x", /PGPORT/],
    ["PGCONNECT_TIMEOUT", "0x5", /PGCONNECT_TIMEOUT/],
    ["PGSSLCERT", file, /PGSSLCERT/],
  ] as const) {
    assert.throws(
      () => parseConnectionUrl("postgresql://h/db", { [variable]: value }),
      (error) => error instanceof ConnectionUrlError && reason.test(error.message),
      variable,
    );
  }
});

test("a URL without a user name means the user of PGUSER, otherwise the system's, whatever USER says", async () => {
  const script = `import { parseConnectionUrl } from ${JSON.stringify(import.meta.resolve("../../src/values/postgres-url.ts"))};
    for (const url of ["postgresql://h/db", "postgresql://u@h/db"]) console.log(parseConnectionUrl(url).user);`;
  const usersWith = async (environment: NodeJS.ProcessEnv): Promise<string> => {
    const options = { env: { PATH: process.env.PATH, ...environment } };
    return (await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], options)).stdout;
  };
  assert.equal(await usersWith({}), `${user}\nu\n`);
  assert.equal(await usersWith({ USER: "somebody" }), `${user}\nu\n`);
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
  assert.equal(parseConnectionUrl("postgresql://h/db?ssl=true").tls.mode, "require");
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
    ["hostaddr=127.0.0.1", /hostaddr/],
    ["keepalives_idle=30", /keepalives_idle/],
    ["tcp_user_timeout=30", /tcp_user_timeout/],
    ["require_auth=scram-sha-256", /require_auth/],
    ["SSLMODE=require", /SSLMODE/],
    ["sslmode", /sslmode has no value/],
    ["sslmode=", /sslmode= is not supported/],
    ["host=@abstract", /abstract namespace/],
    ["password=a%00b", /%00/],
    ["ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2", /later than/],
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
