/** A database of its own for a test file, with the program's schema. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import pg from "pg";
import { openPool, type Pool } from "../../src/database/database.ts";
import { migrate } from "../../src/database/migrations.ts";
import { findPostgres, newTestName, testNamePrefix } from "./services.ts";

/** A database for one test file. `await using` closes it as well. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly pool: Pool;
  /** Closes the pool and drops the database, connections of others included. */
  close(): Promise<void>;
}

/** Makes a database with the newest schema and no rows: the copy of a template that the first caller makes. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = await findPostgres();
  return createDatabase(server, await findTemplate(server));
}

/** Makes a database without a schema. */
export const createEmptyDatabase = async (): Promise<TestDatabase> => createDatabase(await findPostgres(), "template0");

/** Drops the databases whose names begin so, and which a test has left behind. */
export async function dropDatabases(server: string, prefix: string): Promise<void> {
  await onServer(server, async (client) => {
    const { rows } = await client.query("select datname from pg_database where starts_with(datname, $1)", [prefix]);
    for (const { datname } of rows) await client.query(`drop database if exists ${datname} with (force)`);
  });
}

async function createDatabase(server: string, template: string): Promise<TestDatabase> {
  const name = newTestName();
  await onServer(server, async (client) => {
    await client.query(`create database ${name} template ${template}`);
    // A test's data need not survive a power failure.
    await client.query(`alter database ${name} set synchronous_commit = off`);
  });
  const url = withDatabase(server, name);
  const pool = openPool({ url, size: 10, applicationName: "test" });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      await pool.close();
      await onServer(server, (client) => client.query(`drop database if exists ${name} with (force)`));
    })();
    return closing;
  };
  return { url, pool, close, [Symbol.asyncDispose]: close };
}

/** The template is named after the text of the migrations, so that an old one is never taken. */
async function findTemplate(server: string): Promise<string> {
  const migrations = await readMigrations();
  const name = `${testNamePrefix}template_${createHash("sha256").update(migrations.join("\0")).digest("hex").slice(0, 12)}`;
  await onServer(server, async (client) => {
    // Test files run side by side, and the first of them makes the template. The lock goes with the connection.
    await client.query("select pg_advisory_lock(hashtext('swpt-debtors test template'))");
    const { rowCount } = await client.query("select from pg_database where datname = $1", [name]);
    if (rowCount === 1) return;
    const unfinished = `${name}_unfinished`;
    await client.query(`drop database if exists ${unfinished} with (force)`);
    await client.query(`create database ${unfinished} template template0`);
    const pool = openPool({ url: withDatabase(server, unfinished), size: 1, applicationName: "test" });
    try {
      await migrate(pool);
    } finally {
      await pool.close();
    }
    await client.query(`alter database ${unfinished} rename to ${name}`);
  });
  return name;
}

const migrationsFolder = new URL("../../src/database/migrations/", import.meta.url);

async function readMigrations(): Promise<string[]> {
  const files = (await readdir(migrationsFolder)).filter((file) => file.endsWith(".sql")).sort();
  return Promise.all(files.map((file) => readFile(new URL(file, migrationsFolder), "utf8")));
}

async function onServer(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** The URL with a parameter more, such as `sslmode=disable`. */
export const withParameter = (url: string, parameter: string): string =>
  `${url}${url.includes("?") ? "&" : "?"}${parameter}`;

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
