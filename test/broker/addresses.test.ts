import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { pino } from "pino";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { makeBreakable } from "./breakable-connection.ts";

const log = pino({ level: "silent" });
const host = await createTestVirtualHost();
after(() => host.close());

/** The reason that a broker gives once it has one that matches. */
async function reasonOf(url: string, pattern: RegExp): Promise<void> {
  const broker = await connectRabbitMq({ url, connectionName: "test", log });
  try {
    await waitFor(() => pattern.test(broker.unavailableReason() ?? ""), {
      what: () => String(broker.unavailableReason()),
    });
    assert.equal(broker.isConnected(), false);
  } finally {
    await broker.close();
  }
}

const changed = (change: (url: URL) => void): string => {
  const url = new URL(host.url);
  change(url);
  return url.href;
};

test("a broker that refuses is quoted, with what to check", async () => {
  await reasonOf(
    changed((url) => {
      url.pathname = "/swpt_nowhere";
    }),
    /NOT_ALLOWED - vhost swpt_nowhere not found.*virtual host/,
  );
  await reasonOf(
    changed((url) => {
      url.password = "wrong";
    }),
    /ACCESS.REFUSED.*password/,
  );
  await reasonOf(
    "amqp://127.0.0.1:1",
    /The broker cannot be reached: nothing listens there \(.*ECONNREFUSED.*\): check host and port in PROTOCOL_BROKER_URL$/,
  );
});

for (const [what, bytes] of [
  ["a web server", "HTTP/1.1 400 Bad Request\r\n\r\n"],
  ["a broker of another version of AMQP", "AMQP\0\x01\0\0"],
  ["a server of something else", "\0\0\0\0\0\0\x04\0\0\0\0\0"],
] as const) {
  test(`${what} in the place of the broker is waited for, with what to check`, async () => {
    const server = createServer((socket) => socket.on("error", () => {}).once("data", () => socket.write(bytes)));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await reasonOf(`amqp://127.0.0.1:${port}`, /does not speak AMQP 0-9-1: check address and port/);
    server.close();
  });
}

for (const [what, onConnection, reason] of [
  ["accepts and never answers", () => {}, /no answer in time \(connect ETIMEDOUT\): check host and port in PROTOCOL_/],
  ["hangs up", (socket: Socket) => socket.end(), /the server hangs up \(.*\): check host and port .*amqps/],
  [
    "hangs up in the middle of what it gets",
    (socket: Socket) => socket.once("data", () => socket.resetAndDestroy()),
    /the server hangs up \(read ECONNRESET\): check host and port .*amqps/,
  ],
] as const) {
  test(`a port that ${what} is waited for, with what to check, with and without TLS`, async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket.on("error", () => {}));
      onConnection(socket);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await reasonOf(`amqp://127.0.0.1:${port}?connection_timeout=300`, reason);
    await reasonOf(
      `amqps://127.0.0.1:${port}?connection_timeout=300`,
      /no answer in time|hangs up|closed the connection/,
    );
    for (const socket of sockets) socket.destroy();
    server.close();
  });
}

test("a host name that cannot be resolved is waited for, with what to check", () =>
  reasonOf("amqp://nowhere.invalid", /the host name cannot be resolved \(.*nowhere\.invalid\): check host and port/));

test("several servers are tried in turn, also when one accepts and never answers, and after a loss", async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const vhost = new URL(host.url).pathname;
  const query = "?connection_timeout=300";
  const silentUrl = `amqp://guest:guest@127.0.0.1:${(silent.address() as AddressInfo).port}${vhost}${query}`;
  await using relay = await makeBreakable(host.url);
  const url = [`amqp://guest:guest@127.0.0.1:1${vhost}${query}`, silentUrl, relay.url + query, host.url + query].join();
  const broker = await connectRabbitMq({ url, connectionName: "test", log });
  await waitFor(() => broker.isConnected());
  assert.equal(relay.connectionCount(), 1);
  relay.setReachable(false);
  await waitFor(() => !broker.isConnected());
  await waitFor(() => broker.isConnected());
  await broker.close();
  for (const socket of sockets) socket.destroy();
  silent.close();
});
