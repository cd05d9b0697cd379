/**
 * A RabbitMQ out of the programs that are installed on this machine, beside a running one if there is one: all its ports,
 * folders and names are its own, its port mapper (epmd) too. Runs as whoever we are.
 */
import { access, constants, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type GuardedProcess, startGuarded } from "../../sandbox/guarded-process.ts";
import { findFreePort } from "../../test/support/command.ts";
import { describe, pingBroker } from "../../test/support/services.ts";
import { waitFor } from "../../test/support/wait.ts";
import type { TestServer } from "./test-server.ts";

// The first ones hold the program itself. What packages put into /usr/sbin is a wrapper that insists on a certain user.
const PROGRAM_FOLDERS = [
  "/usr/lib/rabbitmq/bin",
  "/opt/rabbitmq/sbin",
  "/opt/homebrew/opt/rabbitmq/sbin",
  "/usr/local/opt/rabbitmq/sbin",
];
const SYSTEM_FOLDERS = ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
const searchPath = [...new Set([...(process.env.PATH ?? "").split(":"), ...SYSTEM_FOLDERS])].join(":");

/** The path of `rabbitmq-server`, or `undefined` when it is not installed. */
export async function findInstalledRabbitMq(): Promise<string | undefined> {
  for (const folder of [...PROGRAM_FOLDERS, ...searchPath.split(":")]) {
    const program = path.join(folder, "rabbitmq-server");
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return realpath(program);
  }
  return undefined;
}

/** Starts the program with empty data, with the management plugin. Takes some seconds. */
export async function startInstalledRabbitMq(program: string): Promise<TestServer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-rabbitmq-"));
  const ports = {
    amqp: await findFreePort(),
    management: await findFreePort(),
    distribution: await findFreePort(),
    epmd: await findFreePort(),
  };
  const environment = await prepare(folder, ports);
  const epmd = startGuarded({
    command: "epmd",
    args: ["-port", String(ports.epmd), "-address", "127.0.0.1"],
    stopSignal: "TERM",
    environment,
  });
  const server = startGuarded({ command: program, args: [], stopSignal: "TERM", environment, folder });
  const stop = async (): Promise<void> => {
    await server.kill();
    await epmd.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { environment: await untilBrokerAnswers(server, ports.amqp, ports.management), release: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const START_SECONDS_MAX = 180;

/** Waits until the broker takes connections, and gives the variables by which tests find it. */
export async function untilBrokerAnswers(server: GuardedProcess, amqpPort: number, managementPort: number) {
  const environment = {
    TEST_BROKER_URL: `amqp://guest:guest@127.0.0.1:${amqpPort}`,
    TEST_BROKER_MANAGEMENT_URL: `http://127.0.0.1:${managementPort}`,
  };
  let problem = "";
  const isReady = async (): Promise<boolean> => {
    if (server.hasEnded()) throw new Error(`RabbitMQ does not start: ${lastLines(server.output())}`);
    try {
      await fetch(environment.TEST_BROKER_MANAGEMENT_URL, { signal: AbortSignal.timeout(5_000) });
      await pingBroker(environment.TEST_BROKER_URL);
      return true;
    } catch (error) {
      problem = describe(error);
      return false;
    }
  };
  await waitFor(isReady, { what: () => `RabbitMQ to start (${problem})`, timeoutSeconds: START_SECONDS_MAX });
  return environment;
}

interface Ports {
  readonly amqp: number;
  readonly management: number;
  readonly distribution: number;
  readonly epmd: number;
}

/** Writes the configuration and returns the environment that keeps the server away from the system's own one. */
async function prepare(folder: string, ports: Ports): Promise<NodeJS.ProcessEnv> {
  const inFolder = (name: string): string => path.join(folder, name);
  for (const name of ["data", "log", "config"]) await mkdir(inFolder(name));
  const configuration = {
    "listeners.tcp.local": `127.0.0.1:${ports.amqp}`,
    "management.tcp.ip": "127.0.0.1",
    "management.tcp.port": ports.management,
    // A small disk is enough: nothing stays here.
    "disk_free_limit.absolute": "10MB",
  };
  const lines = Object.entries(configuration).map(([name, value]) => `${name} = ${value}\n`);
  await writeFile(inFolder("rabbitmq.conf"), lines.join(""));
  await writeFile(inFolder("enabled_plugins"), "[rabbitmq_management].\n");
  return {
    PATH: searchPath,
    LANG: "C.UTF-8",
    HOME: folder, // holds the Erlang cookie
    RABBITMQ_NODENAME: `${path.basename(folder)}@localhost`,
    RABBITMQ_CONF_ENV_FILE: inFolder("no-rabbitmq-env.conf"),
    RABBITMQ_CONFIG_FILE: inFolder("rabbitmq"),
    RABBITMQ_ADVANCED_CONFIG_FILE: inFolder("no-advanced.config"),
    RABBITMQ_GENERATED_CONFIG_DIR: inFolder("config"),
    RABBITMQ_ENABLED_PLUGINS_FILE: inFolder("enabled_plugins"),
    RABBITMQ_MNESIA_BASE: inFolder("data"),
    RABBITMQ_LOG_BASE: inFolder("log"),
    RABBITMQ_PID_FILE: inFolder("pid"),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: "127.0.0.1",
  };
}

const lastLines = (output: string): string => output.trim().split("\n").slice(-5).join(" ");
