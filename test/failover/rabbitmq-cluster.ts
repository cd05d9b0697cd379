/** A RabbitMQ cluster of its own, whose servers a test may kill and start again, or freeze. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { type GuardedProcess, startGuarded } from "../../sandbox/guarded-process.ts";
import { findInstalledRabbitMq, prepareNode } from "../../scripts/servers/rabbitmq-program.ts";
import { findFreePort } from "../support/command.ts";
import { pingBroker } from "../support/services.ts";
import { waitFor } from "../support/wait.ts";
import { type FrozenProcesses, freezeProcesses } from "./freeze.ts";

/** One server of a cluster. */
export interface BrokerServer {
  readonly name: string;
  readonly url: string;
  /** SIGKILL; what it holds in memory is gone. */
  kill(): Promise<void>;
  /** Starts it with the data that it had, and waits until it takes connections. */
  start(): Promise<void>;
  /** Suspends it: its connections stand, and it answers nobody. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Runs `rabbitmqctl` for this server. */
  control(...options: string[]): Promise<string>;
}

/** Servers that know each other. `await using` stops them. */
export interface BrokerCluster extends AsyncDisposable {
  readonly servers: readonly BrokerServer[];
  /** All of them, as PROTOCOL_BROKER_URL takes them, another one first each turn. */
  urlFrom(turn: number): string;
  /** The server with the leader of a queue or a stream. */
  leaderOf(queue: string): Promise<BrokerServer>;
  /** Waits until every queue has all its replicas. */
  untilComplete(): Promise<void>;
}

const START_SECONDS_MAX = 180;
// docs/operations.md, "Failover".
const SETTINGS = { net_ticktime: 10, cluster_partition_handling: "pause_minority" };

/** Starts a cluster with empty data. Takes about a minute. */
export async function startBrokerCluster(size: number): Promise<BrokerCluster> {
  const program = await findInstalledRabbitMq();
  if (program === undefined) throw new Error("rabbitmq-server is not installed");
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-cluster-"));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const epmd = await findFreePort();
  const names = Array.from({ length: size }, (_, index) => `mq${index + 1}`);
  const nodeNames = names.map((name) => `${path.basename(folder)}-${name}@localhost`);
  const members = Object.fromEntries(
    nodeNames.map((nodeName, index) => [`cluster_formation.classic_config.nodes.${index + 1}`, nodeName]),
  );
  const servers: BrokerServer[] = [];
  for (const [index, name] of names.entries()) {
    const home = path.join(folder, name);
    await mkdir(home);
    const ports = { amqp: await findFreePort(), distribution: await findFreePort(), epmd };
    const environment = await prepareNode({
      folder: home,
      home: folder, // holds the Erlang cookie
      nodeName: nodeNames[index]!,
      ports,
      settings: { ...SETTINGS, "cluster_formation.peer_discovery_backend": "classic_config", ...members },
      plugins: [],
    });
    if (index === 0) {
      const mapper = startGuarded({
        command: "epmd",
        args: ["-port", String(epmd), "-address", "127.0.0.1"],
        stopSignal: "TERM",
        environment,
      });
      stack.defer(() => mapper.stop());
    }
    const server = createServer(name, program, ports.amqp, home, environment);
    stack.defer(() => server.kill());
    servers.push(server);
    // One after the other: the first one makes the cluster (and the cookie), and the others find it.
    await server.start();
  }
  const moved = stack.move();
  const list = async (column: string): Promise<Map<string, string>> => {
    const text = await servers[0]!.control("list_queues", "--no-table-headers", "name", column);
    return new Map(
      text
        .trim()
        .split("\n")
        .map((row) => row.split("\t") as [string, string]),
    );
  };
  return {
    servers,
    urlFrom: (turn) => servers.map((_, index) => servers[(turn + index) % size]!.url).join(),
    // There is none for a moment while another one is elected.
    leaderOf: (queue) =>
      waitFor(async () => servers[nodeNames.indexOf((await list("leader")).get(queue) ?? "")], {
        what: `a leader of ${queue}`,
      }),
    untilComplete: async () => {
      let missing: string[] = [];
      await waitFor(
        async () => {
          const members = await list("online").catch(() => new Map([["the list", ""]]));
          missing = [...members].filter(([, online]) => online.split("@").length <= size).map((row) => row.join(" "));
          return missing.length === 0;
        },
        { what: () => `all replicas of ${missing.join(", ")}` },
      );
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

function createServer(
  name: string,
  program: string,
  port: number,
  folder: string,
  environment: NodeJS.ProcessEnv,
): BrokerServer {
  const url = `amqp://guest:guest@127.0.0.1:${port}`;
  let running: GuardedProcess | undefined;
  let frozen: FrozenProcesses | undefined;
  const run = promisify(execFile);
  return {
    name,
    url,
    start: async () => {
      const server = startGuarded({ command: program, args: [], stopSignal: "TERM", environment, folder });
      running = server;
      const isReady = async (): Promise<boolean> => {
        if (server.hasEnded()) throw new Error(`${name} does not start: ${server.output().slice(-1000)}`);
        return pingBroker(url).then(
          () => true,
          () => false,
        );
      };
      await waitFor(isReady, { what: `${name} to start`, timeoutSeconds: START_SECONDS_MAX });
    },
    kill: async () => {
      frozen?.kill();
      frozen = undefined;
      await running?.kill();
      running = undefined;
    },
    freeze: async () => {
      frozen = await freezeProcesses(running!.pid!);
    },
    thaw: async () => {
      await frozen!.thaw();
      frozen = undefined;
    },
    control: async (...options) =>
      (
        await run(path.join(path.dirname(program), "rabbitmqctl"), ["--quiet", ...options], {
          env: environment,
          timeout: 60_000,
        })
      ).stdout,
  };
}
