/** `subscribe`, `unsubscribe`, `delete_queue`: the queue of incoming messages. None of them needs a database. */
import { describeBrokerProblem } from "../broker/broker-problem.ts";
import * as topology from "../broker/declare-topology.ts";
import { type Config, readConfig } from "../config.ts";
import { CommandError } from "../runtime/command-error.ts";
import { createLogger, redact } from "../runtime/log.ts";
import { printResult } from "../runtime/output.ts";
import { parseBrokerUrls } from "../values/amqp-url.ts";
import type { Command } from "./command.ts";
import { queueOptions, routingKeyOption } from "./queue-options.ts";
import { oneTry, type ServerWait, whenBrokerIsUp } from "./server-wait.ts";

export const subscribe: Command = {
  name: "subscribe",
  summary: "Declare the exchanges and the queue, and bind the queue",
  help: "Safe to run again. Needs no database.",
  options: { ...queueOptions, ...routingKeyOption },
  async run({ environment, signal }) {
    const config = readConfig(environment, []);
    await setUpQueue(config, oneTry("subscribe", config, signal));
    return 0;
  },
};

export const unsubscribe: Command = {
  name: "unsubscribe",
  summary: "Remove the binding of the queue",
  help: "Keeps the queue and its messages. Needs no database.",
  options: { ...queueOptions, ...routingKeyOption },
  async run({ environment, signal }) {
    const config = readConfig(environment, []);
    const { url, queue, shard } = config.broker;
    const work = () => topology.unsubscribe({ url, queue, routingKey: shard.routingKey });
    const isThere = await onBroker(whenBrokerIsUp(work, oneTry("unsubscribe", config, signal)));
    printResult(
      isThere ? `The queue ${queue} is no longer bound with ${shard.routingKey}.\n` : `There is no queue ${queue}.\n`,
    );
    return 0;
  },
};

export const deleteQueue: Command = {
  name: "delete_queue",
  summary: "Wait until the queue is empty, then delete it",
  help: `Run \`unsubscribe\` first, so that nothing new comes. The queue must have no consumers at that moment; see
\`consume_messages --draining-mode\`. Succeeds when the queue does not exist. Needs no database.`,
  options: { ...queueOptions, ...routingKeyOption },
  async run({ environment, signal }) {
    const config = readConfig(environment, []);
    const { url, queue, shard } = config.broker;
    const log = createLogger({ ...config.log, command: "delete_queue" });
    await onBroker(whenBrokerIsUp(() => topology.pingBroker(url), oneTry("delete_queue", config, signal)));
    // It ends by itself when the signal is aborted.
    const outcome = await onBroker(topology.deleteQueue({ url, queue, routingKey: shard.routingKey, signal, log }));
    if (outcome === "kept") throw new CommandError(`Stopped: the queue ${queue} has not been deleted.`);
    printResult(outcome === "deleted" ? `The queue ${queue} has been deleted.\n` : `There is no queue ${queue}.\n`);
    return 0;
  },
};

/** Declares and binds the queue. Throws a CommandError when the broker cannot be reached, or the queue exists with other arguments. */
export async function setUpQueue({ broker: { url, queue, shard } }: Config, wait: ServerWait): Promise<void> {
  const work = () => topology.subscribe({ url, queue, routingKey: shard.routingKey });
  const { deliveries } = await onBroker(whenBrokerIsUp(work, wait));
  printResult(`The queue ${queue} is bound with ${shard.routingKey}.\n`);
  if (deliveries === "limited") printResult(adviceOnLimit(url, queue));
}

/** What to do about a queue whose messages the broker drops after some deliveries. */
export function adviceOnLimit(url: string, queue: string): string {
  const { vhost } = parseBrokerUrls(url).addresses[0]!;
  const option = vhost === "/" ? "" : ` --vhost '${vhost}'`;
  const pattern = `^${queue.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`;
  return (
    `The queue ${queue} was declared by an earlier version or another program: RabbitMQ 4 dead-letters a message of it after ` +
    "20 deliveries, unless a policy says otherwise: " +
    // Above the policy of the manual, since only one applies, and with what that one has.
    `rabbitmqctl set_policy${option} --priority 101 'keep ${queue}' '${pattern}' ` +
    `'{"delivery-limit":-1,"overflow":"reject-publish"}' --apply-to queues\n`
  );
}

/** Waits for what a command does with the broker. Throws a CommandError when it cannot be done. */
export async function onBroker<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (error instanceof topology.TopologyConflictError) throw new CommandError(error.message, { cause: error });
    throw new CommandError(redact(`${describeBrokerProblem(error as Error, "The broker cannot be used")}.`), {
      cause: error,
    });
  }
}
