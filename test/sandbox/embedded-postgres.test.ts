import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import pg from "pg";
import { startEmbeddedPostgres } from "../../sandbox/embedded-postgres.ts";
import { isOpenToOthers } from "../support/unprivileged.ts";
import { waitFor } from "../support/wait.ts";

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Starts the server from another process, which writes its URL and lives until it is killed. */
function startElsewhere(folder: string) {
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(import.meta.resolve("../../sandbox/embedded-postgres.ts"))});
    const server = await startEmbeddedPostgres(${JSON.stringify({ folder, database: "demo" })});
    console.log(server.url);
    setInterval(() => {}, 1000);`;
  return spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
}

test("the embedded PostgreSQL keeps its data, also when the process that started it is killed", async () => {
  const parent = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-test-"));
  // As root the server runs as somebody else, who must be able to pass through.
  await chmod(parent, 0o755);
  const folder = path.join(parent, "postgres");
  try {
    const process = startElsewhere(folder);
    const [url] = (await once(process.stdout, "data")).map(String);
    await query(url!.trim(), "create table kept (id int8)");
    process.kill("SIGKILL");
    await once(process, "close");

    await using server = await startEmbeddedPostgres({ folder, database: "demo" });
    assert.deepEqual(await query(server.url, "select * from kept"), []);
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});

test("a temporary server leaves no files", async () => {
  const server = await startEmbeddedPostgres();
  const rows = (await query(server.url, "show data_directory")) as { data_directory: string }[];
  await server.stop();
  await assert.rejects(query(server.url, "select 1"));
  await assert.rejects(access(rows[0]!.data_directory), { code: "ENOENT" });
});

/** As another user of the machine, who knows the port. */
function withoutPassword(url: string): string {
  const open = new URL(url);
  open.password = "";
  return open.href;
}

test("other users of the machine cannot connect", async () => {
  await using server = await startEmbeddedPostgres();
  await assert.rejects(query(withoutPassword(server.url), "select 1"), /password/);
});

test("data that an earlier version has left open get a password, and are kept", async () => {
  const parent = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-test-"));
  await chmod(parent, 0o755);
  const folder = path.join(parent, "postgres");
  try {
    {
      await using server = await startEmbeddedPostgres({ folder });
      await query(server.url, "create table kept (id int8)");
    }
    await writeFile(path.join(folder, "data", "pg_hba.conf"), "host all all 127.0.0.1/32 trust\n");
    await rm(path.join(folder, "password"));
    for (let start = 1; start <= 2; start++) {
      await using server = await startEmbeddedPostgres({ folder });
      assert.deepEqual(await query(server.url, "select * from kept"), []);
      await assert.rejects(query(withoutPassword(server.url), "select 1"), /password/);
    }
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});

test("nothing is changed in a folder that was named by mistake", async () => {
  const parent = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-test-"));
  try {
    await chmod(parent, 0o755);
    for (const file of ["data/thesis.txt", "password", "program/main.c", "letter.txt"]) {
      const folder = path.join(parent, path.basename(file));
      await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
      await chmod(folder, 0o755);
      await writeFile(path.join(folder, file), "precious");
      await writeFile(path.join(folder, "notes"), "");
      await assert.rejects(startEmbeddedPostgres({ folder }), { message: /has other files.*--data-dir/ }, file);
      assert.equal(await readFile(path.join(folder, file), "utf8"), "precious");
      assert.equal((await stat(folder)).mode & 0o777, 0o755);
    }
    const folder = path.join(parent, "only-data");
    await mkdir(path.join(folder, "data"), { recursive: true });
    await writeFile(path.join(folder, "data", "thesis.txt"), "precious");
    await assert.rejects(startEmbeddedPostgres({ folder }), { message: /has other files, such as data;/ });
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});

test("a start that is killed while the data are created is made up for by the next one", async () => {
  const parent = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-test-"));
  await chmod(parent, 0o755);
  const folder = path.join(parent, "postgres");
  try {
    const process = startElsewhere(folder);
    const isCreating = async (): Promise<boolean> => {
      const found = await readdir(folder, { recursive: true }).catch(() => []);
      return found.some((file) => file.endsWith("PG_VERSION"));
    };
    await waitFor(isCreating, { what: "the file PG_VERSION" });
    process.kill("SIGKILL");
    await once(process, "close");

    await using server = await startEmbeddedPostgres({ folder });
    assert.deepEqual(await query(server.url, "select 1 as one"), [{ one: 1 }]);
    assert.deepEqual(
      (await readdir(folder)).filter((entry) => entry.startsWith("initdb-")),
      [],
    );
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});

test("data in a folder that other users may write to are rejected", async () => {
  const parent = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-test-"));
  try {
    await chmod(parent, 0o755);
    const folder = path.join(parent, "postgres");
    await mkdir(folder);
    await chmod(folder, 0o777);
    await assert.rejects(startEmbeddedPostgres({ folder }), { message: /Other users may write to .*postgres/ });
    if (process.getuid?.() !== 0) return; // Only root can give a folder away.
    await chmod(folder, 0o700);
    await chown(folder, 54_321, 54_321);
    await assert.rejects(startEmbeddedPostgres({ folder }), { message: /postgres belongs to another user/ });
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});

/** Only root can run a process as an unknown user, who must be able to read the program. */
const skip = process.getuid?.() !== 0 || !isOpenToOthers(process.execPath);
test("a user without a name gets the reason why no server can run", { skip }, async () => {
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(import.meta.resolve("../../sandbox/embedded-postgres.ts"))});
    await startEmbeddedPostgres().catch(({ name, message }) => console.log(name + ": " + message));`;
  const nameless = { uid: 54_321, gid: 54_321, cwd: "/" };
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    ...nameless,
    // The folder of the test run belongs to the user who runs it.
    env: { ...process.env, TMPDIR: "/tmp" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = (await child.stdout.toArray()).map(String).join("");
  assert.match(output, /^EmbeddedPostgresError: .*could not look up effective user ID 54321.*\n$/);
});
