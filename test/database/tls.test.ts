/** A PostgreSQL with TLS and client certificates: what an operator is told, and certificates that are replaced. */
import assert from "node:assert/strict";
import { chmod, chown, copyFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { startEmbeddedPostgres } from "../../sandbox/embedded-postgres.ts";
import { DatabaseUnavailableError, openPool } from "../../src/database/database.ts";
import { createAuthority, type KeyPair } from "../support/tls-files.ts";
import { waitFor } from "../support/wait.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-database-tls-"));
const authority = await createAuthority(folder, "ca");
const stranger = await createAuthority(folder, "stranger");
const server = await startEmbeddedPostgres();
const superuser = openPool({ url: server.url, size: 1, applicationName: "test" });
after(async () => {
  await superuser.close();
  await server.stop();
  await rm(folder, { recursive: true });
});
await requireTls(authority.sign("server", "localhost"));
const client = authority.sign("client", "swpt_debtors");
const port = new URL(server.url).port;

/** As an administrator sets it up: a password for some databases, a client certificate for another, or both. */
async function requireTls(pair: KeyPair): Promise<void> {
  const run = (text: string) => superuser.run({ name: "", text });
  const { data_directory: data } = (await superuser.maybeOne<{ data_directory: string }>({
    name: "",
    text: "show data_directory",
  }))!;
  const { uid, gid } = await stat(data);
  for (const [file, source] of Object.entries({ "s.crt": pair.cert, "s.key": pair.key, "ca.crt": authority.cert })) {
    await copyFile(source, path.join(data, file));
    await chmod(path.join(data, file), 0o600);
    await chown(path.join(data, file), uid, gid);
  }
  const rules = [
    "host all postgres 127.0.0.1/32 trust",
    "hostssl by_password swpt_debtors all scram-sha-256",
    "hostssl by_certificate swpt_debtors all cert clientcert=verify-full",
    "hostssl by_both swpt_debtors all scram-sha-256 clientcert=verify-full",
  ];
  await writeFile(path.join(data, "pg_hba.conf"), `${rules.join("\n")}\n`);
  for (const text of [
    "create role swpt_debtors login password 'secret'",
    ...["by_password", "by_certificate", "by_both"].map((name) => `create database ${name} owner swpt_debtors`),
    "alter system set ssl_cert_file = 's.crt'",
    "alter system set ssl_key_file = 's.key'",
    "alter system set ssl_ca_file = 'ca.crt'",
    "alter system set ssl = on",
    "select pg_reload_conf()",
  ]) {
    await run(text);
  }
}

const queryOf = ({ cert, key }: KeyPair): string =>
  `sslmode=verify-full&sslrootcert=${authority.cert}&sslcert=${cert}&sslkey=${key}`;
const urlOf = (database: string, query: string, { user = "swpt_debtors:secret", host = "localhost" } = {}): string =>
  `postgresql://${user}@${host}:${port}/${database}?${query}`;

/** What a statement at the URL ends with. */
async function outcomeAt(url: string): Promise<string> {
  const pool = openPool({ url, size: 1, applicationName: "test" });
  try {
    await pool.many({ name: "", text: "select 1" });
    return "connected";
  } catch (error) {
    assert.ok(error instanceof DatabaseUnavailableError, String(error));
    return error.message;
  } finally {
    await pool.close();
  }
}

const anyCertificate = `sslmode=verify-full&sslrootcert=${authority.cert}`;
const expired = authority.sign("expired", "swpt_debtors", -1);
const foreign = stranger.sign("foreign", "swpt_debtors");
const somebody = authority.sign("somebody", "somebody");
await waitFor(async () => (await outcomeAt(urlOf("by_password", anyCertificate))) === "connected");

for (const [what, url, outcome] of [
  ["a password", urlOf("by_password", anyCertificate), /^connected$/],
  ["a certificate", urlOf("by_certificate", queryOf(client), { user: "swpt_debtors" }), /^connected$/],
  ["a certificate and a password", urlOf("by_both", queryOf(client)), /^connected$/],
  [
    "an unknown authority",
    urlOf("by_password", `sslmode=verify-full&sslrootcert=${stranger.cert}`),
    /not signed by a known authority .*: check sslrootcert \(POSTGRES_URL\)/,
  ],
  [
    "another host name",
    urlOf("by_password", anyCertificate, { host: "127.0.0.1" }),
    /certificate is for DNS:localhost, and not for 127\.0\.0\.1/,
  ],
  ["no client certificate", urlOf("by_both", anyCertificate), /client certificate; set sslcert and sslkey .*28000/],
  [
    "an expired client certificate",
    urlOf("by_both", queryOf(expired)),
    /client certificate has expired: renew sslcert/,
  ],
  ["a foreign client certificate", urlOf("by_both", queryOf(foreign)), /does not know the authority .*: check sslcert/],
  [
    "another's client certificate",
    urlOf("by_certificate", queryOf(somebody)),
    /certificate authentication failed for user "swpt_debtors"; check .*sslcert.*28000/,
  ],
  [
    "a key of another certificate",
    urlOf("by_both", queryOf({ ...client, key: foreign.key })),
    /sslcert and sslkey do not belong together/,
  ],
  [
    "a wrong password",
    urlOf("by_password", anyCertificate, { user: "swpt_debtors:wrong" }),
    /password authentication failed .*; check user name and password in POSTGRES_URL \(28P01\)$/,
  ],
  ["no password", urlOf("by_password", anyCertificate, { user: "swpt_debtors" }), /POSTGRES_URL needs one$/],
  ["no TLS", urlOf("by_password", "sslmode=disable"), /no encryption; check POSTGRES_URL .*pg_hba\.conf \(28000\)$/],
  [
    "a wrong password, with and without TLS",
    urlOf("by_password", "sslmode=prefer", { user: "swpt_debtors:wrong" }),
    /: with TLS: password authentication failed .*; without TLS: no pg_hba\.conf entry/,
  ],
] as const) {
  test(`${what}: the outcome is what a new operator needs to read`, async () => {
    assert.match(await outcomeAt(url), outcome);
  });
}

test("a certificate that is replaced is used for the next connection, without a restart", async () => {
  const used = { cert: path.join(folder, "used.crt"), key: path.join(folder, "used.key") };
  const put = async ({ cert, key }: KeyPair): Promise<void> => {
    await writeFile(used.cert, await readFile(cert));
    await writeFile(used.key, await readFile(key));
  };
  await put(expired);
  const pool = openPool({ url: urlOf("by_both", queryOf(used)), size: 1, applicationName: "test" });
  try {
    await assert.rejects(pool.many({ name: "", text: "select 1" }), /has expired/);
    await put(client);
    await pool.many({ name: "", text: "select 1" });
  } finally {
    await pool.close();
  }
});

test("a password file is used without a warning, and only if nobody else may read it", async () => {
  const warnings: Error[] = [];
  const collect = (warning: Error): void => void warnings.push(warning);
  process.on("warning", collect);
  const passwordFile = path.join(folder, "pgpass");
  const url = urlOf("by_password", `${anyCertificate}&passfile=${passwordFile}`, { user: "swpt_debtors" });
  assert.match(await outcomeAt(url), /POSTGRES_URL needs one$/);

  const lines = [
    "# a comment",
    "other:*:*:*:wrong",
    `localhost:${port}:by\\_password:swpt_debtors:secret`,
    "*:*:*:*:wrong",
  ];
  await writeFile(passwordFile, `${lines.join("\n")}\n`, { mode: 0o600 });
  assert.equal(await outcomeAt(url), "connected");

  await chmod(passwordFile, 0o640);
  assert.match(await outcomeAt(url), /pgpass must not be accessible to others \(chmod 600\)$/);
  process.off("warning", collect);
  assert.deepEqual(warnings, []);
});
