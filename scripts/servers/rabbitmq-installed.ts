/**
 * A RabbitMQ out of the programs that are installed on this machine, beside a running one if there is one: all its ports,
 * folders and names are its own, its port mapper (epmd) too. Runs as the current user.
 */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type GuardedProcess, startGuarded } from "../../sandbox/guarded-process.ts";
import { errorText } from "../../src/values/error-text.ts";
import { findFreePort } from "../../test/support/command.ts";
import { pingBroker } from "../../test/support/services.ts";
import { waitFor } from "../../test/support/wait.ts";
import { prepareNode } from "./rabbitmq-program.ts";
import type { TestServer } from "./test-server.ts";

/** Starts the program with empty data, with the management plugin. Takes some seconds. */
export async function startInstalledRabbitMq(program: string): Promise<TestServer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-rabbitmq-"));
  const ports = {
    amqp: await findFreePort(),
    management: await findFreePort(),
    distribution: await findFreePort(),
    epmd: await findFreePort(),
  };
  const environment = await prepareNode({
    folder,
    home: folder,
    nodeName: `${path.basename(folder)}@localhost`,
    ports,
    settings: {
      "management.tcp.ip": "127.0.0.1",
      "management.tcp.port": ports.management,
      // Tests make and remove virtual hosts by it, and nobody looks at its statistics.
      "management_agent.disable_metrics_collector": "true",
    },
    plugins: ["rabbitmq_management"],
  });
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
      problem = errorText(error);
      return false;
    }
  };
  await waitFor(isReady, { what: () => `RabbitMQ to start (${problem})`, timeoutSeconds: START_SECONDS_MAX });
  return environment;
}

const lastLines = (output: string): string => output.trim().split("\n").slice(-5).join(" ");
