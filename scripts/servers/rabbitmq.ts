/** RabbitMQ for a test run: the one that is there, an installed one on free ports, a container, a newly installed one. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { errorText } from "../../src/values/error-text.ts";
import { brokerCandidates, pingBroker } from "../../test/support/services.ts";
import { createTestVirtualHost, removeVirtualHosts } from "../../test/support/virtual-host.ts";
import { installPackages } from "./apt-get.ts";
import { startRabbitMqContainer } from "./rabbitmq-container.ts";
import { startInstalledRabbitMq } from "./rabbitmq-installed.ts";
import { findInstalledRabbitMq } from "./rabbitmq-program.ts";
import type { TestServer } from "./test-server.ts";

type Say = (line: string) => void;

/**
 * Rejects with one line when there is none and none can be started. `install` says whether packages may be installed, which
 * takes root rights.
 */
export async function provideRabbitMq(say: Say, { install }: { readonly install: boolean }): Promise<TestServer> {
  const problems: string[] = [];
  for (const url of brokerCandidates()) {
    try {
      await pingBroker(url);
      await (await createTestVirtualHost(url)).close();
      return { environment: { TEST_BROKER_URL: url }, release: (prefix) => removeVirtualHosts(url, prefix) };
    } catch (error) {
      if (process.env.TEST_BROKER_URL) say(`TEST_BROKER_URL cannot be used: ${errorText(error)}`);
      else problems.push(errorText(error));
    }
  }
  for (const start of [startInstalled, startContainer, ...(install ? [installAndStart] : [])]) {
    try {
      return await start(say);
    } catch (error) {
      problems.push(errorText(error));
    }
  }
  throw new Error(
    "The tests need RabbitMQ: install rabbitmq-server, which runs on ports of its own, or docker or podman, or " +
      `${install ? "" : "let `npm test -- --install` do so, or "}set TEST_BROKER_URL. Tried: ${problems.join("; ").replaceAll(/\s+/g, " ")}`,
  );
}

async function startInstalled(say: Say): Promise<TestServer> {
  const program = await findInstalledRabbitMq();
  if (program === undefined) throw new Error("rabbitmq-server is not installed");
  say(`Starting ${program} on ports of its own`);
  return startInstalledRabbitMq(program);
}

async function installAndStart(say: Say): Promise<TestServer> {
  if ((await findInstalledRabbitMq()) !== undefined) throw new Error("installing it once more would not help");
  await installPackages(["rabbitmq-server"], say);
  return startInstalled(say);
}

async function startContainer(say: Say): Promise<TestServer> {
  for (const engine of ["docker", "podman"]) {
    const isWorking = await promisify(execFile)(engine, ["info"], { timeout: 20_000 }).then(
      () => true,
      () => false,
    );
    if (!isWorking) continue;
    say(`Starting RabbitMQ in a container of ${engine}`);
    return startRabbitMqContainer(engine);
  }
  throw new Error("there is no container engine that works (docker, podman)");
}
