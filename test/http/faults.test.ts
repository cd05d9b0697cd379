import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { DatabaseUnavailableError, type Pool } from "../../src/database/database.ts";
import { OUTBOXES } from "../../src/database/outbox.ts";
import { measureOutbox } from "../../src/database/outbox-depth.ts";
import { brokenPool } from "./broken-pool.ts";
import { exchange, requestText, startTestServer } from "./test-server.ts";

const secret = "select secret from 10.0.0.1";

test("an unexpected error is a 500 without details, which are in the log", async () => {
  await using testServer = asyncDisposable(await startTestServer({}, { pool: brokenPool(new TypeError(secret)) }));
  const response = await testServer.fetch("/debtors/7/", { headers: { origin: "https://client.example" } });
  assert.equal(response.status, 500);
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  assert.equal(await response.text(), '{"code":500,"status":"Internal Server Error"}');
  const [event] = testServer.events as { level: number; err: { message: string; stack: string } }[];
  assert.deepEqual([event?.level, event?.err.message], [50, secret]);
  assert.ok(event?.err.stack.includes("faults.test.ts"));
});

test("a header that cannot be sent is a 500 without details", async () => {
  await using testServer = asyncDisposable(await startTestServer());
  await testServer.database.pool.run({
    name: "insert_document",
    text: `insert into document (debtor_id, document_id, content_type, content, inserted_at)
           values (7, 1, 'text/plain; name=ж', 'x', now())`,
  });
  const response = await testServer.fetch("/debtors/7/documents/1/public");
  assert.deepEqual([response.status, response.headers.get("content-type")], [500, "application/json"]);
  assert.equal(await response.text(), '{"code":500,"status":"Internal Server Error"}');
  assert.equal(testServer.events.length, 1);
});

test("while the database is unavailable: 503 with Retry-After, and the public health check works", async () => {
  await using testServer = asyncDisposable(
    await startTestServer({}, { pool: brokenPool(new DatabaseUnavailableError(secret)) }),
  );
  for (const [method, path, body] of [
    ["GET", "/debtors/7/", undefined],
    ["GET", "/debtors/7/public", undefined],
    [
      "POST",
      "/debtors/7/transfers/",
      '{"transferUuid":"123e4567-e89b-12d3-a456-426655440000","recipient":{"uri":"swpt:7/1"},"amount":1}',
    ],
    ["POST", "/debtors/7/documents/", "x"],
  ] as const) {
    const headers = { "content-type": "application/json" };
    const response = await testServer.fetch(path, { method, headers, body: body ?? null });
    assert.equal(response.status, 503, path);
    assert.match(response.headers.get("retry-after")!, /^[0-9]+$/);
    const text = await response.text();
    assert.ok(!text.includes("secret") && !text.includes("10.0.0.1"), text);
  }
  assert.equal((await testServer.fetch("/debtors/health/check/public")).status, 200);
});

test("malformed and oversized requests get errors in the form of the API, and the server keeps answering", async () => {
  await using testServer = asyncDisposable(await startTestServer());
  for (const [status, bytes] of [
    [400, "nonsense\r\n\r\n"],
    [400, "GET /debtors/7/ HTTP/1.1\r\n\r\n"],
    [400, "GET /debtors /7/ HTTP/1.1\r\nHost: x\r\n\r\n"],
    [400, "GET /debtors/7/ HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n"],
    [
      400,
      "POST /debtors/7/config HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    [431, requestText("GET", "/debtors/7/", [`X: ${"x".repeat(20_000)}`])],
    [431, requestText("GET", `/debtors/7/?${"x".repeat(20_000)}`)],
  ] as const) {
    const answer = await exchange(testServer.port, bytes);
    assert.equal(answer?.status, status, bytes.slice(0, 60));
  }
  const overflow = await exchange(testServer.port, requestText("GET", "/", [`X: ${"x".repeat(20_000)}`]));
  assert.equal(overflow?.headers["content-type"], "application/json");
  assert.deepEqual(JSON.parse(overflow.body), { code: 431, status: "Request Header Fields Too Large" });
  assert.equal((await testServer.fetch("/debtors/7/")).status, 200);
});

test("a client that takes the server for a proxy gets 501, in the form of all errors", async () => {
  await using testServer = asyncDisposable(await startTestServer());
  for (const target of ["debtors.example:443", "/debtors/7/"]) {
    const answer = await exchange(testServer.port, requestText("CONNECT", target));
    assert.equal(answer?.status, 501);
    assert.equal(answer.headers["content-type"], "application/json");
    assert.deepEqual(JSON.parse(answer.body), { code: 501, status: "Not Implemented" });
  }
});

test("a client that disconnects in the middle of a body changes nothing", async () => {
  await using testServer = asyncDisposable(await startTestServer());
  const socket = net.connect(testServer.port, "127.0.0.1");
  socket.write(
    requestText("POST", "/debtors/7/deactivate", ["Content-Type: application/json", "Content-Length: 100"], "{"),
  );
  await once(socket, "connect");
  socket.destroy();
  await once(socket, "close");
  assert.equal((await testServer.fetch("/debtors/7/")).status, 200);
});

test("pending requests are finished when the server closes", async () => {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const debtors = { find: undefined as Pool["many"] | undefined };
  const pool: Pool = {
    ...brokenPool(new Error("not used")),
    async many(statement) {
      reached.resolve();
      await released.promise;
      return await debtors.find!(statement);
    },
  };
  const testServer = await startTestServer({}, { pool });
  debtors.find = (statement) => testServer.database.pool.many(statement);
  const answer = testServer.fetch("/debtors/7/");
  await reached.promise;
  const closed = testServer.closeServer();
  released.resolve();
  assert.equal((await answer).status, 200);
  await closed;
  await assert.rejects(testServer.fetch("/debtors/7/"));
  await testServer.close();
});

test("a rejected request with a body leaves the connection usable", async () => {
  await using testServer = asyncDisposable(await startTestServer());
  const headers = { "x-swpt-user-id": "debtors:7" };
  for (let i = 0; i < 3; i++) {
    const init = { method: "POST", headers, body: "x".repeat(2_000_000) };
    const rejected = await testServer.fetch("/debtors/8/documents/", init);
    assert.equal(rejected.status, 403);
    await rejected.body?.cancel();
    assert.equal((await testServer.fetch("/debtors/7/", { headers })).status, 200);
  }
});

test("each operation that sends a message writes it to the outbox, and each request is counted by its route", async () => {
  const observed: string[] = [];
  const metrics = {
    observe(route: string, method: string, status: number, seconds: number) {
      assert.ok(seconds >= 0);
      observed.push(`${method} ${route} ${status}`);
    },
  };
  await using testServer = asyncDisposable(await startTestServer({}, { metrics }));
  const transfer = { transferUuid: "123e4567-e89b-12d3-a456-426655440000", recipient: { uri: "swpt:7/1" }, amount: 1 };
  const path = `/debtors/7/transfers/${transfer.transferUuid}`;
  const before = await countMessages(testServer.database.pool);
  for (const [method, target, body, status, written] of [
    ["POST", "/debtors/9/activate", {}, 200, 1],
    ["PATCH", "/debtors/7/config", { configData: "x", latestUpdateId: 2 }, 200, 2],
    ["POST", "/debtors/7/restrict", { minBalance: 0 }, 200, 3],
    ["POST", "/debtors/7/transfers/", transfer, 201, 4],
    ["POST", "/debtors/7/transfers/", transfer, 303, 4],
    ["POST", path, {}, 200, 4],
    ["POST", "/debtors/7/deactivate", {}, 204, 5],
    ["PURGE", "/nowhere", {}, 404, 5],
  ] as const) {
    const response = await testServer.send(method, target, body);
    assert.equal(response.status, status, target);
    assert.equal((await countMessages(testServer.database.pool)) - before, written, target);
    await response.body?.cancel();
  }
  assert.deepEqual(observed, [
    "POST /debtors/{debtorId}/activate 200",
    "PATCH /debtors/{debtorId}/config 200",
    "POST /debtors/{debtorId}/restrict 200",
    "POST /debtors/{debtorId}/transfers/ 201",
    "POST /debtors/{debtorId}/transfers/ 303",
    "POST /debtors/{debtorId}/transfers/{transferUuid} 200",
    "POST /debtors/{debtorId}/deactivate 204",
    "OTHER unknown 404",
  ]);
});

test("all waits on a connection are bounded", async () => {
  await using testServer = asyncDisposable(await startTestServer());
  const { headersTimeout, requestTimeout, keepAliveTimeout, timeout } = testServer.server;
  for (const millis of [headersTimeout, requestTimeout, keepAliveTimeout, timeout]) {
    assert.ok(millis > 0 && millis <= 120_000, String(millis));
  }
  assert.ok(headersTimeout < requestTimeout);
});

const asyncDisposable = <Thing extends { close(): Promise<void> }>(thing: Thing): Thing & AsyncDisposable =>
  Object.assign(thing, { [Symbol.asyncDispose]: () => thing.close() });

/** Those that wait in all outboxes. */
async function countMessages(pool: Pool): Promise<number> {
  const depths = await Promise.all(OUTBOXES.map((outbox) => measureOutbox(pool, outbox)));
  return Number(depths.reduce((sum, { count }) => sum + count, 0n));
}
