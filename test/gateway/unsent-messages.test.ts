/** What a client does with the messages that it has taken from its queue when the peer stays unavailable. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createMemoryBroker } from "../../src/broker/memory.ts";
import { noMetrics } from "../../src/gateway/metrics.ts";
import { createNodeDirectory } from "../../src/gateway/node-directory.ts";
import { debtorsAgent } from "../../src/gateway/role.ts";
import { createSender, type PeerConnection } from "../../src/gateway/sender.ts";
import { waitFor } from "../support/wait.ts";
import { createTestLog } from "./gateway-fixture.ts";
import { bodies } from "./messages.ts";
import { createTestNode } from "./nodes.ts";

const QUEUE = "da.1234abcd";
const node = await createTestNode();
after(() => node[Symbol.asyncDispose]());

type Handlers = Parameters<PeerConnection["startSession"]>[0];

/** A connection on which no message is confirmed. */
function createSilentConnection(onStart: (handlers: Handlers) => void): PeerConnection {
  return {
    startSession: (handlers) => {
      let lastSent = 0;
      setImmediate(() => onStart(handlers));
      return {
        send: () => ++lastSent,
        maySend: () => true,
        disconnect: () => handlers.onClose("Disconnected"),
        destroy: handlers.onClose,
      };
    },
  };
}

for (const [what, connectAgain] of [
  ["cannot be reached", async () => Promise.reject(new Error("No connection"))],
  [
    "refuses every session",
    async () => createSilentConnection(({ onClose }) => onClose("Unknown peer serial number.")),
  ],
] as const) {
  test(`10 minutes after the last session with a peer that ${what}, its messages go back to the queue`, async (t) => {
    const broker = createMemoryBroker({
      exchanges: [],
      queues: [{ name: QUEUE, arguments: {} }],
      bindings: [],
    });
    broker.put(QUEUE, {
      type: "ConfigureAccount",
      contentType: "application/json",
      body: Buffer.from(bodies.ConfigureAccount),
    });
    const { log, lines } = createTestLog();
    const sessions: Handlers[] = [];
    const connect = async (): Promise<PeerConnection> =>
      createSilentConnection((handlers) => {
        sessions.push(handlers);
        handlers.onOpen();
      });
    let currentConnect: () => Promise<PeerConnection> = connect;
    const sender = createSender({
      broker,
      nodes: createNodeDirectory(node.directory, 0),
      role: debtorsAgent,
      peerId: node.peer.nodeId,
      queue: QUEUE,
      unconfirmedMax: 10,
      reconnectMillisMax: 1,
      peerCheckMillis: 60_000,
      stopMillisMax: 1_000,
      connect: () => currentConnect(),
      metrics: noMetrics,
      log,
    });
    t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    const attempts = (): number => lines.filter((line) => line.includes("Connecting again")).length;
    /** Time for the sender's clock, with a further attempt to connect in it. */
    const pass = async (seconds: number): Promise<void> => {
      const before = attempts();
      t.mock.timers.tick(seconds * 1_000);
      await waitFor(() => attempts() > before);
    };
    const stop = new AbortController();
    t.after(() => stop.abort());
    const running = sender.run(stop.signal);
    await waitFor(() => sessions.length === 1 && broker.messagesIn(QUEUE).length === 0);

    currentConnect = connectAgain;
    sessions[0]!.onClose("The connection is lost");
    await waitFor(() => attempts() === 1);
    for (let minute = 0; minute < 10; minute++) await pass(59);
    assert.equal(broker.messagesIn(QUEUE).length, 0);
    await pass(10);
    assert.equal(broker.messagesIn(QUEUE).length, 1);
    assert.ok(lines.some((line) => line.includes("giving the messages back")));

    currentConnect = connect;
    t.mock.timers.tick(10_000);
    await waitFor(() => broker.messagesIn(QUEUE).length === 0);
    assert.equal(sessions.length, 2);
    t.mock.timers.reset();
    stop.abort();
    await running;
  });
}
