/** A RabbitMQ for one test file: for what would disturb others, and for plugins that are not turned on elsewhere. */
import { execFile } from "node:child_process";
import { access, mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { startGuarded } from "../../sandbox/guarded-process.ts";
import { findInstalledRabbitMq, prepareNode } from "../../scripts/servers/rabbitmq-program.ts";
import { findFreePort } from "./command.ts";
import { pingBroker } from "./services.ts";
import { waitFor } from "./wait.ts";

/** A broker with empty data. `await using` stops it. */
export interface OwnRabbitMq extends AsyncDisposable {
  readonly url: string;
  /** Runs `rabbitmqctl`. */
  control(...options: string[]): Promise<string>;
}

const START_SECONDS_MAX = 180;

/** Why `startOwnRabbitMq` cannot work on this machine; `false` when it can. */
export async function whyNoOwnRabbitMq(plugin: string): Promise<string | false> {
  const program = await findInstalledRabbitMq();
  if (program === undefined) return "rabbitmq-server is not installed";
  const plugins = await readdir(path.join(path.dirname(program), "../plugins")).catch(() => []);
  return plugins.some((name) => name.startsWith(`${plugin}-`)) ? false : `RabbitMQ has no plugin ${plugin}`;
}

/** Starts it. Takes some seconds. */
export async function startOwnRabbitMq(plugins: readonly string[]): Promise<OwnRabbitMq> {
  const program = (await findInstalledRabbitMq())!;
  const ctl = path.join(path.dirname(program), "rabbitmqctl");
  await access(ctl);
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-own-rabbitmq-"));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const ports = { amqp: await findFreePort(), distribution: await findFreePort(), epmd: await findFreePort() };
  const nodeName = `${path.basename(folder)}@localhost`;
  const environment = await prepareNode({ folder, home: folder, nodeName, ports, settings: {}, plugins });
  const stopSignal = "TERM";
  const mapperArgs = ["-port", String(ports.epmd), "-address", "127.0.0.1"];
  const mapper = startGuarded({ command: "epmd", args: mapperArgs, stopSignal, environment });
  stack.defer(() => mapper.stop());
  const server = startGuarded({ command: program, args: [], stopSignal, environment, folder });
  stack.defer(() => server.kill());
  const url = `amqp://guest:guest@127.0.0.1:${ports.amqp}`;
  const isReady = async (): Promise<boolean> => {
    if (server.hasEnded()) throw new Error(`RabbitMQ does not start: ${server.output().slice(-1_000)}`);
    return pingBroker(url).then(
      () => true,
      () => false,
    );
  };
  await waitFor(isReady, { what: "RabbitMQ to start", timeoutSeconds: START_SECONDS_MAX });
  const moved = stack.move();
  return {
    url,
    control: async (...options) =>
      (await promisify(execFile)(ctl, ["--quiet", ...options], { env: environment, timeout: 60_000 })).stdout,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}
