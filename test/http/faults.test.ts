import assert from "node:assert/strict";
import { test } from "node:test";
import { DatabaseUnavailable, type Pool } from "../../src/database/database.ts";
import { exchange, openDoor, requestText } from "./door.ts";

/** A pool whose every statement fails so. */
function brokenPool(error: Error): Pool {
  const fail = () => Promise.reject(error);
  return {
    many: fail,
    maybeOne: fail,
    run: fail,
    transaction: fail,
    usage: () => ({ total: 0, idle: 0, waiting: 0 }),
    close: () => Promise.resolve(),
  };
}

const secret = "select secret from 10.0.0.1";

test("a bug is a bare 500, and the log has the rest", async () => {
  await using door = asyncDisposable(await openDoor({}, { pool: brokenPool(new TypeError(secret)) }));
  const response = await door.fetch("/debtors/7/", { headers: { origin: "https://client.example" } });
  assert.equal(response.status, 500);
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  assert.equal(await response.text(), '{"code":500,"status":"Internal Server Error"}');
  const [event] = door.events as { level: number; err: { message: string; stack: string } }[];
  assert.deepEqual([event?.level, event?.err.message], [50, secret]);
  assert.ok(event?.err.stack.includes("faults.test.ts"));
});

test("while the database is away: 503 with Retry-After, and the public health check works", async () => {
  await using door = asyncDisposable(await openDoor({}, { pool: brokenPool(new DatabaseUnavailable(secret)) }));
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
    const response = await door.fetch(path, { method, headers, ...(body === undefined ? {} : { body }) });
    assert.equal(response.status, 503, path);
    assert.match(response.headers.get("retry-after")!, /^[0-9]+$/);
    const text = await response.text();
    assert.ok(!text.includes("secret") && !text.includes("10.0.0.1"), text);
  }
  assert.equal((await door.fetch("/debtors/health/check/public")).status, 200);
});

test("what is no HTTP, or too much of it, is answered in the shape of the API, and the server lives", async () => {
  await using door = asyncDisposable(await openDoor());
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
    const answer = await exchange(door.port, bytes);
    assert.equal(answer?.status, status, bytes.slice(0, 60));
  }
  const overflow = await exchange(door.port, requestText("GET", "/", [`X: ${"x".repeat(20_000)}`]));
  assert.equal(overflow?.headers["content-type"], "application/json");
  assert.deepEqual(JSON.parse(overflow.body), { code: 431, status: "Request Header Fields Too Large" });
  assert.equal((await door.fetch("/debtors/7/")).status, 200);
});

test("a client that goes away in the middle of a body changes nothing", async () => {
  await using door = asyncDisposable(await openDoor());
  const net = await import("node:net");
  const { once } = await import("node:events");
  const socket = net.connect(door.port, "127.0.0.1");
  socket.write(
    requestText("POST", "/debtors/7/deactivate", ["Content-Type: application/json", "Content-Length: 100"], "{"),
  );
  await once(socket, "connect");
  socket.destroy();
  await once(socket, "close");
  assert.equal((await door.fetch("/debtors/7/")).status, 200);
});

test("requests under way are finished when the server closes, and the outbox is mentioned once a writing operation", async () => {
  const door = await openDoor();
  const answers = Array.from({ length: 20 }, (_, i) =>
    door.send("POST", "/debtors/7/transfers/", {
      transferUuid: `123e4567-e89b-12d3-a456-4266554400${10 + i}`,
      recipient: { uri: "swpt:7/1" },
      amount: 1,
    }),
  );
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  await door.close();
  assert.deepEqual(new Set(statuses), new Set([201]));
  assert.equal(door.written(), 20);
});

const asyncDisposable = <Thing extends { close(): Promise<void> }>(thing: Thing): Thing & AsyncDisposable =>
  Object.assign(thing, { [Symbol.asyncDispose]: () => thing.close() });
