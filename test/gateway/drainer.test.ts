/** Emptying the queue of a deactivated peer. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { drainQueue } from "../../src/gateway/drainer.ts";
import { noMetrics } from "../../src/gateway/metrics.ts";
import { createNodeDirectory } from "../../src/gateway/node-directory.ts";
import { debtorsAgent } from "../../src/gateway/role.ts";
import { parseJson } from "../../src/values/json.ts";
import { waitFor } from "../support/wait.ts";
import { createTestLog } from "./gateway-fixture.ts";
import { bodies, DEBTOR_ID } from "./messages.ts";
import { createTestNode, PEER_ID } from "./nodes.ts";
import { createTestBroker } from "./test-broker.ts";

const { broker, received, put, depth, untilDepth, bindIncoming, unbindIncoming } = await createTestBroker();
const node = await createTestNode();
after(() => node[Symbol.asyncDispose]());
const contentType = "application/json";

async function withDrainer(queue: string, work: (log: readonly string[]) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const { log, lines } = createTestLog();
  const drained = drainQueue(
    {
      broker,
      nodes: createNodeDirectory(node.directory, 0),
      role: debtorsAgent,
      peerId: PEER_ID,
      queue,
      prefetchCount: 100,
      confirmMillisMax: 30_000,
      metrics: noMetrics,
      log,
    },
    stop.signal,
  );
  try {
    await work(lines);
  } finally {
    stop.abort();
    await drained;
  }
}

test("a configuration is rejected in place of the peer, transfers are dropped, and poison is dead-lettered", async () => {
  const queue = "da.drained";
  await put(queue, [
    { type: "PrepareTransfer", contentType, body: bodies.PrepareTransfer },
    { type: "ConfigureAccount", contentType, body: bodies.ConfigureAccount },
    { type: "FinalizeTransfer", contentType, body: bodies.FinalizeTransfer },
    { type: "ConfigureAccount", contentType, body: "{" },
  ]);
  await withDrainer(queue, async (log) => {
    await waitFor(() => received.length === 1);
    await waitFor(() => log.some((line) => line.includes("Moved a message to the dead-letter queue")));
    await untilDepth(`${queue}.XQ`, 1);
  });
  assert.equal(await depth(queue), 0);
  const { ts, ...answer } = parseJson(received[0]!) as { ts: string };
  assert.ok(ts.startsWith("20"));
  assert.deepEqual(answer, {
    type: "RejectedConfig",
    debtor_id: DEBTOR_ID,
    creditor_id: 0n,
    config_ts: "2026-11-26T05:00:00+00:00",
    config_seqnum: 3n,
    config_flags: 0n,
    config_data: "",
    negligible_amount: 5000,
    rejection_code: "NO_CONNECTION_TO_DEBTOR",
  });
});

test("an answer that no queue takes is not lost: the configuration stays until one does", async () => {
  const queue = "da.undrained";
  await unbindIncoming();
  received.length = 0;
  await put(queue, [{ type: "ConfigureAccount", contentType, body: bodies.ConfigureAccount }]);
  await withDrainer(queue, async (log) => {
    await waitFor(() => log.some((line) => line.includes("cannot be published yet")));
  });
  await untilDepth(queue, 1);
  await bindIncoming();
  await withDrainer(queue, async () => {
    await waitFor(() => received.length === 1);
  });
  await untilDepth(queue, 0);
});

test("a body that would take hundreds of megabytes is dead-lettered before it is parsed, and what is behind it is drained", async () => {
  const queue = "da.huge";
  received.length = 0;
  const huge = bodies.ConfigureAccount.replace("{", `{"x":[${"1,".repeat(1_000_000)}1],`);
  await put(queue, [
    { type: "ConfigureAccount", contentType, body: huge },
    { type: "ConfigureAccount", contentType, body: bodies.ConfigureAccount },
  ]);
  await withDrainer(queue, async (log) => {
    await waitFor(() => received.length === 1);
    await waitFor(() => log.some((line) => /bytes; at most 65536 are allowed/.test(line)));
    await untilDepth(`${queue}.XQ`, 1);
  });
  assert.equal(await depth(queue), 0);
});
