/** Two shards, each with a database and a web server of its own, behind the proxy of deploy/nginx. */
import assert from "node:assert/strict";
import type { Server } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { connect } from "node:tls";
import fc from "fast-check";
import { pino } from "pino";
import { readConfig } from "../../src/config.ts";
import { createHttpServer } from "../../src/http/server.ts";
import type { Webapp } from "../../src/http/webapp/webapp.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { isInShard, parseShard, type Shard } from "../../src/values/shard.ts";
import { findFreePort } from "../support/command.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { close, listen } from "../support/http-server.ts";
import { hasIpv6 } from "../support/ipv6.ts";
import { waitFor } from "../support/wait.ts";
import { buildTestWebapp } from "../support/webapp.ts";
import { type ReverseProxy, startProxy } from "./proxy.ts";

interface ShardServer {
  readonly shard: Shard;
  readonly database: TestDatabase;
  readonly server: Server;
  readonly port: number;
}

const PAGE_SIZE = 4;
let shards: ShardServer[] = [];
let proxy: ReverseProxy;

before(async () => {
  const webapp = await buildTestWebapp();
  shards = await Promise.all(["0.#", "1.#"].map((routingKey) => startShard(routingKey, webapp)));
  proxy = await startProxy(Object.fromEntries(shards.map(({ shard, port }) => [shard.routingKey, port])), {
    demo: { "swagger-ui": 1 },
  });
});
after(async () => {
  await (proxy as ReverseProxy | undefined)?.[Symbol.asyncDispose]();
  for (const { server, database } of shards) {
    await close(server);
    await database.close();
  }
});

async function startShard(routingKey: string, webapp: Webapp): Promise<ShardServer> {
  const database = await createTestDatabase();
  const shard = parseShard(routingKey)!;
  const { limits, subjects } = readConfig({ APP_DEBTORS_PER_PAGE: String(PAGE_SIZE) }, []);
  const server = createHttpServer({
    pool: database.pool,
    realm: { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard },
    limits,
    authentication: { mode: "trusted proxy", anonymousIsSuperuser: true },
    subjects,
    enableCors: true,
    trustForwardedHeaders: true,
    log: pino({}, { write: () => {} }),
    webapp,
  });
  return { shard, database, server, port: await listen(server) };
}

const shardOf = (debtorId: bigint): ShardServer => shards.find(({ shard }) => isInShard(shard, debtorId))!;
const unsigned = (debtorId: bigint): string => String(BigInt.asUintN(64, debtorId));
const rowsOf = async ({ database }: ShardServer): Promise<bigint[]> => {
  const rows = await database.pool.many<{ debtorId: bigint }>({
    name: "test_debtor_ids",
    text: 'select debtor_id as "debtorId" from debtor',
  });
  return rows.map(({ debtorId }) => debtorId);
};
const activate = (debtorId: bigint) => proxy.request("POST", `/debtors/${unsigned(debtorId)}/activate`);

test("every request reaches the shard of its debtor", async () => {
  const extremes = [INT64_MIN, INT64_MIN + 1n, -1n, 0n, 1n, INT64_MAX, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n];
  const ids = fc.sample(fc.bigInt({ min: INT64_MIN, max: INT64_MAX }), { numRuns: 150, seed: 7 });
  for (const debtorId of new Set([...extremes, ...ids])) {
    // The wrong shard answers 404.
    assert.equal((await activate(debtorId)).status, 200, unsigned(debtorId));
  }
  for (const shard of shards) {
    const rows = await rowsOf(shard);
    assert.ok(rows.length > 50);
    assert.deepEqual(
      rows.filter((debtorId) => shardOf(debtorId) !== shard),
      [],
    );
  }
});

test("all resources of a debtor are at its shard, however the digits are written", async () => {
  for (const debtorId of [7n, -7n, 8n, 9n]) {
    await activate(debtorId);
    const digits = unsigned(debtorId);
    const encoded = [...digits].map((digit) => `%3${digit}`).join("");
    for (const path of ["", "config", "transfers/", "config?x=/debtors/1/"]) {
      assert.equal((await proxy.request("GET", `/debtors/${digits}/${path}`)).status, 200, path);
      assert.equal((await proxy.request("GET", `/debtors/${encoded}/${path}`)).status, 200, path);
    }
    assert.equal((await proxy.request("GET", `/debtors/${digits}`)).status, 308);
  }
});

test("the web client comes through as it is: policies, compression, caching, and answers to conditional requests", async () => {
  const ofProxy = new Set(["connection", "date", "server", "keep-alive", "transfer-encoding"]);
  for (const name of ["", "config.json", "sw.js", "manifest.json", "none.js", "..%2fdebtors/7/public"]) {
    const path = `/debtors-webapp/${name}`;
    for (const encoding of ["br, gzip", "gzip", "identity"]) {
      const headers = { "accept-encoding": encoding };
      const direct = await fetch(`http://127.0.0.1:${shards[0]!.port}${path}`, { headers });
      await direct.body?.cancel();
      const expected = Object.fromEntries([...direct.headers].filter(([header]) => !ofProxy.has(header)));
      const through = await proxy.request("GET", path, { headers });
      assert.equal(through.status, direct.status, path);
      for (const [header, value] of Object.entries(expected)) assert.equal(through.headers[header], value, header);
      if (expected.etag === undefined) continue;
      const again = await proxy.request("GET", path, { headers: { ...headers, "if-none-match": expected.etag } });
      assert.deepEqual([again.status, again.body, again.headers.etag], [304, "", expected.etag]);
      assert.equal(again.headers["cache-control"], expected["cache-control"]);
    }
  }
  const redirect = await proxy.request("GET", "/debtors-webapp?code=x");
  assert.deepEqual([redirect.status, redirect.headers.location], [308, "/debtors-webapp/?code=x"]);
});

test("the longest headers of an answer pass: a redirect to an IRI beyond ASCII, and a long content type", async () => {
  await activate(9n);
  const iri = `https://example.com/${"ä".repeat(980)}`;
  await shardOf(9n).database.pool.run({
    name: "set_info_iri",
    text: "update debtor set debtor_info_iri = $1 where debtor_id = 9",
    values: [iri],
  });
  const redirect = await proxy.request("GET", "/debtors/9/public");
  assert.equal(redirect.status, 302);
  assert.equal(redirect.headers.location, encodeURI(iri));
  const type = `text/plain; x=${"y".repeat(986)}`;
  const saved = await proxy.request("POST", "/debtors/9/documents/", { headers: { "Content-Type": type }, body: "x" });
  assert.equal(saved.status, 201);
  const read = await proxy.request("GET", new URL(saved.headers.location!).pathname);
  assert.deepEqual([read.status, read.headers["content-type"]], [200, type]);
});

test("what is no debtor ID is refused by a web server, as without the proxy", async () => {
  for (const path of ["18446744073709551616/", "-1/", "x/", "07/", "%ff/", "7%2f8/", "//7/", "7;/"]) {
    const direct = await fetch(`http://127.0.0.1:${shards[0]!.port}/debtors/${path}`);
    assert.equal((await proxy.request("GET", `/debtors/${path}`)).status, direct.status, path);
    assert.equal(direct.status, 404);
  }
});

test("a path with dot segments, or of an internal location, is rejected", async () => {
  for (const path of ["/debtors/.docs/../7/", "/debtors/.docs/%2e%2e/7/config", "/x/../debtors/7/", "//debtors/7/"]) {
    const { status } = await proxy.request("GET", path);
    assert.ok(status === 404 || status === 400, `${path}: ${status}`);
  }
  assert.equal((await proxy.request("GET", "/.shard/shard_0")).status, 404);
  assert.equal((await proxy.request("GET", "/debtors/../.shard/shard_0")).status, 404);
});

test("a random debtor is reserved on any of the shards, and activated where it was reserved", async () => {
  const seen = new Set<ShardServer>();
  for (let i = 0; i < 100 && seen.size < shards.length; i++) {
    const reservation = await proxy.request("POST", "/debtors/.debtor-reserve");
    assert.equal(reservation.status, 200);
    const { debtorId, reservationId } = JSON.parse(reservation.body.replace(/:(\d{15,})/g, ':"$1"'));
    seen.add(shardOf(BigInt.asIntN(64, BigInt(debtorId))));
    const body = JSON.stringify({ reservationId: String(reservationId) });
    const headers = { "Content-Type": "application/json" };
    const activation = await proxy.request("POST", `/debtors/${unsigned(BigInt(debtorId))}/activate`, {
      headers,
      body,
    });
    assert.equal(activation.status, 200, activation.body);
  }
  assert.equal(seen.size, 2);
});

test("a caller's own debtor is always asked of the first shard, which alone may create one", async () => {
  const asked: string[] = [];
  const listeners = shards.map(({ shard, server }) => {
    const listener = () => void asked.push(shard.routingKey);
    server.on("request", listener);
    return () => server.off("request", listener);
  });
  for (const query of ["", "", "?a=/b", "", "", "?", "", ""]) {
    assert.equal((await proxy.request("GET", `/debtors/.debtor${query}`)).status, 204);
  }
  for (const stop of listeners) stop();
  assert.deepEqual(asked, Array(8).fill("0.#"));
});

test("the list and the public pages are answered by any shard", async () => {
  assert.equal((await proxy.request("GET", "/debtors/health/check/public")).status, 200);
  assert.equal((await proxy.request("GET", "/debtors/.docs/openapi.json")).status, 200);
  const list = await proxy.request("GET", "/debtors/.list");
  assert.equal(JSON.parse(list.body).first, "/debtors/9223372036854775808/enumerate");
});

test("the list of all debtors is that of all shards, in one order, each debtor once", async () => {
  for (const debtorId of [-1n, 0n, 1n, 2n, INT64_MIN, INT64_MAX]) await activate(debtorId);
  const expected = (await Promise.all(shards.map(activeIds))).flat().sort((a, b) => (a < b ? -1 : 1));

  const found: bigint[] = [];
  let next: string | undefined = `${JSON.parse((await proxy.request("GET", "/debtors/.list")).body).first}`;
  while (next !== undefined) {
    const reply = await proxy.request("GET", next);
    assert.equal(reply.status, 200, reply.body);
    assert.equal(reply.headers["content-type"], "application/json");
    const page = JSON.parse(reply.body);
    assert.equal(page.type, "ObjectReferencesPage");
    assert.equal(page.uri, `${next}?`);
    for (const { uri } of page.items) found.push(BigInt.asIntN(64, BigInt(uri.split("/")[2])));
    next = page.next;
  }

  assert.deepEqual(found, expected);
  const middle = expected[Math.floor(expected.length / 2)]!;
  const page = JSON.parse((await proxy.request("GET", `/debtors/${unsigned(middle)}/enumerate`)).body);
  assert.equal(page.items[0].uri, `/debtors/${unsigned(middle)}/`);
});

const activeIds = async ({ database }: ShardServer): Promise<bigint[]> => {
  const rows = await database.pool.many<{ debtorId: bigint }>({
    name: "test_active_debtor_ids",
    text: 'select debtor_id as "debtorId" from debtor where status_flags & 3 = 1',
  });
  return rows.map(({ debtorId }) => debtorId);
};

test("a page of the list keeps the headers for browsers, has none for HEAD, and goes on being refused where it was", async () => {
  const path = "/debtors/0/enumerate";
  const headers = { Origin: "https://example.com" };
  const direct = await fetch(`http://127.0.0.1:${shards[0]!.port}${path}`, { headers });
  const page = await proxy.request("GET", path, { headers });
  for (const name of ["access-control-allow-origin", "access-control-expose-headers", "vary", "cache-control"]) {
    assert.equal(page.headers[name] ?? null, direct.headers.get(name), name);
  }
  const head = await proxy.request("HEAD", path);
  assert.deepEqual([head.status, head.body], [200, ""]);
  assert.equal((await proxy.request("POST", path)).status, 405);
  const preflight = await proxy.request("OPTIONS", path, {
    headers: { ...headers, "Access-Control-Request-Method": "GET" },
  });
  assert.deepEqual([preflight.status, preflight.headers["access-control-allow-origin"]], [200, "*"]);
});

test("Location is the address that the client called, with its port", async () => {
  await activate(7n);
  const location = async (host: string) => {
    const headers = {
      Host: host,
      "X-Forwarded-Proto": "http",
      "X-Forwarded-Port": "1",
      "X-Forwarded-Host": "evil.example",
    };
    return (await proxy.request("GET", "/debtors/7", { headers })).headers.location;
  };
  assert.equal(await location("example.com:44301"), "https://example.com:44301/debtors/7/");
  assert.equal(await location("example.com"), "https://example.com/debtors/7/");
  assert.equal(await location("example.com:443"), "https://example.com/debtors/7/");
});

test("the same goes for HTTP/2", async () => {
  await activate(7n);
  const session = connectHttp2(`https://localhost:${proxy.port}`, { ca: proxy.certificate });
  try {
    const stream = session.request({ ":path": "/debtors/7", "x-swpt-user-id": "debtors:8" });
    const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
      stream.on("response", resolve);
      stream.on("error", reject);
      session.on("error", reject);
    });
    stream.resume();
    assert.equal(headers.location, `https://localhost:${proxy.port}/debtors/7/`);
  } finally {
    session.close();
  }
});

test("no client can say who it is", async () => {
  await activate(7n);
  // Without the header it is the superuser here; with one that passed it would be debtor 8, or nobody.
  for (const name of ["X-Swpt-User-Id", "x-swpt-user-id", "X_Swpt_User_Id", "X-SWPT_User-Id"]) {
    for (const path of ["/debtors/7/", "/debtors/0/enumerate"]) {
      const { status } = await proxy.request("GET", path, { headers: { [name]: "debtors:8", Connection: name } });
      assert.equal(status, 200, `${name} ${path}`);
    }
  }
  const direct = await fetch(`http://127.0.0.1:${shardOf(7n).port}/debtors/7/`, {
    headers: { "X-Swpt-User-Id": "debtors:8" },
  });
  assert.equal(direct.status, 403);
});

test("the web server refuses what is too big for it, and the proxy what is far too big, both in JSON", async () => {
  await activate(7n);
  const post = (size: number) =>
    proxy.request("POST", "/debtors/7/documents/", {
      headers: { "Content-Type": "text/plain", Origin: "https://example.com" },
      body: Buffer.alloc(size),
    });
  assert.equal((await post(50_000)).status, 201);
  for (const size of [50_001, 200_000]) {
    const reply = await post(size);
    assert.equal(reply.status, 413);
    assert.equal(reply.headers["content-type"], "application/json");
    assert.equal(reply.headers["access-control-allow-origin"], "*");
    assert.equal(JSON.parse(reply.body).code, 413);
  }
});

/** Sends bytes as they are, and reads to the end of the connection. */
async function sendRaw(bytes: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: proxy.port, ca: proxy.certificate, servername: "localhost" });
  socket.end(bytes);
  return (await socket.toArray()).map(String).join("");
}

test("what the proxy refuses by itself is JSON, readable for browsers", async () => {
  for (const [status, request] of [
    [400, "GET /debtors/1/ HTTP/1.1\r\nConnection: close\r\n\r\n"], // without Host
    [400, "GET /debtors/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
    [405, "TRACE /debtors/1/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
    [414, `GET /debtors/${"1".repeat(20_000)}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`],
    [501, "POST /debtors/1/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n\r\n"],
    [505, "GET /debtors/1/ HTTP/2.0\r\nHost: x\r\nConnection: close\r\n\r\n"],
    [431, `GET /debtors/1/ HTTP/1.1\r\nHost: x\r\nX-Long: ${"1".repeat(20_000)}\r\nConnection: close\r\n\r\n`],
  ] as const) {
    const answer = await sendRaw(request);
    const [head, body] = answer.split("\r\n\r\n") as [string, string];
    assert.match(head, new RegExp(`^HTTP/1.1 ${status} `), request.slice(0, 40));
    assert.match(head, /^content-type: application\/json/im, request.slice(0, 40));
    assert.match(head, /^access-control-allow-origin: \*$/im);
    assert.equal(JSON.parse(body).code, status);
  }
});

test("Swagger UI without its slash is a redirect that keeps the port of the client", async () => {
  const { status, headers } = await proxy.request("GET", "/debtors-swagger-ui");
  assert.deepEqual([status, headers.location], [308, "/debtors-swagger-ui/"]);
});

test("a shard that is unavailable is 503 with Retry-After for its debtors and for lists, and the others go on", async () => {
  await using halfProxy = await startProxy({ "0.#": shards[0]!.port, "1.#": await findFreePort() });
  const here = [1n, 2n, 3n, 4n, 5n, 6n].find((id) => shardOf(id) === shards[0])!;
  const away = [1n, 2n, 3n, 4n, 5n, 6n].find((id) => shardOf(id) === shards[1])!;
  assert.equal((await halfProxy.request("POST", `/debtors/${here}/activate`)).status !== 503, true);
  for (const path of [`/debtors/${away}/`, "/debtors/0/enumerate"]) {
    const reply = await halfProxy.request("GET", path, { headers: { Origin: "https://example.com" } });
    assert.equal(reply.status, 503);
    assert.match(String(reply.headers["retry-after"]), /^[0-9]+$/);
    assert.deepEqual(JSON.parse(reply.body), { code: 503, status: "Service Unavailable" });
    assert.equal(reply.headers["access-control-allow-origin"], "*");
  }
});

test("a hole in the list of shards is 503, never another shard", async () => {
  await using half = await startProxy({ "0.#": shards[0]!.port });
  const elsewhere = [1n, 2n, 3n, 4n, 5n, 6n].find((id) => shardOf(id) === shards[1])!;
  const { status, body } = await half.request("GET", `/debtors/${elsewhere}/`);
  // For what any shard can answer, the proxy chooses at random.
  const chosen = await Promise.all(Array.from({ length: 30 }, () => half.request("GET", "/debtors-webapp/")));
  const ofAll = [await half.request("POST", `/debtors/${elsewhere}/enumerate`), ...chosen];
  assert.equal(status, 503);
  assert.deepEqual(new Set(ofAll.filter((reply) => reply.status >= 500).map((reply) => reply.body)), new Set([body]));
});

/** Sends requests on one connection, without waiting for answers. Resolves to the statuses of the answers. */
async function sendAtOnce(
  { port, certificate: ca }: ReverseProxy,
  count: number,
  addressOf: (index: number) => string = () => "",
): Promise<number[]> {
  const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca });
  const requests = Array.from({ length: count }, (_, index) => {
    const end = index === count - 1 ? "Connection: close\r\n" : "";
    return `GET /debtors/health/check/public HTTP/1.1\r\nHost: localhost\r\nX-Address: ${addressOf(index)}\r\n${end}\r\n`;
  });
  socket.write(requests.join(""));
  const statuses = Array.from((await text(socket)).matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => Number(status));
  assert.equal(statuses.length, count);
  return statuses;
}

/** Sends requests until one is rejected, which a busy machine takes longer to reach. All others must be answered. */
async function sendUntilRejected(to: ReverseProxy, addressOf?: (index: number) => string): Promise<void> {
  const statuses = new Set<number>();
  await waitFor(async () => {
    for (const status of await sendAtOnce(to, 800, addressOf)) statuses.add(status);
    return statuses.has(429);
  });
  assert.deepEqual(statuses, new Set([200, 429]));
}

test("an address that sends too many requests gets 429", async () => {
  await using small = await startProxy({ "#": shards[0]!.port });
  await sendUntilRejected(small);
});

test("the limit is for an IPv4 address, and for an IPv6 network of 64 bits", async () => {
  const directives = "set_real_ip_from 127.0.0.1; real_ip_header X-Address;";
  await using small = await startProxy({ "#": shards[0]!.port }, { directives });
  const ipv4 = await sendAtOnce(small, 800, (index) => `192.0.2.${index % 2}`);
  assert.deepEqual(new Set(ipv4), new Set([200]));
  await sendUntilRejected(small, (index) => `2001:db8::${index.toString(16)}`);
  assert.deepEqual(await sendAtOnce(small, 1, () => "2001:db8:0:1::1"), [200]);
});

test("it is reached by IPv6, too", { skip: !hasIpv6() }, async () => {
  const socket = connect({ port: proxy.port, host: "::1", servername: "localhost", ca: proxy.certificate });
  socket.write("GET /debtors/health/check/public HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  assert.match(await text(socket), /^HTTP\/1\.1 200 /);
});

test("no query gets into the access log", async () => {
  await proxy.request("GET", "/debtors/7/?access_token=very-secret");
  const log = await waitFor(async () => {
    const text = await proxy.readAccessLog();
    return /"GET \/debtors\/7\/" .*\n$/.test(text) && text;
  });
  assert.doesNotMatch(log, /very-secret/);
});
