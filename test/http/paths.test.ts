import assert from "node:assert/strict";
import { METHODS } from "node:http";
import { after, before, test } from "node:test";
import { exchange, requestText, startTestServer, type TestServer } from "./test-server.ts";

let testServer: TestServer;
before(async () => {
  testServer = await startTestServer();
});
after(() => testServer.close());

const statusOf = async (method: string, target: string, headers: readonly string[] = []): Promise<number | undefined> =>
  (await exchange(testServer.port, requestText(method, target, headers)))?.status;

for (const target of [
  "/debtors/.docs/../7/",
  "/debtors/.docs/%2e%2e/7/",
  "/debtors/.docs/..%2f7/",
  "/debtors/.docs\\..\\7/",
  "/debtors/./.list",
  "/debtors/%2e/.list",
  "//debtors/7/",
  "/debtors//7/",
  "/debtors/7//",
  "/debtors%2F7/",
  "/debtors/7%2Fconfig",
  "/debtors/7/config%00",
  "/debtors/7/config%0a",
  "/debtors/7/config%0d%0aX:y",
  "/debtors/7/config%3f",
  "/debtors/7/config%23",
  "/debtors/7/config;x",
  "/debtors/7/config%c3%28",
  "/debtors/7/config%",
  "/debtors/7/config%zz",
  "/debtors/%252e%252e/7/",
  "/debtors/7/Config",
  "/Debtors/7/",
  "/debtors/07/",
  "/debtors/+7/",
  "/debtors/-1/",
  "/debtors/7%20/",
  "/debtors/18446744073709551616/",
  "/debtors/{debtorId}/",
  "/debtors/%7BdebtorId%7D/",
  "/debtors/7/config/",
  "/debtors/7/transfers/x",
  "/unknown",
  "/",
  "*",
  "/debtors",
  "/debtors/",
  "/debtors/.docs/swagger-ui/../openapi.json",
  "/debtors/.docs/swagger-ui/constructor",
  "/debtors/.docs/swagger-ui/package.json",
  "/debtors/.docs/debtors/.list",
]) {
  test(`${JSON.stringify(target)} is an unknown path`, async () => {
    assert.equal(await statusOf("GET", target, ["SCRIPT_NAME: /debtors/.docs"]), 404);
  });
}

test("a path is decoded once", async () => {
  assert.equal(await statusOf("GET", "/debtors/.%6Cist"), 200);
  assert.equal(await statusOf("GET", "/%64ebtors/%37/"), 200);
});

test("of an absolute URL only the path and the query matter", async () => {
  const answer = await exchange(
    testServer.port,
    requestText("GET", "http://elsewhere.example/debtors/7/enumerate?a=b"),
  );
  assert.equal(answer?.status, 200);
  assert.equal(JSON.parse(answer.body).uri, "/debtors/7/enumerate?a=b");
});

test("a query is not part of the path", async () => {
  assert.equal(await statusOf("GET", "/debtors/7/?x=/../.list"), 200);
  assert.equal(await statusOf("GET", "/debtors/7?/"), 308);
});

test("a missing slash at the end is redirected where the method exists, and the query is kept", async () => {
  const location = async (method: string, target: string) =>
    (await exchange(testServer.port, requestText(method, target)))?.headers.location;
  assert.equal(await location("GET", "/debtors/7?a=b"), "http://debtors.example/debtors/7/?a=b");
  assert.equal(await location("POST", "/debtors/7/transfers"), "http://debtors.example/debtors/7/transfers/");
  assert.equal(await location("OPTIONS", "/debtors/7"), "http://debtors.example/debtors/7/");
  assert.equal(await location("GET", "/debtors/7?a|<b>#c"), "http://debtors.example/debtors/7/?a|<b>#c");
  assert.equal(await statusOf("GET", "/debtors/7/documents"), 404);
  assert.equal(await statusOf("DELETE", "/debtors/7"), 404);
  assert.equal(await statusOf("GET", "/debtors/07"), 404);
});

test("methods that a path does not have are 405 with Allow and do nothing; override headers are ignored", async () => {
  const known = ["GET", "HEAD", "OPTIONS", "CONNECT"];
  for (const method of METHODS.filter((name) => !known.includes(name))) {
    const answer = await exchange(testServer.port, requestText(method, "/debtors/7/", ["Content-Length: 0"]));
    assert.equal(answer?.status, 405, method);
    assert.equal(answer.headers.allow, "GET, HEAD, OPTIONS");
    assert.equal(await statusOf(method, "/nowhere", ["Content-Length: 0"]), 404);
  }
  assert.equal(await statusOf("GET", "/debtors/7/", ["X-HTTP-Method-Override: DELETE"]), 200);
  assert.equal(await statusOf("POST", "/debtors/7/deactivat%65/", ["Content-Length: 0"]), 404);
  assert.equal(await statusOf("GET", "/debtors/7/"), 200);
});

test("a Host that is not valid, repeated or missing makes Location relative", async () => {
  const head = "GET /debtors/.debtor HTTP/1.1\r\nConnection: close\r\nX-Swpt-User-Id: debtors:7\r\n";
  for (const host of ["a/b", "a b", "a@b", "a:99999999", "<script>", "a?b", "a\\b"]) {
    const answer = await exchange(testServer.port, `${head}Host: ${host}\r\n\r\n`);
    assert.equal(answer?.headers.location, "/debtors/7/", host);
  }
  const twice = await exchange(testServer.port, `${head}Host: a\r\nhost: evil.example\r\n\r\n`);
  assert.equal(twice?.headers.location, "/debtors/7/");
  const old = await exchange(testServer.port, "GET /debtors/.debtor HTTP/1.0\r\nX-Swpt-User-Id: debtors:7\r\n\r\n");
  assert.equal(old?.headers.location, "/debtors/7/");
});

test("forwarded schemes and ports that are not valid are ignored", async () => {
  for (const header of [
    "X-Forwarded-Proto: javascript",
    "X-Forwarded-Port: 0",
    "X-Forwarded-Port: 65536",
    "X-Forwarded-Port: 1x",
  ]) {
    const headers = ["X-Swpt-User-Id: debtors:7", header];
    const answer = await exchange(testServer.port, requestText("GET", "/debtors/.debtor", headers));
    assert.equal(answer?.headers.location, "http://debtors.example/debtors/7/", header);
  }
});

test("a target with bytes beyond ASCII or control characters is 400", async () => {
  for (const character of ["\xe9", "\x7f", "\t", "\0"]) {
    const request = Buffer.from(requestText("GET", `/debtors/7?${character}`), "latin1");
    assert.equal((await exchange(testServer.port, request))?.status, 400);
  }
});
