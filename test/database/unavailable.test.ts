import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { TLSSocket } from "node:tls";
import { type Database, DatabaseUnavailableError, openPool, type Pool } from "../../src/database/database.ts";
import { connectionError } from "../../src/database/errors.ts";
import { selfSigned } from "../auth/self-signed.ts";
import { createTestDatabase, withParameter } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";

const database = await createTestDatabase();
const { pool } = database;
const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-unavailable-"));
const authority = path.join(folder, "ca.pem");
await writeFile(authority, selfSigned.cert);
after(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

const ask = (db: Database) => db.maybeOne({ name: "ask", text: "select 1 as one" });
const base = new URL(database.url);
const name = base.pathname.slice(1);
const server = `${base.hostname}:${base.port || 5432}`;
const urlWith = (parameter: string): string => withParameter(database.url, parameter);

async function withPool(url: string, work: (pool: Pool) => Promise<void>): Promise<void> {
  const other = openPool({ url, size: 2, applicationName: "test" });
  try {
    await work(other);
  } finally {
    await other.close();
  }
}

/** A server that does this with every connection. */
async function startServer(onConnection: (socket: Socket) => void): Promise<{ address: string; close(): void }> {
  const sockets = new Set<Socket>();
  const listener: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onConnection(socket);
  }).listen(0, "0.0.0.0");
  await once(listener, "listening");
  const close = (): void => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  };
  return { address: `127.0.0.1:${(listener.address() as AddressInfo).port}`, close };
}

/** Answers the request for TLS, and passes on what comes over it. */
const startTlsServer = () =>
  startServer((socket) => {
    socket.once("data", () => {
      socket.write("S");
      const secure = new TLSSocket(socket, { isServer: true, ...selfSigned });
      const plain = connect(Number(base.port || 5432), base.hostname);
      for (const end of [secure, plain]) end.on("error", () => secure.destroy());
      secure.pipe(plain).pipe(secure);
    });
  });

for (const [what, url, reason] of [
  [
    "no such database",
    database.url.replace(name, "swpt_nowhere"),
    /database "swpt_nowhere" does not exist; check .* in POSTGRES_URL/,
  ],
  [
    "no such role",
    database.url.replace(/\/\/[^@]*@/, "//swpt_nobody:secret@"),
    // A server that asks for passwords does not say which roles there are.
    /role "swpt_nobody" does not exist|password authentication failed for user "swpt_nobody"/,
  ],
  [
    "a name that cannot be resolved",
    "postgresql://u@nowhere.invalid/db",
    /cannot be resolved \(.*\): check host and port in POSTGRES_URL/,
  ],
  ["no server", "postgresql://u@127.0.0.1:1/db", /nothing listens there .*: check host and port in POSTGRES_URL/],
  ["no server on any of several hosts", "postgresql://u@127.0.0.1:1,127.0.0.1:2/db", /:1: .*REFUSED.*:2: .*REFUSED/],
] as const) {
  test(`${what} means that the database is unavailable, with the reason`, async () => {
    await withPool(url, async (other) => {
      for (const work of [() => ask(other), () => other.transaction(ask)]) {
        await assert.rejects(
          work(),
          (error) => error instanceof DatabaseUnavailableError && reason.test(error.message),
        );
      }
    });
  });
}

test("a PgBouncer that does not take the program's parameters needs a setting, which is named", () => {
  const refusal = Object.assign(new Error("unsupported startup parameter: statement_timeout"), { code: "08P01" });
  assert.match(
    connectionError(refusal).message,
    /; PgBouncer needs ignore_startup_parameters = options,statement_timeout$/,
  );
});

test("too many connections mean that the database is unavailable", async () => {
  await pool.run({ name: "", text: "create role swpt_crowded login password 'secret' connection limit 0" });
  try {
    await withPool(database.url.replace(/\/\/[^@]*@/, "//swpt_crowded:secret@"), async (other) => {
      await assert.rejects(ask(other), /too many connections/);
    });
  } finally {
    await pool.run({ name: "", text: "drop role swpt_crowded" });
  }
});

test("no TLS where it is required means that the database is unavailable, with the reason", async () => {
  const plain = await startServer((socket) => socket.once("data", () => socket.write("N")));
  try {
    await withPool(`postgresql://postgres@${plain.address}/${name}?sslmode=require`, (other) =>
      assert.rejects(ask(other), /does not support SSL connections; turn it on there \(ssl = on\), or check sslmode/),
    );
  } finally {
    plain.close();
  }
});

for (const [what, onConnection, query, reason] of [
  [
    "a TLS handshake that is cut off",
    (socket: Socket) => socket.once("data", () => socket.end("S")),
    "sslmode=require",
    /closed the connection during the TLS handshake/,
  ],
  [
    "a server that hangs up",
    (socket: Socket) => socket.end(),
    "sslmode=disable",
    /the server hangs up \(.*\): check host and port in POSTGRES_URL, and whether this port is PostgreSQL's/,
  ],
  [
    "a server that hangs up on what it gets",
    (socket: Socket) => socket.once("data", () => socket.resetAndDestroy()),
    "sslmode=disable",
    /the server hangs up \(read ECONNRESET\): check host and port in POSTGRES_URL/,
  ],
  [
    "a server that accepts and never answers",
    () => {},
    "sslmode=disable&connect_timeout=1",
    /no answer in time \(.*\): check host and port in POSTGRES_URL/,
  ],
  [
    "a server that speaks another protocol",
    (socket: Socket) => socket.write("HTTP/1.1 400\r\n\r\n"),
    "sslmode=disable",
    /cannot be reached/,
  ],
  [
    "a server of something else that is asked for TLS",
    (socket: Socket) => socket.write("HTTP/1.1 400\r\n\r\n"),
    "sslmode=require",
    /what answers is not PostgreSQL \(.*\): check host and port in POSTGRES_URL/,
  ],
] as const) {
  test(`${what} means that the database is unavailable, and the next host is tried`, async () => {
    const broken = await startServer(onConnection);
    try {
      const only = `postgresql://postgres@${broken.address}/${name}?${query}`;
      await withPool(only, (other) =>
        assert.rejects(ask(other), (error) => error instanceof DatabaseUnavailableError && reason.test(error.message)),
      );
      const [, user] = /\/\/([^@]*)@/.exec(database.url)!;
      const both = `postgresql://${user}@${broken.address},${server}/${name}?${query.replace("require", "prefer")}`;
      await withPool(both, async (other) => assert.deepEqual(await ask(other), { one: 1 }));
    } finally {
      broken.close();
    }
  });
}

/** A message of the server that ends the attempt to connect. */
function errorResponse(state: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${state}\0M${message}\0\0`);
  const head = Buffer.from("E\0\0\0\0");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

for (const [state, message, advice] of [
  ["28P01", 'password authentication failed for user "u"', /check user name and password in POSTGRES_URL \(28P01\)/],
  ["28000", "no pg_hba.conf entry", /pg_hba\.conf \(28000\)/],
  ["42501", 'permission denied for database "db"', /permission denied/],
  ["53300", "sorry, too many clients already", /too many clients/],
  ["55000", "database is not currently accepting connections", /not currently accepting/],
  ["57P03", "the database system is starting up", /starting up/],
  ["08P01", "server login has been failing, try again later (server_login_retry)", /server_login_retry/],
  ["ZZ999", "words that are not known yet", /not known yet/],
] as const) {
  test(`a server that refuses a connection with ${state} is unavailable, with its own words`, async () => {
    const refusing = await startServer((socket) =>
      socket.once("data", () => socket.end(errorResponse(state, message))),
    );
    try {
      await withPool(`postgresql://u@${refusing.address}/db?sslmode=disable`, async (other) => {
        for (const work of [() => ask(other), () => other.transaction(ask)]) {
          await assert.rejects(
            work,
            (error) =>
              error instanceof DatabaseUnavailableError &&
              error.message.includes(message) &&
              advice.test(error.message),
          );
        }
      });
    } finally {
      refusing.close();
    }
  });
}

test("TLS means what it means to libpq: whom the server must be known to depends on sslmode", async () => {
  const secure = await startTlsServer();
  const port = secure.address.split(":")[1];
  const [, user] = /\/\/([^@]*)@/.exec(database.url)!;
  const asked = async (host: string, query: string): Promise<string> => {
    let outcome = "";
    await withPool(`postgresql://${user}@${host}:${port}/${name}?${query}`, async (other) => {
      outcome = await ask(other).then(
        () => "connected",
        (error: Error) => error.message,
      );
    });
    return outcome;
  };
  try {
    assert.equal(await asked("127.0.0.1", "sslmode=require"), "connected");
    assert.equal(await asked("127.0.0.1", "sslmode=prefer"), "connected");
    assert.equal(await asked("127.0.0.1", `sslmode=verify-ca&sslrootcert=${authority}`), "connected");
    assert.equal(await asked("localhost", `sslmode=verify-full&sslrootcert=${authority}`), "connected");
    assert.match(await asked("127.0.0.1", "sslmode=verify-full&sslrootcert=system"), /self-signed/);
    assert.match(await asked("127.0.0.2", `sslmode=verify-full&sslrootcert=${authority}`), /127\.0\.0\.2/);
    assert.equal(await asked("127.0.0.2", `sslmode=require&sslrootcert=${authority}`), "connected");
  } finally {
    secure.close();
  }
});

test("a server that only reads is left for the next one when the session must write", async () => {
  const [, user] = /\/\/([^@]*)@/.exec(database.url)!;
  const url = `postgresql://${user}@${server}/${name}?target_session_attrs=read-write`;
  await withPool(url, async (other) => assert.deepEqual(await ask(other), { one: 1 }));
  await pool.run({ name: "", text: `alter database ${name} set default_transaction_read_only = on` });
  try {
    await withPool(url, (other) => assert.rejects(ask(other), /the server is read-only/));
  } finally {
    await withPool(urlWith("options=-c%20default_transaction_read_only%3Doff"), async (other) => {
      await other.run({ name: "", text: `alter database ${name} reset default_transaction_read_only` });
    });
  }
});

for (const [what, conflict] of [
  ["a lock that is not given in time", "select pg_advisory_xact_lock(7)"],
  ["a deadlock", "do $$ begin raise exception using errcode = '40P01', message = 'deadlock'; end $$"],
  ["a serialization failure", "do $$ begin raise exception using errcode = '40001', message = 'again'; end $$"],
  ["a canceled statement", "do $$ begin perform pg_cancel_backend(pg_backend_pid()), pg_sleep(1); end $$"],
  ["a statement that takes too long", "select pg_sleep(60)"],
] as const) {
  test(`${what} is tried again within bounds, and then the database is busy`, async () => {
    const holder = openPool({ url: database.url, size: 1, applicationName: "holder" });
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: held, resolve: hold } = Promise.withResolvers<void>();
    const holding = holder.transaction(async (tx) => {
      await tx.run({ name: "", text: "select pg_advisory_xact_lock(7)" });
      hold();
      await released;
    });
    await held;
    const url = urlWith("options=-c%20lock_timeout%3D50ms");
    const other = openPool({ url, size: 2, applicationName: "test", statementTimeoutMillis: 1_000 });
    let tries = 0;
    const busy = /The database is busy/;
    await assert.rejects(other.run({ name: "", text: conflict }), busy);
    await assert.rejects(
      other.transaction(async (tx) => {
        tries++;
        tx.defer({ name: "", text: conflict });
      }),
      (error) => error instanceof DatabaseUnavailableError && busy.test(error.message),
    );
    assert.ok(tries > 1 && tries <= 8);
    release();
    await holding;
    assert.deepEqual(await ask(other), { one: 1 });
    await other.close();
    await holder.close();
  });
}

test("a conflict that passes is not noticed", async () => {
  let tries = 0;
  const outcome = await pool.transaction(async (tx) => {
    const code = ++tries < 3 ? "40001" : "00000";
    if (code !== "00000")
      await tx.run({ name: "", text: `do $$ begin raise exception using errcode = '${code}'; end $$` });
    return ask(tx);
  });
  assert.deepEqual([outcome, tries], [{ one: 1 }, 3]);
});

for (const [what, text] of [
  ["without the table", "select 1 from swpt_nothing"],
  ["without the column", "select nothing from debtor"],
  ["without the sequence", "select nextval('swpt_nothing')"],
  ["without a unique index", "insert into debtor (debtor_id) values (1) on conflict (balance) do nothing"],
  ["with a column of another type", "update debtor set debtor_id = now() where false"],
] as const) {
  test(`${what} the database is not set up, and the error says so`, async () => {
    await withPool(database.url, async (other) => {
      const reason = /The database is not set up: .*configure/;
      await assert.rejects(other.run({ name: "", text }), reason);
      await assert.rejects(
        other.transaction((tx) => tx.run({ name: "", text })),
        reason,
      );
    });
  });
}

test("without a right on it the database cannot be used, and the error says who must own it", () =>
  withPool(database.url, (other) =>
    assert.rejects(
      other.run({ name: "", text: "set role pg_monitor; select 1 from debtor" }),
      /^DatabaseUnavailableError: The database cannot be used: .*permission denied.*; the user of POSTGRES_URL must own/,
    ),
  ));

for (const [state, what] of [
  ["23505", "a violated key, as by a sequence that is behind its rows"],
  ["2200H", "an exhausted sequence"],
  ["0A000", "a feature that is not there"],
  ["25P02", "a transaction that another has left failed"],
  ["2BP01", "objects that depend on others"],
  ["3D000", "a database that is gone"],
  ["53100", "a full disk"],
  ["53200", "too little memory"],
  ["54000", "too many transactions without a vacuum"],
  ["55000", "an object in the wrong state"],
  ["55006", "an object in use"],
  ["58030", "a disk that cannot be read"],
  ["72000", "a snapshot that is too old"],
  ["F0000", "a configuration that cannot be read"],
  ["XX001", "damaged data"],
  ["ZZ999", "an error that is not known yet"],
] as const) {
  test(`${what} (${state}) means that the database is unavailable, with its own words`, async () => {
    const text = `do $$ begin raise exception using errcode = '${state}', message = 'its own words'; end $$`;
    const reason = /its own words/;
    for (const work of [
      () => pool.run({ name: "", text }),
      () => pool.transaction((tx) => tx.run({ name: "", text })),
      () => pool.transaction(async (tx) => void tx.defer({ name: "", text })),
    ]) {
      await assert.rejects(work, (error) => error instanceof DatabaseUnavailableError && reason.test(error.message));
    }
    assert.deepEqual(await ask(pool), { one: 1 });
  });
}

test("a connection whose prepared statements are gone or out of date is replaced", async () => {
  await using stack = new AsyncDisposableStack();
  const other = openPool({ url: database.url, size: 1, applicationName: "test" });
  stack.defer(() => other.close());
  await pool.run({ name: "", text: "create table swpt_changing as select 1::integer as value" });
  const read = () => other.many({ name: "read_changing", text: "select value from swpt_changing" });
  await read();
  await other.run({ name: "", text: "deallocate all" });
  // PgBouncer in transaction mode does the same to the program, and the opposite: the name is taken already.
  const advice = /; a PgBouncer needs pool_mode = session, or version 1\.21 and max_prepared_statements$/;
  await assert.rejects(read, (error) => error instanceof DatabaseUnavailableError && advice.test(error.message));
  await other.run({ name: "", text: "prepare swpt_taken as select 1" });
  const take = () => other.run({ name: "swpt_taken", text: "select 2" });
  await assert.rejects(take, (error) => error instanceof DatabaseUnavailableError && advice.test(error.message));
  assert.deepEqual(await read(), [{ value: 1 }]);
  await pool.run({ name: "", text: "alter table swpt_changing alter value type bigint" });
  await assert.rejects(read, DatabaseUnavailableError);
  assert.deepEqual(await read(), [{ value: 1n }]);
});

test("a server that owes answers keeps the connections, however often others are asked for, and they end with the answers", async () => {
  const text = "select pg_advisory_lock_shared(8)";
  const holder = openPool({ url: database.url, size: 1, applicationName: "holder" });
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: held, resolve: hold } = Promise.withResolvers<void>();
  const holding = holder.transaction(async (tx) => {
    await tx.run({ name: "", text: "select pg_advisory_xact_lock(8)" });
    hold();
    await released;
  });
  await held;
  const applicationName = `short time-out ${name}`;
  const other = openPool({ url: urlWith("connect_timeout=1"), size: 1, applicationName, statementTimeoutMillis: 200 });
  const count = async (): Promise<bigint> =>
    (await pool.maybeOne<{ count: bigint }>({
      name: "count_impatient",
      text: "select count(*) as count from pg_stat_activity where application_name = $1::text",
      values: [applicationName],
    }))!.count;
  // The server has no time-out of its own here, as in a commit that waits for a standby.
  const wait = () => other.run({ name: "", text: `set statement_timeout = 0; ${text}` });
  for (let i = 0; i < 8; i++) await assert.rejects(wait(), DatabaseUnavailableError);
  const kept = await count();
  assert.ok(kept > 1n && kept <= 4n, `${kept} connections`);
  release();
  await holding;
  // One of them may be new: a pool without work asks now and then whether the server is there.
  await waitFor(async () => (await count()) <= 1n);
  assert.deepEqual(await ask(other), { one: 1 });
  await other.close();
  await holder.close();
});
