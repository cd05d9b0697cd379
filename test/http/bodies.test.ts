/** Bodies that must not be accepted, and clients that wait for a 100 before they send one. */
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, test } from "node:test";
import { exchange, requestText, startTestServer, type TestServer } from "./test-server.ts";

let testServer: TestServer;
before(async () => {
  testServer = await startTestServer({ APP_DOCUMENT_MAX_CONTENT_LENGTH: "30000" });
});
after(() => testServer.close());

const uuid = "123e4567-e89b-12d3-a456-426655440000";
/** Every route that takes a body. */
const routesWithBody = [
  ["POST", "/debtors/.debtor-reserve"],
  ["POST", "/debtors/9/reserve"],
  ["POST", "/debtors/9/activate"],
  ["POST", "/debtors/7/deactivate"],
  ["POST", "/debtors/7/restrict"],
  ["PATCH", "/debtors/7/config"],
  ["POST", "/debtors/7/transfers/"],
  ["POST", `/debtors/7/transfers/${uuid}`],
  ["POST", "/debtors/7/documents/"],
] as const;

async function assertNothingHasChanged(): Promise<void> {
  const rows = await testServer.database.pool.many<{ n: bigint }>({
    name: "count_changes",
    text: `select (select count(*) from document) + (select count(*) from running_transfer)
             + (select count(*) from debtor where debtor_id not in (7, 8) or status_flags & 2 <> 0) as n`,
  });
  assert.equal(rows[0]!.n, 0n);
}

const send = (method: string, target: string, headers: readonly string[], body = "{}") =>
  exchange(testServer.port, requestText(method, target, [`Content-Length: ${body.length}`, ...headers], body));

test("a content coding is 415 on every route that takes a body, and nothing is stored", async () => {
  for (const [method, path] of routesWithBody) {
    for (const coding of ["gzip", "GZIP", "br", "deflate", "zstd", "x-unknown", "identity, gzip"]) {
      const answer = await send(method, path, [`Content-Encoding: ${coding}`, "Content-Type: application/json"]);
      assert.equal(answer?.status, 415, `${method} ${path} ${coding}`);
      assert.equal(answer.headers["accept-encoding"], "identity");
      assert.equal(answer.headers["access-control-allow-origin"], "*");
      assert.equal(JSON.parse(answer.body).status, "Unsupported Media Type");
    }
  }
  await assertNothingHasChanged();
});

test("a content coding is 415 also in a second header line and without a body", async () => {
  const repeated = await send("POST", "/debtors/7/documents/", ["Content-Encoding: ", "Content-Encoding: gzip"]);
  assert.equal(repeated?.status, 415);
  assert.equal((await send("POST", "/debtors/7/documents/", ["Content-Encoding: gzip"], ""))?.status, 415);
  await assertNothingHasChanged();
});

test("a transfer coding other than chunked is 501", async () => {
  for (const coding of ["gzip, chunked", "deflate, chunked"]) {
    const headers = [`Transfer-Encoding: ${coding}`];
    const chunks = "2\r\n{}\r\n0\r\n\r\n";
    const answer = await exchange(testServer.port, requestText("POST", "/debtors/7/documents/", headers, chunks));
    assert.equal(answer?.status, 501, coding);
  }
  await assertNothingHasChanged();
});

test("a partial document is 400", async () => {
  const answer = await send("POST", "/debtors/7/documents/", ["Content-Range: bytes 0-1/10"]);
  assert.equal(answer?.status, 400);
  await assertNothingHasChanged();
});

test("identity, responsibility and role are checked before the headers of the body", async () => {
  const headers = ["Content-Encoding: gzip", "X-Swpt-User-Id: debtors:8"];
  assert.equal((await send("POST", "/debtors/7/documents/", headers))?.status, 403);
  assert.equal((await send("POST", "/debtors/200/documents/", ["Content-Encoding: gzip"]))?.status, 404);
  assert.equal((await send("GET", "/debtors/7/", ["Content-Encoding: gzip"]))?.status, 200);
});

/** Sends the head of a request only, and reads until the server closes the connection. */
const ask = (method: string, target: string, headers: readonly string[]) =>
  exchange(
    testServer.port,
    [`${method} ${target} HTTP/1.1`, "Host: x", "Expect: 100-continue", ...headers, "", ""].join("\r\n"),
  );

test("a client that waits for a 100 gets 413 at once when its body is too long, and the connection ends", async () => {
  for (const [method, path] of routesWithBody) {
    const max = path.endsWith("/documents/") ? 30_000 : 20_480;
    const answer = await ask(method, path, [`Content-Length: ${max + 1}`]);
    assert.equal(answer?.status, 413, path);
    assert.equal(answer.headers.connection, "close");
  }
});

test("a client that waits for a 100 gets every other rejection at once", async () => {
  for (const [status, method, path, ...headers] of [
    [403, "POST", "/debtors/7/documents/", "X-Swpt-User-Id: debtors:8"],
    [404, "POST", "/debtors/200/documents/"],
    [404, "POST", "/debtors/7/nothing"],
    [405, "PUT", "/debtors/7/config"],
    [415, "POST", "/debtors/7/documents/", "Content-Encoding: gzip"],
  ] as const) {
    const answer = await ask(method, path, [...headers, "Content-Length: 30001"]);
    assert.equal(answer?.status, status, path);
    assert.equal(answer.headers.connection, "close");
  }
});

test("a client that waits for a 100 gets one when its body is acceptable, and then the answer", async () => {
  const socket = net.connect(testServer.port, "127.0.0.1");
  const chunks: string[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk.toString("latin1")));
  const closed = once(socket, "close");
  socket.write(requestText("POST", "/debtors/7/documents/", ["Expect: 100-Continue", "Content-Length: 5"]));
  while (!chunks.join("").includes("\r\n\r\n")) await once(socket, "data");
  assert.equal(chunks.join(""), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.write("hello");
  await closed;
  assert.match(chunks.join(""), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 .*\r\n\r\nhello$/s);
  await testServer.database.pool.run({ name: "delete_documents", text: "delete from document" });
});

test("chunks after a 100 are still counted", async () => {
  const chunk = `${(30_001).toString(16)}\r\n${"x".repeat(30_001)}\r\n0\r\n\r\n`;
  const headers = ["Expect: 100-continue", "Transfer-Encoding: chunked"];
  const answer = await exchange(testServer.port, requestText("POST", "/debtors/7/documents/", headers, chunk));
  assert.equal(answer?.status, 100);
  assert.match(answer.body, /^HTTP\/1\.1 413 /);
  await assertNothingHasChanged();
});

test("another expectation is 417, in the form of all errors", async () => {
  for (const target of ["/debtors/7/", "/debtors/7/documents/", "/nowhere"]) {
    const answer = await exchange(
      testServer.port,
      requestText("POST", target, ["Expect: something", "Content-Length: 0"]),
    );
    assert.equal(answer?.status, 417);
    assert.equal(answer.headers["access-control-allow-origin"], "*");
    assert.equal(JSON.parse(answer.body).status, "Expectation Failed");
  }
});

test("a missing Host header is 400, in the form of all errors", async () => {
  const answer = await exchange(testServer.port, "GET /debtors/7/ HTTP/1.1\r\n\r\n");
  assert.equal(answer?.status, 400);
  assert.equal(answer.headers["content-type"], "application/json");
  assert.equal(JSON.parse(answer.body).status, "Bad Request");
});
