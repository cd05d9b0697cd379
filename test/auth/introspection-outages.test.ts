/** An introspection endpoint that is unavailable in any way is 503 with Retry-After, and the log says what to check. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpsServer } from "node:https";
import net, { type AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { pino } from "pino";
import { createTokenAuthenticator } from "../../src/http/auth/token-authenticator.ts";
import { defaultTokenRules } from "../../src/http/auth/token-rules.ts";
import { startTestServer, type TestServer } from "../http/test-server.ts";
import { type FakeIntrospectionServer, startFakeIntrospectionServer } from "./fake-introspection-server.ts";
import { selfSigned } from "./self-signed.ts";

let introspection: FakeIntrospectionServer;
let testServer: TestServer;
let tokenAuthenticator: ReturnType<typeof createTokenAuthenticator>;
before(async () => {
  introspection = await startFakeIntrospectionServer();
  testServer = await startTestServer(
    {},
    {
      authentication: { mode: "introspection", introspectUrl: introspection.url },
      tokenAuthenticator: { authenticate: (...request) => tokenAuthenticator.authenticate(...request) },
    },
  );
});
after(async () => {
  await testServer.close();
  await introspection.close();
});

/** Asks for a debtor, with a token that the endpoint at that URL must be asked about. Returns what was logged. */
async function demand503(introspectUrl: string): Promise<string[]> {
  const reasons: string[] = [];
  const log = pino({}, { write: (line: string) => reasons.push(JSON.parse(line).reason) });
  const limits = {
    verification: { kind: "introspection", introspectUrl } as const,
    rules: defaultTokenRules,
    cacheSeconds: 300,
    cacheEntriesMax: 10,
  };
  tokenAuthenticator = createTokenAuthenticator({ ...limits, log });
  try {
    const response = await testServer.fetch("/debtors/7/", { headers: { authorization: "Bearer T" } });
    assert.equal(response.status, 503);
    assert.match(response.headers.get("retry-after")!, /^[1-9][0-9]*$/);
    const error = { code: 503, status: "Service Unavailable", message: "Try again later." };
    assert.deepEqual(await response.json(), error);
    assert.equal((await testServer.fetch("/debtors/health/check/public")).status, 200);
  } finally {
    await tokenAuthenticator.close();
  }
  return reasons;
}

const answers = {
  "a redirect": [302, "", /^the endpoint redirects \(status 302\)/],
  "a permanent redirect": [308, "", /^the endpoint redirects \(status 308\)/],
  "a rejection of our credentials": [401, "{}", /^the credentials of this node are rejected \(status 401\); check/],
  "a prohibition": [403, "{}", /^the credentials of this node are rejected \(status 403\); check/],
  "no such page": [404, "<html>", /^there is no such endpoint \(status 404\); check OAUTH2_INTROSPECT_URL$/],
  "another method": [405, "", /^there is no such endpoint \(status 405\)/],
  "an empty body": [200, "", /^the answer is empty$/],
  "no content": [204, "", /^the answer has the status 204$/],
  "more than 64 KiB": [
    200,
    JSON.stringify({ active: true, sub: "debtors:7", scope: "access", ext: "x".repeat(65_536) }),
    /^the answer has more than 65536 bytes$/,
  ],
  "a web page": [200, "<html>log in</html>", /^the answer is not a JSON object$/],
  "an error of a gateway": [502, "", /^the answer has the status 502$/],
} as const;

for (const [name, [status, body, reason]] of Object.entries(answers)) {
  test(`the endpoint answers with ${name}: 503`, async () => {
    introspection.misbehave((response) => response.writeHead(status, { location: "/elsewhere" }).end(body));
    const reasons = await demand503(introspection.url);
    assert.equal(reasons.length, 1);
    assert.match(reasons[0]!, reason);
    introspection.misbehave(undefined);
  });
}

test("the host name does not exist: 503", async () => {
  const [reason] = await demand503("http://no-such-host.invalid/introspect");
  assert.match(reason!, /^the host name cannot be resolved \((?:ENOTFOUND|EAI_AGAIN)\)$/);
});

test("nothing listens: 503", async () => {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  assert.deepEqual(await demand503(`http://127.0.0.1:${port}/`), ["the connection is refused (ECONNREFUSED)"]);
});

test("the certificate is not signed by a trusted authority: 503", async () => {
  const server = createHttpsServer(selfSigned, (_request, response) => response.end("{}")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const reasons = await demand503(`https://127.0.0.1:${port}/`);
  assert.deepEqual(reasons, ["the TLS certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)"]);
  await new Promise((resolve) => server.close(resolve));
});

test("the server does not speak TLS: 503", async () => {
  const [reason] = await demand503(introspection.url.replace("http:", "https:"));
  assert.match(reason!, /^the TLS handshake failed \(/);
});

test("the connection ends without an answer, also on a retry: 503", async () => {
  const server = net.createServer((socket) => socket.on("data", () => socket.destroy()).on("error", () => {}));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const [reason] = await demand503(`http://127.0.0.1:${port}/`);
  assert.match(reason!, /^the connection was closed \(/);
  await new Promise((resolve) => server.close(resolve));
});
