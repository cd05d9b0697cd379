/**
 * Two nodes that exchange messages over a line that cuts, delays and splits, while the processes on both sides are killed:
 * nothing is lost, nothing is changed, and nothing that both sides accept ends up among the dead letters.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import amqp, { type ConfirmChannel } from "amqplib";
import { createNodePair, type PairedNode } from "../../sandbox/peer-node/node-pair.ts";
import { withMember } from "../gateway/messages.ts";
import { findFreePort } from "../support/command.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { startBadLine } from "./bad-line.ts";

const MESSAGE_COUNT = 500;
const KILL_COUNT = 10;
const KILL_PAUSE_MILLIS = 700;
const program = fileURLToPath(new URL("../../bin/swpt-debtors.js", import.meta.url));
const peerProgram = fileURLToPath(new URL("./peer-node.ts", import.meta.url));

/** Starts a process again whenever it ends, until it is stopped. */
function keepRunning(args: readonly string[], environment: Readonly<Record<string, string>>) {
  let child: ChildProcess;
  let isWanted = true;
  let output = "";
  const start = (): void => {
    const { PATH = "", HOME = "" } = process.env;
    const env = { PATH, HOME, METRICS_PORT: "0", APP_LOG_LEVEL: "warning", ...environment };
    child = spawn(process.execPath, [...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on("data", (text) => {
        output += text;
      });
    }
    child.once("exit", () => {
      if (isWanted) start();
    });
  };
  start();
  return {
    kill: () => child.kill("SIGKILL"),
    output: () => output,
    stop: async () => {
      isWanted = false;
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

/** A broker of one of the nodes: a queue of what is to be sent, and one of what has arrived. */
async function createSide(exchange: string, queue: string) {
  const host = await createTestVirtualHost();
  const connection = await amqp.connect(host.url);
  const channel: ConfirmChannel = await connection.createConfirmChannel();
  await channel.assertExchange("debtors_in", "topic");
  await channel.assertExchange("debtors_out", "fanout");
  await channel.assertQueue("arrived");
  await channel.bindQueue("arrived", exchange, "#");
  await channel.assertQueue(`${queue}.XQ`);
  await channel.assertQueue(queue);
  const arrived: string[] = [];
  await channel.consume("arrived", (message) => arrived.push(message!.content.toString()), { noAck: true });
  after(async () => {
    await connection.close();
    await host.close();
  });
  return { url: host.url, channel, arrived };
}

const environmentOf = ({ directory, certificateFile, keyFile }: PairedNode, url: string, port: number) => ({
  SWPT_NODEDATA_URL: `file://${directory}`,
  SWPT_SERVER_CERT: certificateFile,
  SWPT_SERVER_KEY: keyFile,
  SWPT_SERVER_PORT: String(port),
  SWPT_CLIENT_BUFFER: "20",
  SWPT_SERVER_BUFFER: "20",
  APP_STOMP_RECONNECT_MAX_SECONDS: "1",
  PROTOCOL_BROKER_URL: url,
});

test("nothing is lost and nothing changed, whatever is cut and killed", { timeout: 240_000 }, async (t) => {
  const random = seededRandom(t);
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-chaos-nodes-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [agentPort, authorityPort] = [await findFreePort(), await findFreePort()];
  await using toAgent = await startBadLine(agentPort, random);
  await using toAuthority = await startBadLine(authorityPort, random);
  const { agent, authority } = await createNodePair({
    folder,
    authorityId: "1234abcd",
    agentServer: `127.0.0.1:${toAgent.port}`,
    authorityServer: `127.0.0.1:${toAuthority.port}`,
  });
  const [agentQueue, authorityQueue] = [`da.${authority.nodeId}`, `aa.${agent.nodeId}`];
  const agentSide = await createSide("debtors_in", agentQueue);
  const authoritySide = await createSide("debtors_out", authorityQueue);
  const properties = { persistent: true, contentType: "application/json" };
  const sent = Array.from({ length: MESSAGE_COUNT }, (_, index) =>
    withMember("ConfigureAccount", "seqnum", `${index}`),
  );
  const answers = Array.from({ length: MESSAGE_COUNT }, (_, index) =>
    withMember("RejectedConfig", "config_seqnum", `${index}`),
  );
  for (const body of sent) {
    agentSide.channel.sendToQueue(agentQueue, Buffer.from(body), { ...properties, type: "ConfigureAccount" });
  }
  for (const body of answers) {
    authoritySide.channel.sendToQueue(authorityQueue, Buffer.from(body), { ...properties, type: "RejectedConfig" });
  }

  const agentEnvironment = environmentOf(agent, agentSide.url, agentPort);
  const processes = [
    keepRunning([program, "stomp", "serve"], agentEnvironment),
    keepRunning([program, "stomp", "send", authority.nodeId, agentQueue], agentEnvironment),
    keepRunning([program, "stomp", "send", authority.nodeId, agentQueue], agentEnvironment),
    keepRunning([peerProgram], {
      ...environmentOf(authority, authoritySide.url, authorityPort),
      PEER_ID: agent.nodeId,
      PEER_QUEUE: authorityQueue,
    }),
  ];
  t.after(() => Promise.all(processes.map((each) => each.stop())));
  for (let kill = 0; kill < KILL_COUNT; kill++) {
    await pause(KILL_PAUSE_MILLIS * (0.5 + random()));
    processes[Math.floor(random() * processes.length)]!.kill();
  }
  toAgent.heal();
  toAuthority.heal();

  for (const [side, expected, what] of [
    [authoritySide, sent, "what the agent sends"],
    [agentSide, answers, "what the authority sends"],
  ] as const) {
    await waitFor(() => new Set(side.arrived).size >= MESSAGE_COUNT, {
      what: () =>
        `${what}: ${new Set(side.arrived).size} of ${MESSAGE_COUNT}\n${processes.map((each) => each.output().slice(-2000)).join("\n")}`,
      timeoutSeconds: 120,
    });
    assert.deepEqual(new Set(side.arrived), new Set(expected));
  }
  for (const [side, queue] of [
    [agentSide, agentQueue],
    [authoritySide, authorityQueue],
  ] as const) {
    await waitFor(async () => (await side.channel.checkQueue(queue)).messageCount === 0);
    assert.equal((await side.channel.checkQueue(`${queue}.XQ`)).messageCount, 0);
  }
});

/** Numbers that TEST_SEED repeats. */
function seededRandom(t: { diagnostic(text: string): void }): () => number {
  let state = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(`TEST_SEED=${state}`);
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
}
