import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { exchange, requestText, startTestServer, type TestServer } from "./test-server.ts";

let testServer: TestServer;
before(async () => {
  testServer = await startTestServer({ APP_DOCUMENT_MAX_CONTENT_LENGTH: "30000" });
});
after(() => testServer.close());

async function save(contentType: string, body: string | Buffer | ReadableStream): Promise<Response> {
  const init = { method: "POST", headers: { "content-type": contentType }, body, duplex: "half" };
  const saved = await testServer.fetch("/debtors/7/documents/", init as RequestInit);
  assert.equal(saved.status, 201);
  const { pathname } = new URL(saved.headers.get("location")!);
  return testServer.fetch(pathname);
}

test("a document is returned byte for byte, with its content type", async () => {
  const content = Buffer.concat([Buffer.from([0, 0xff, 0xc3, 0x28]), randomBytes(29_996)]);
  const document = await save("application/x-anything; a=b", content);
  assert.deepEqual(Buffer.from(await document.arrayBuffer()), content);
  assert.equal(document.headers.get("content-type"), "application/x-anything; a=b");
  assert.equal(document.headers.get("cache-control"), "max-age=31536000");
});

test("an unknown content type is returned as it was saved", async () => {
  for (const contentType of ["foo", "text/plain, text/html", "a b/c; =", "/"]) {
    const document = await save(contentType, "x");
    assert.equal(document.headers.get("content-type"), contentType);
    assert.equal(document.headers.get("content-length"), "1");
    assert.equal(await document.text(), "x");
  }
});

test("a content type of 1,000 characters is saved; a longer one, which proxies could not pass on, is 415", async () => {
  const longest = `text/plain; x=${"y".repeat(986)}`;
  assert.equal((await save(longest, "x")).headers.get("content-type"), longest);
  const init = { method: "POST", headers: { "content-type": `${longest}y` }, body: "x" };
  const rejected = await testServer.fetch("/debtors/7/documents/", init);
  assert.equal(rejected.status, 415);
  await rejected.body?.cancel();
});

test("a document may be sent in chunks", async () => {
  const stream = new ReadableStream({
    start(controller) {
      for (const part of ["hel", "lo"]) controller.enqueue(Buffer.from(part));
      controller.close();
    },
  });
  assert.equal(await (await save("text/plain", stream)).text(), "hello");
});

test("a document over the limit is 413, with a length and in chunks, and nothing is saved", async () => {
  const count = async () =>
    (await testServer.database.pool.maybeOne<{ n: bigint }>({ name: "n", text: "select count(*) as n from document" }))!
      .n;
  const before = await count();
  const body = "x".repeat(30_001);
  const declared = await testServer.fetch("/debtors/7/documents/", { method: "POST", body });
  assert.equal(declared.status, 413);
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const chunked = await exchange(
    testServer.port,
    requestText("POST", "/debtors/7/documents/", ["Transfer-Encoding: chunked"], chunk),
  );
  assert.equal(chunked?.status, 413);
  assert.deepEqual(JSON.parse(chunked.body), { code: 413, status: "Request Entity Too Large" });
  assert.equal(await count(), before);
});

test("a body that is far too large is not read to its end", async () => {
  const declared = requestText("POST", "/debtors/7/documents/", ["Content-Length: 1000000000000"], "x");
  assert.equal((await exchange(testServer.port, declared))?.status, 413);
  const chunk = `${(100_000).toString(16)}\r\n${"x".repeat(100_000)}\r\n`;
  const endless = requestText("POST", "/debtors/7/documents/", ["Transfer-Encoding: chunked"], chunk);
  // It is cut off, whether or not the answer arrives before that.
  const answer = await exchange(testServer.port, endless, ...Array.from({ length: 100 }, () => chunk));
  assert.ok(answer === undefined || answer.status === 413);
});

const inertTypes = [
  "text/html",
  "image/svg+xml",
  "application/xhtml+xml",
  "text/xml",
  "application/xml",
  "application/octet-stream",
  "text/javascript",
  "application/pdf",
  "Application/PDF; version=1.7",
  "application/pdf, text/html",
  "application/pdf;, text/html",
  'application/pdf; a="b", text/html; c=d',
  "foo",
];

for (const contentType of inertTypes) {
  test(`${contentType}: answers to saving and reading have a sandbox policy`, async () => {
    const init = { method: "POST", headers: { "content-type": contentType }, body: "<script>alert(1)</script>" };
    const saved = await testServer.fetch("/debtors/7/documents/", init);
    const { pathname } = new URL(saved.headers.get("location")!);
    for (const answer of [
      saved,
      await testServer.fetch(pathname),
      await testServer.fetch(pathname, { method: "HEAD" }),
    ]) {
      const policy = answer.headers.get("content-security-policy")!;
      assert.match(policy, /^sandbox; default-src 'none';/);
      assert.doesNotMatch(policy, /allow-|script-src|object-src|frame-src|worker-src|connect-src/);
      assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
      await answer.body?.cancel();
    }
  });
}

test("a PDF, and what a browser may take for one, is downloaded, because a viewer is not in a sandbox; nothing else is", async () => {
  for (const contentType of inertTypes) {
    const document = await save(contentType, "%PDF-1.7");
    const isPdf = /pdf/i.test(contentType);
    assert.equal(document.headers.get("content-disposition"), isPdf ? "attachment" : null, contentType);
    await document.body?.cancel();
  }
});

test("HEAD returns the length of a document without its content", async () => {
  const { url } = await save("text/plain", "hello");
  const head = await fetch(url, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "5", ""]);
});
