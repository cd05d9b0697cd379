/** Events that any client or an outage can repeat take little space in the log, and no request of an administrator is left out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DatabaseUnavailableError } from "../../src/database/database.ts";
import { brokenPool } from "./broken-pool.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

type Event = Readonly<Record<string, unknown>>;

/** Starts a server, lets something happen, and returns what was logged when it has closed. */
async function logOf(
  options: Parameters<typeof startTestServer>[1],
  happen: (testServer: TestServer) => Promise<void>,
): Promise<readonly Event[]> {
  const testServer = await startTestServer({}, options);
  try {
    await happen(testServer);
  } finally {
    await testServer.close();
  }
  return testServer.events;
}

const withoutAnonymous = { authentication: { mode: "trusted proxy", anonymousIsSuperuser: false } } as const;

async function repeat(
  testServer: TestServer,
  times: number,
  path: string,
  headers = {},
  method = "GET",
): Promise<void> {
  for (let i = 0; i < times; i++) await (await testServer.fetch(path, { method, headers })).body?.cancel();
}

test("of rejected anonymous requests the first of each operation and client is logged, the others are counted", async () => {
  const events = await logOf(withoutAnonymous, async (testServer) => {
    for (const client of ["192.0.2.1", "192.0.2.2"]) {
      await repeat(testServer, 50, "/debtors/7/", { "x-forwarded-for": client });
      await repeat(testServer, 20, "/debtors/7/deactivate", { "x-forwarded-for": client }, "POST");
    }
  });
  assert.equal(events.length, 8);
  const first = { level: 30, audit: true, msg: "Request rejected", status: 403 };
  for (const client of ["192.0.2.1", "192.0.2.2"]) {
    for (const [operation, method, path, repeated] of [
      ["getDebtor", "GET", "/debtors/7/", 49],
      ["deactivateDebtor", "POST", "/debtors/7/deactivate", 19],
    ]) {
      const ofKind = events.filter((event) => event.client === client && event.operation === operation);
      const [logged, counted] = ofKind.map(({ time, pid, hostname, ...rest }) => rest);
      assert.deepEqual(logged, { ...first, operation, client, method, path });
      assert.deepEqual(counted, { ...first, operation, client, repeated, seconds: 60 });
    }
  }
});

test("rejected requests of a debtor are counted by name", async () => {
  const events = await logOf({}, (testServer) =>
    repeat(testServer, 30, "/debtors/8/", { "x-swpt-user-id": "debtors:7" }),
  );
  assert.deepEqual(
    events.map(({ caller, repeated }) => [caller, repeated]),
    [
      ["debtors:7", undefined],
      ["debtors:7", 29],
    ],
  );
});

test("the number of lines is bounded for any number of clients, and all requests are counted", async () => {
  const events = await logOf(withoutAnonymous, async (testServer) => {
    for (let i = 0; i < 300; i++) await repeat(testServer, 1, "/debtors/7/", { "x-forwarded-for": `192.0.2.${i}` });
  });
  assert.equal(events.length, 101);
  assert.deepEqual(
    [events.at(-1)!.kind, events.at(-1)!.repeated, events.at(-1)!.msg],
    ["others", 200, "Request rejected"],
  );
});

test("each request of an administrator is one line, rejected or not", async () => {
  const events = await logOf({}, async (testServer) => {
    await repeat(testServer, 5, "/debtors/9/reserve", {}, "POST");
    await repeat(testServer, 5, "/debtors/.list", { "x-swpt-user-id": "debtors-supervisor" });
    await repeat(testServer, 5, "/debtors/7/deactivate", { "x-swpt-user-id": "debtors-supervisor" }, "POST");
  });
  const audited = events.filter(({ audit }) => audit === true);
  assert.deepEqual(
    audited.map(({ path, status, repeated }) => [path, status, repeated]),
    [
      ["/debtors/9/reserve", 200, undefined],
      ...Array.from({ length: 4 }, () => ["/debtors/9/reserve", 409, undefined]),
      ...Array.from({ length: 5 }, () => ["/debtors/.list", 200, undefined]),
      ...Array.from({ length: 5 }, () => ["/debtors/7/deactivate", 403, undefined]),
    ],
  );
});

for (const [what, error, level, msg] of [
  [
    "the database is unavailable",
    new DatabaseUnavailableError("connection refused"),
    40,
    "Request could not be served",
  ],
  ["there is a bug", new TypeError("undefined is not a function"), 50, "Request failed unexpectedly"],
] as const) {
  test(`while ${what}, failing requests are one line and then a count`, async () => {
    const pool = brokenPool(error);
    const events = await logOf({ pool }, (testServer) => repeat(testServer, 40, "/debtors/7/config"));
    assert.deepEqual(
      events.map((event) => [event.level, event.msg, event.reason, event.repeated]),
      [
        [level, msg, error.message, undefined],
        [level, msg, error.message, 39],
      ],
    );
  });
}

test("a document that cannot be sent is reported once, however often it is requested", async () => {
  const events = await logOf({}, async (testServer) => {
    await testServer.database.pool.run({
      name: "insert_document",
      text: `insert into document (debtor_id, document_id, content_type, content, inserted_at)
             values (7, 1, 'text/plain; name=ж', 'x', now())`,
    });
    await repeat(testServer, 20, "/debtors/7/documents/1/public");
  });
  assert.deepEqual(
    events.map(({ msg, repeated }) => [msg, repeated]),
    [
      ["Answer could not be sent", undefined],
      ["Answer could not be sent", 19],
    ],
  );
});
