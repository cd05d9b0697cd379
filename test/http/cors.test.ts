import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { exchange, requestText, startTestServer, type TestServer } from "./test-server.ts";

let testServer: TestServer;
before(async () => {
  testServer = await startTestServer();
});
after(() => testServer.close());

const preflight = (path: string, method = "GET", headers = "authorization,content-type") =>
  testServer.fetch(path, {
    method: "OPTIONS",
    headers: {
      origin: "https://client.example",
      "access-control-request-method": method,
      "access-control-request-headers": headers,
    },
  });

const allowNames = (response: Response): string[] =>
  [...response.headers.keys()].filter((name) => name.startsWith("access-control-"));

test("a preflight is answered for every path, without a redirect", async () => {
  for (const path of ["/debtors/7/", "/debtors/7", "/nowhere", "/debtors/1000/config"]) {
    const response = await preflight(path, "PATCH", " Authorization , x-requested-with ");
    assert.equal(response.status, 200, path);
    assert.equal(await response.text(), "");
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    assert.equal(response.headers.get("access-control-max-age"), "86400");
    assert.equal(response.headers.get("access-control-allow-headers"), "Authorization, x-requested-with");
    assert.equal(response.headers.get("access-control-allow-credentials"), null);
    assert.equal(response.headers.get("vary"), "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  }
});

test("a preflight for something that is not allowed gets no permission", async () => {
  for (const response of [await preflight("/debtors/7/", "GET", "x-evil"), await preflight("/debtors/7/", "TRACE")]) {
    assert.deepEqual([response.status, allowNames(response)], [200, []]);
  }
});

test("every other answer can be read by every origin, errors included", async () => {
  for (const [status, target, headers] of [
    [200, "/debtors/7/", []],
    [303, "/debtors/.debtor", ["X-Swpt-User-Id: debtors:7"]],
    [308, "/debtors/7", []],
    [403, "/debtors/8/", ["X-Swpt-User-Id: debtors:7"]],
    [404, "/debtors/7/public", []],
    [404, "/nowhere", []],
    [400, "/debtors/7/", ["X: \0"]],
    [431, "/debtors/7/", [`Authorization: Bearer ${"x".repeat(20_000)}`]],
  ] as const) {
    const answer = await exchange(
      testServer.port,
      requestText("GET", target, ["Origin: https://client.example", ...headers]),
    );
    assert.equal(answer?.status, status);
    assert.equal(answer.headers["access-control-allow-origin"], "*");
    assert.equal(answer.headers["access-control-expose-headers"], "Content-Type, Location");
    assert.equal(answer.headers.vary, "Origin");
  }
});

test("without CORS a preflight is a plain OPTIONS", async () => {
  const unreachableServer = await startTestServer({}, { enableCors: false });
  try {
    const simple = await unreachableServer.fetch("/debtors/7/", { headers: { origin: "https://client.example" } });
    assert.deepEqual([simple.status, allowNames(simple), simple.headers.get("vary")], [200, [], null]);
    const headers = { origin: "https://client.example", "access-control-request-method": "GET" };
    const options = await unreachableServer.fetch("/debtors/7/", { method: "OPTIONS", headers });
    assert.deepEqual(
      [options.status, allowNames(options), options.headers.get("allow")],
      [200, [], "GET, HEAD, OPTIONS"],
    );
    await simple.body?.cancel();
  } finally {
    await unreachableServer.close();
  }
});
