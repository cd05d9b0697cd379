import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { exchange, requestText, startTestServer } from "../http/test-server.ts";
import { waitFor } from "../support/wait.ts";

// The proportions are those of the real limits.
const timeouts = { headers: 300, request: 600, keepAlive: 1_500, inactivity: 2_400, linger: 300, check: 100 };
const testServer = await startTestServer({}, { timeouts });
const sockets: net.Socket[] = [];
after(async () => {
  for (const socket of sockets) socket.destroy();
  await testServer.close();
});

const HEAD = "POST /debtors/7/deactivate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
const DRIP_MILLIS = 15;

interface SlowClient {
  readonly socket: net.Socket;
  answer: string;
}

/** A client that sends one byte after the other, without end. */
async function drip(begin: string, more: () => string): Promise<SlowClient> {
  // It does not hang up when the server does.
  const socket = net.connect({ port: testServer.port, host: "127.0.0.1", allowHalfOpen: true });
  sockets.push(socket);
  const client: SlowClient = { socket, answer: "" };
  socket.on("error", () => {});
  socket.on("data", (data) => {
    client.answer += data;
  });
  await once(socket, "connect");
  socket.write(begin);
  void (async () => {
    while (!socket.destroyed) {
      socket.write(more());
      await pause(DRIP_MILLIS);
    }
  })();
  return client;
}

/** On a connection of its own: here the server soon closes one that waits for the next request. */
const statusOfDebtor = async (): Promise<number | undefined> =>
  (await exchange(testServer.port, requestText("GET", "/debtors/7/")))?.status;

/** How many connections the server has. Of a client that does not hang up only the server knows that it is gone. */
const connectionCount = (): Promise<number> =>
  new Promise((resolve, reject) =>
    testServer.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );

/**
 * Waits until the server is rid of all slow clients; all the while others must be served, save for those that are themselves
 * slower than the server allows, because this machine is busy.
 */
async function untilCutOff(): Promise<void> {
  let served = 0;
  await waitFor(
    async () => {
      const start = performance.now();
      const status = await statusOfDebtor();
      if (status === 200) served++;
      else assert.ok(performance.now() - start >= timeouts.headers, `${status} at once`);
      // The last of our own may not be closed yet.
      return served > 0 && (await connectionCount()) <= 1;
    },
    { what: "the slow clients to be cut off, and others to be served" },
  );
}

/** Waits until each of the clients has got an answer that begins so. */
const untilAllAnswered = (clients: readonly SlowClient[], beginning: string): Promise<true> =>
  waitFor(() => clients.every(({ answer }) => answer.startsWith(beginning)), {
    what: () => `${beginning}, and not ${clients.find(({ answer }) => !answer.startsWith(beginning))?.answer}`,
  });

const many = (client: () => Promise<SlowClient>): Promise<SlowClient[]> =>
  Promise.all(Array.from({ length: 100 }, client));

test("a client that sends its headers slowly is disconnected, and others are served meanwhile", async () => {
  const clients = await many(() => drip("GET /debtors/7/ HTTP/1.1\r\nHost: x\r\nX-Slow: ", () => "a"));
  await untilCutOff();
  await untilAllAnswered(clients, "HTTP/1.1 408 Request Timeout\r\n");
});

test("a client that sends header lines without end is disconnected", async () => {
  await many(() => drip("GET /debtors/7/ HTTP/1.1\r\nHost: x\r\n", () => "a: b\r\n"));
  await untilCutOff();
});

test("a client that sends its body slowly is disconnected, and changes nothing", async () => {
  const clients = await many(() => drip(`${HEAD}Content-Length: 20000\r\n\r\n{`, () => " "));
  await untilCutOff();
  await untilAllAnswered(clients, "HTTP/1.1 408 Request Timeout\r\n");
});

test("a client that sends a chunked body slowly is disconnected, and changes nothing", async () => {
  await many(() => drip(`${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`, () => "1\r\n \r\n"));
  await untilCutOff();
});

test("the time for the body of a rejected request is limited as well", async () => {
  await many(() => drip("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", () => " "));
  await untilCutOff();
});

test("a client that connects and sends nothing is disconnected", async () => {
  await many(() => drip("", () => ""));
  await untilCutOff();
});

test("a client that stays idle after an answer is disconnected", async () => {
  const clients = await many(() => drip("GET /debtors/7/ HTTP/1.1\r\nHost: x\r\n\r\n", () => ""));
  await untilCutOff();
  // On a busy machine some of the requests may themselves be read too late.
  await waitFor(() => clients.some(({ answer }) => answer.startsWith("HTTP/1.1 200 OK\r\n")));
});

test("a client that does not read its answers is disconnected", async () => {
  const saved = await exchange(
    testServer.port,
    requestText("POST", "/debtors/7/documents/", ["Content-Length: 50000"], "x".repeat(50_000)),
  );
  assert.equal(saved?.status, 201);
  const path = new URL(saved.headers.location!).pathname;
  const request = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  for (let i = 0; i < 2; i++) {
    const { socket } = await drip("", () => "");
    socket.pause();
    socket.write(request.repeat(300));
  }
  await untilCutOff();
});

test("afterwards nothing has changed, and nothing is logged as an error", async () => {
  assert.equal(await statusOfDebtor(), 200);
  assert.deepEqual(
    testServer.events.filter(({ level }) => (level as number) >= 50),
    [],
  );
});
