/** Clients that send requests without waiting for the answers to those before. */
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, test } from "node:test";
import { waitFor } from "../support/wait.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

let testServer: TestServer;
before(async () => {
  testServer = await startTestServer();
});
after(() => testServer.close());

const isLockAwaited = (): Promise<unknown> =>
  testServer.database.pool.maybeOne({
    name: "test_find_lock_wait",
    text: "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  });

/** Sends requests at once, while the debtor 7 is locked, and resolves to all that the server answers. */
async function sendWhileDebtorIsLocked(...requests: readonly string[]): Promise<string> {
  const socket = net.connect(testServer.port, "127.0.0.1");
  socket.on("error", () => {}); // Being cut off while still sending is part of what is tested.
  let text = "";
  socket.on("data", (data) => {
    text += data;
  });
  const closed = new Promise((resolve) => socket.on("close", resolve));
  await testServer.database.pool.transaction(async (tx) => {
    await tx.run({ name: "", text: "select from debtor where debtor_id = 7 for update" });
    socket.write(requests.join(""));
    await waitFor(async () => socket.closed || (await isLockAwaited()), { what: "the first request to be under way" });
  });
  await closed;
  return text;
}

const patch = (id: number, data: string): string => {
  const body = `{"configData":"${data}","latestUpdateId":${id}}`;
  const head = `PATCH /debtors/7/config HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
  return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
};
const get = (...headers: readonly string[]): string =>
  ["GET /debtors/7/config HTTP/1.1", "Host: x", ...headers, "", ""].join("\r\n");

const readConfig = async (): Promise<{ configData: string }> =>
  (await (await testServer.fetch("/debtors/7/config")).json()) as { configData: string };

test("each request of a connection sees what the ones before it have done", async () => {
  const text = await sendWhileDebtorIsLocked(patch(2, "two"), get(), patch(3, "three"), get("Connection: close"));
  assert.deepEqual(
    [...text.matchAll(/"configData":"([a-z]*)"/g)].map(([, data]) => data),
    ["two", "two", "three", "three"],
  );
});

test("nothing is done for a request that comes after an answer with which the connection closes", async () => {
  const withoutHost = "GET /debtors/7/config HTTP/1.1\r\n\r\n";
  const text = await sendWhileDebtorIsLocked(patch(4, "four"), withoutHost, patch(5, "five"));
  assert.deepEqual(
    [...text.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status),
    ["200", "400"],
  );
  assert.equal((await readConfig()).configData, "four");
});

test("a connection with too many unanswered requests is closed, and others are served", async () => {
  const text = await sendWhileDebtorIsLocked(patch(5, "five"), get().repeat(10_000));
  assert.equal(text, "");
  assert.equal((await testServer.fetch("/debtors/7/config")).status, 200);
});
