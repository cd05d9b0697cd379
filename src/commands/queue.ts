/** `subscribe`, `unsubscribe`, `delete_queue`: the queue of incoming messages. None of them needs a database. */
import * as topology from "../broker/topology.ts";
import { type Config, readConfig } from "../config.ts";
import { pause } from "../runtime/backoff.ts";
import { CommandFailure } from "../runtime/command-failure.ts";
import { createLogger, redact } from "../runtime/log.ts";
import type { Command } from "./command.ts";
import { queueOptions, routingKeyOption } from "./queue-options.ts";

const WAIT_PAUSE_MILLIS = 500;

export const subscribe: Command = {
  name: "subscribe",
  summary: "Declare the exchanges and the queue, and bind the queue",
  help: "Does nothing where all is there already. Needs no database.",
  options: { ...queueOptions, ...routingKeyOption },
  async run({ environment, signal }) {
    await setUpQueue(readConfig(environment, []), signal);
    return 0;
  },
};

export const unsubscribe: Command = {
  name: "unsubscribe",
  summary: "Remove the binding of the queue",
  help: "The queue and what is in it stay. Needs no database.",
  options: { ...queueOptions, ...routingKeyOption },
  async run({ environment, signal }) {
    const { url, queue, shard } = readConfig(environment, []).broker;
    await onBroker(topology.unsubscribe({ url, queue, routingKey: shard.routingKey }), signal);
    process.stdout.write(`The queue ${queue} is not bound with ${shard.routingKey} any more.\n`);
    return 0;
  },
};

export const deleteQueue: Command = {
  name: "delete_queue",
  summary: "Wait until the queue is empty, and delete it",
  help: `Nobody may consume it any more; see \`consume_messages --draining-mode\`. Fine when it is gone already. Needs no
database.`,
  options: { ...queueOptions, ...routingKeyOption },
  async run({ environment, signal }) {
    const config = readConfig(environment, []);
    const { url, queue } = config.broker;
    const log = createLogger({ ...config.log, command: "delete_queue" });
    // It ends by itself when the signal is aborted.
    await onBroker(topology.deleteQueue({ url, queue, signal, log }), new AbortController().signal);
    if (signal.aborted) throw new CommandFailure(`Stopped: the queue ${queue} has not been deleted.`);
    process.stdout.write(`The queue ${queue} is gone.\n`);
    return 0;
  },
};

/** How long to wait for a broker that is away. */
export interface BrokerWait {
  readonly waitMillis: number;
  /** Called when the first try was in vain. */
  readonly onWait: () => void;
}

/** What `subscribe` does. Throws a CommandFailure when the broker stays away or has something that differs. */
export async function setUpQueue(
  { broker: { url, queue, shard } }: Config,
  signal: AbortSignal,
  wait: BrokerWait = { waitMillis: 0, onWait: () => {} },
): Promise<void> {
  const work = (): Promise<void> => topology.subscribe({ url, queue, routingKey: shard.routingKey });
  await onBroker(whenBrokerIsUp(work, wait, signal), signal);
  process.stdout.write(`The queue ${queue} is bound with ${shard.routingKey}.\n`);
}

async function whenBrokerIsUp(
  work: () => Promise<void>,
  { waitMillis, onWait }: BrokerWait,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + waitMillis;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || performance.now() >= deadline || signal.aborted) throw error;
    }
    if (isFirst) onWait();
    await pause(WAIT_PAUSE_MILLIS, signal);
  }
}

/** Refused by the operating system, or hung up on by a broker that is starting. One that is there refuses in other words. */
const isAway = (error: unknown): boolean => {
  const { code, message } = error as { code?: unknown; message: string };
  return typeof code === "string" || /ETIMEDOUT|Socket closed|Unexpected close/.test(message);
};

async function onBroker(work: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await Promise.race([work, rejectWhenAborted(signal)]);
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    if (error instanceof topology.TopologyConflict) throw new CommandFailure(error.message, { cause: error });
    const { message, code } = error as NodeJS.ErrnoException;
    throw new CommandFailure(redact(`The broker cannot be used: ${message || code}.`), { cause: error });
  }
}

function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(new CommandFailure("Stopped before the broker answered."));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
