/** How fast STOMP server and client pass messages on, over TLS and beside a bare publisher and consumer; and their memory. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { configurePeerQueue } from "../src/broker/declare-topology.ts";
import type { TlsCredentials } from "../src/stomp/tls-credentials.ts";
import { clientCredentials, createTestNode, PEER_ID, serverCredentials, type TestNode } from "../test/gateway/nodes.ts";
import { type RunningCommand, startCommand } from "../test/support/command.ts";
import type { Figure } from "./figures.ts";
import { sentBody } from "./gateway-messages.ts";
import type { Bench } from "./plan.ts";
import { connectTo, publishAll } from "./queue.ts";
import { median, medianRatio, runRounds } from "./rounds.ts";

const QUEUE = `da.${PEER_ID}`;
/** The documented buffers, for both sides and for the limits. */
const UNCONFIRMED_MAX = 100;
const RATE_MIN = 5_000;
const RATIO_MIN = 0.5;
/** What a process may grow by from the first tenth of the messages on. */
const GROWTH_MEGABYTES_MAX = 30;

/** Messages per second in each direction. */
export async function benchGateway({ plan, brokerUrl }: Bench): Promise<Figure[]> {
  await using node = await createTestNode();
  const count = plan.gatewayMessages;
  await declareQueues(brokerUrl);
  await using server = startGateway(["stomp", "serve", "-p", "0"], node, brokerUrl);
  const port = await portOf(server);
  const receiveMessages = () => receive(node, brokerUrl, port, count);
  if (plan.isWarmedUp) await receiveMessages();
  const rounds = await runRounds(
    [
      { name: "receive", run: receiveMessages },
      { name: "publish", run: () => runBare("publish", brokerUrl, "incoming", count) },
      { name: "send", run: () => send(node, brokerUrl, count) },
      { name: "consume", run: () => runBare("consume", brokerUrl, QUEUE, count) },
    ],
    plan.rounds,
  );
  return [
    ...figuresOf("gateway receives", rounds.receive, rounds.publish),
    ...figuresOf("gateway sends", rounds.send, rounds.consume),
  ];
}

/** How much the processes grow over very many messages. The rounds are what they hold after each tenth. */
export async function benchGatewayMemory({ plan, brokerUrl }: Bench): Promise<Figure[]> {
  await using node = await createTestNode();
  const tenth = Math.ceil(plan.gatewayLongMessages / 10);
  await declareQueues(brokerUrl);
  await using server = startGateway(["stomp", "serve", "-p", "0"], node, brokerUrl);
  const port = await portOf(server);
  const ofServer: number[] = [];
  for (let part = 1; part <= 10; part++) {
    await receive(node, brokerUrl, port, tenth);
    ofServer.push(await residentMegabytes(server.pid));
  }

  const ofClient: number[] = [];
  await send(node, brokerUrl, 10 * tenth, async (client, untilSent) => {
    for (let part = 1; part <= 10; part++) {
      await untilSent(part * tenth);
      ofClient.push(await residentMegabytes(client.pid));
    }
  });
  return [growthOf("gateway receives", ofServer), growthOf("gateway sends", ofClient)];
}

const growthOf = (name: string, resident: readonly number[]): Figure => ({
  name: `${name}, growth`,
  unit: "MB",
  value: Math.max(resident.at(-1)! - resident[0]!, 0),
  target: { of: "value", below: GROWTH_MEGABYTES_MAX },
  rounds: { resident },
});

const figuresOf = (name: string, ours: readonly number[], limit: readonly number[]): Figure[] => {
  const common = { unit: "1/s", value: median(ours), limit: median(limit), ratio: medianRatio(ours, limit) } as const;
  return [
    { name, ...common, target: { of: "ratio", atLeast: RATIO_MIN }, rounds: { ours, limit } },
    { name: `${name}, at least`, unit: "1/s", value: median(ours), target: { of: "value", atLeast: RATE_MIN } },
  ];
};

async function declareQueues(brokerUrl: string): Promise<void> {
  await configurePeerQueue({ url: brokerUrl, queue: QUEUE, peerId: PEER_ID, useRandomExchange: false });
  const connection = await connectTo(brokerUrl);
  const channel = await connection.createChannel();
  await channel.assertExchange("debtors_in", "topic");
  await channel.assertQueue("incoming", { arguments: { "x-queue-type": "quorum" } });
  await channel.bindQueue("incoming", "debtors_in", "#");
  await connection.close();
}

function startGateway(args: readonly string[], node: TestNode, brokerUrl: string): RunningCommand {
  return startCommand(args, {
    SWPT_NODEDATA_URL: `file://${node.directory}`,
    SWPT_SERVER_CERT: node.certificateFile,
    SWPT_SERVER_KEY: node.keyFile,
    PROTOCOL_BROKER_URL: brokerUrl,
    APP_LOG_LEVEL: "info",
    NODE_OPTIONS: process.env.BENCH_NODE_OPTIONS,
  });
}

const portOf = async (server: RunningCommand): Promise<number> =>
  Number((await server.outputMatching(/Listening for peers port=(\d+)/))[1]);

/** Messages per second, from the first `SEND` to the last receipt. */
async function receive(node: TestNode, brokerUrl: string, port: number, count: number): Promise<number> {
  const peer = startPeer(["send", String(port), String(count)], clientCredentials(node.peer, node.own));
  const [millis] = await peer.numbers(1);
  await peer.ended;
  await purge(brokerUrl, "incoming");
  return (count * 1000) / millis!;
}

/** Messages per second, from the first `SEND` to the last receipt. `watch` runs beside it. */
async function send(
  node: TestNode,
  brokerUrl: string,
  count: number,
  watch?: (client: RunningCommand, untilSent: (sent: number) => Promise<void>) => Promise<void>,
): Promise<number> {
  await fill(brokerUrl, count);
  const peer = startPeer(["receive", String(count)], serverCredentials(node.peer));
  const [port] = await peer.numbers(1);
  await node.setServers([`127.0.0.1:${port}`]);
  await using client = startGateway(["stomp", "send", PEER_ID, QUEUE], node, brokerUrl);
  const watching = watch?.(client, (sent) => untilLeft(brokerUrl, count - sent));
  const millis = (await peer.numbers(2))[1]!;
  await watching;
  await peer.ended;
  await client.stop();
  await purge(brokerUrl, QUEUE);
  return (count * 1000) / millis;
}

async function runBare(what: "publish" | "consume", brokerUrl: string, queue: string, count: number): Promise<number> {
  if (what === "consume") await fill(brokerUrl, count);
  const program = fileURLToPath(new URL("bare-gateway.ts", import.meta.url));
  const parameters = [what, brokerUrl, queue, String(count), String(UNCONFIRMED_MAX)];
  const bare = watchOutput(spawn(process.execPath, [program, ...parameters], { stdio: ["ignore", "pipe", "inherit"] }));
  const [millis] = await bare.numbers(1);
  await bare.ended;
  await purge(brokerUrl, queue);
  return (count * 1000) / millis!;
}

function startPeer(args: readonly string[], credentials: TlsCredentials) {
  const program = fileURLToPath(new URL("./load/stomp-peer.ts", import.meta.url));
  const child = spawn(process.execPath, [program, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(credentials));
  return watchOutput(child);
}

/** A child process that prints numbers, one a line. */
function watchOutput(child: ChildProcess) {
  const lines = createInterface({ input: child.stdout! });
  const printed: number[] = [];
  let onLine = (): void => {};
  lines.on("line", (line) => {
    printed.push(Number(line));
    onLine();
  });
  const ended = once(child, "close").then(([code]) => {
    if (code !== 0) throw new Error(`${child.spawnargs.slice(1).join(" ")} ended with ${code}`);
  });
  ended.catch(() => {});
  const numbers = async (count: number): Promise<readonly number[]> => {
    while (printed.length < count) {
      await Promise.race([
        new Promise<void>((resolve) => {
          onLine = resolve;
        }),
        ended.then(() => {
          if (printed.length < count) throw new Error(`${child.spawnargs.slice(1).join(" ")} printed too little`);
        }),
      ]);
    }
    return printed;
  };
  return { numbers, ended };
}

const FILL_COUNT = 50_000;

async function fill(brokerUrl: string, count: number): Promise<void> {
  for (let start = 0; start < count; start += FILL_COUNT) {
    const bodies = Array.from({ length: Math.min(FILL_COUNT, count - start) }, (_, index) => sentBody(start + index));
    await publishAll(brokerUrl, "debtors_out", "PrepareTransfer", bodies);
  }
}

async function purge(brokerUrl: string, queue: string): Promise<void> {
  const connection = await connectTo(brokerUrl);
  const channel = await connection.createChannel();
  await channel.purgeQueue(queue);
  await connection.close();
}

async function untilLeft(brokerUrl: string, left: number): Promise<void> {
  const connection = await connectTo(brokerUrl);
  const channel = await connection.createChannel();
  while ((await channel.checkQueue(QUEUE)).messageCount > left)
    await new Promise((resolve) => setTimeout(resolve, 100));
  await connection.close();
}

/** What a process holds resident. */
async function residentMegabytes(pid: number): Promise<number> {
  const sums = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Rss: +(\d+) kB/m.exec(sums)![1]) / 1024;
}
