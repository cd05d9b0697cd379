/** Setting up and taking down an agent's exchanges and queues on RabbitMQ. Spec: operations, "Commands". */
import type { Channel, ChannelModel } from "amqplib";
import type { Logger } from "pino";
import { pause } from "../runtime/backoff.ts";
import {
  agentTopology,
  type Binding,
  deadLetterQueueOf,
  type Exchange,
  INCOMING_EXCHANGE,
  OUTGOING_EXCHANGE,
  type Queue,
} from "./agent-topology.ts";
import { describeBrokerProblem } from "./broker-problem.ts";
import { connectOnce } from "./rabbitmq-connection.ts";
import { NOT_FOUND, PRECONDITION_FAILED, replyCodeOf } from "./reply-codes.ts";

export interface QueueOptions {
  /** `amqp://user:password@host:port/virtual-host`; see `parseBrokerUrls`. */
  readonly url: string;
  readonly queue: string;
}

export interface BindingOptions extends QueueOptions {
  /** `#`, or the bits of a shard such as `0.1.#`. */
  readonly routingKey: string;
}

/** An exchange or a queue exists, and differs from what this program needs; or the broker refuses to declare it. */
export class TopologyConflictError extends Error {
  override readonly name = "TopologyConflictError";
}

const EMPTY_CHECK_PAUSE_MILLIS = 1_000;
/** How many checks make up the minute after which it is said again what is waited for. */
const CHECKS_PER_WARNING = 60;

/**
 * Declares the exchanges, the queue and what belongs to it, and binds the queue. Idempotent. Resolves
 * to `deliveries: "limited"` when the broker may drop a message of the queue after some deliveries, unless a policy keeps
 * it. Throws TopologyConflictError when something exists with other properties. Other errors: the broker is unavailable or
 * rejects the connection.
 */
export async function subscribe({ url, queue, routingKey }: BindingOptions): Promise<Subscription> {
  const topology = agentTopology(queue, routingKey);
  let deliveries: Subscription["deliveries"] = "unlimited";
  await withConnection(url, async (connection) => {
    const channel = await openChannel(connection);
    for (const exchange of topology.exchanges) await declareExchange(channel, exchange);
    for (const declared of topology.queues) {
      if (declared.name === queue) deliveries = await declareUnlimited(connection, declared);
      else await declareQueue(channel, declared);
    }
    for (const binding of topology.bindings) await bind(channel, binding);
  });
  return { deliveries };
}

/** Whether the broker limits how often it delivers a message of the queue. */
export interface Subscription {
  readonly deliveries: "unlimited" | "limited";
}

const majorVersionOf = (connection: ChannelModel): number =>
  Number.parseInt(String(connection.connection.serverProperties.version), 10);

/**
 * Declares a queue that keeps its messages however often they are delivered: since RabbitMQ 4 a quorum queue dead-letters a
 * message after 20 deliveries, unless it was declared so. Resolves to `limited` when the queue exists and was declared
 * otherwise, as by an earlier version; only a policy can help then.
 */
export async function declareUnlimited(
  connection: ChannelModel,
  queue: Queue,
  advice = INCOMING_QUEUE_ADVICE,
): Promise<Subscription["deliveries"]> {
  if (majorVersionOf(connection) >= 4) {
    try {
      const channel = await openChannel(connection);
      await declare(channel, { ...queue, arguments: { ...queue.arguments, "x-delivery-limit": -1 } });
      await channel.close();
      return "unlimited";
    } catch (error) {
      // The broker has closed the channel. Whatever else differs is reported by the declaration without the limit.
      if (replyCodeOf(error) !== PRECONDITION_FAILED) throw error;
      await declareQueue(await openChannel(connection), queue, advice);
      // Queues of other types have no limit, and no such argument. Of which type one is can depend on the virtual host.
      return isUnknownArgument(error as Error) ? "unlimited" : "limited";
    }
  }
  await declareQueue(await openChannel(connection), queue, advice);
  return "unlimited";
}

const isUnknownArgument = ({ message }: Error): boolean => message.includes("invalid arg 'x-delivery-limit'");

export interface PeerQueueOptions extends QueueOptions {
  readonly peerId: string;
  /**
   * Whether an exchange spreads the messages evenly among several queues; its type is that of RabbitMQ's plugin
   * rabbitmq_random_exchange. Without it the queue gets everything.
   */
  readonly useRandomExchange: boolean;
}

/** The broker lacks the plugin rabbitmq_random_exchange. */
export class NoRandomExchangeError extends Error {
  override readonly name = "NoRandomExchangeError";
}

/**
 * Declares a queue for a peer, the exchange and bindings that route outgoing messages to it, and the dead-letter queue.
 * Does nothing where all of them exist. Throws TopologyConflictError and NoRandomExchangeError. Spec: stomp, "RabbitMQ".
 */
export async function configurePeerQueue(options: PeerQueueOptions): Promise<Subscription> {
  const { url, queue, peerId, useRandomExchange } = options;
  const deadLetterQueue = deadLetterQueueOf(queue);
  const queueArguments = { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": deadLetterQueue };
  const advice = "Empty and delete the queue on the broker, and try again; or leave it, and choose another name.";
  let deliveries: Subscription["deliveries"] = "unlimited";
  await withConnection(url, async (connection) => {
    const channel = await openChannel(connection);
    await declareExchange(channel, { name: OUTGOING_EXCHANGE, kind: "fanout" });
    await declareQueue(channel, { name: deadLetterQueue, arguments: {} }, advice);
    deliveries = await declareUnlimited(connection, { name: queue, arguments: queueArguments }, advice);
    if (useRandomExchange) {
      const peerExchange = `da.x.${peerId}`;
      await declareRandomExchange(connection, channel, peerExchange);
      await channel.bindQueue(queue, peerExchange, queue);
      await channel.bindExchange(peerExchange, OUTGOING_EXCHANGE, "");
    } else {
      await channel.bindQueue(queue, OUTGOING_EXCHANGE, "");
    }
  });
  return { deliveries };
}

/**
 * Removes the binding of the queue, and keeps the queue. Succeeds when there is no binding. Resolves to whether there is such a
 * queue; the broker does not tell whether there was such a binding.
 */
export function unsubscribe({ url, queue, routingKey }: BindingOptions): Promise<boolean> {
  return withConnection(url, async (connection) => {
    if ((await inspectQueue(connection, queue)) === undefined) return false;
    await unbind(connection, queue, routingKey);
    return true;
  });
}

async function unbind(connection: ChannelModel, queue: string, routingKey: string): Promise<void> {
  const channel = await openChannel(connection);
  await channel.unbindQueue(queue, INCOMING_EXCHANGE, routingKey).catch(unless(NOT_FOUND));
}

/**
 * Waits until the queue is empty and has no consumers, and deletes it. Call it after `unsubscribe`, when nothing new can come.
 * The dead-letter queue stays, and so does the stream of marks, since flushers may still use it. Resolves to what has
 * become of the queue; to `kept` when the signal aborts.
 */
export function deleteQueue({
  url,
  queue,
  routingKey,
  signal,
  log,
}: BindingOptions & { signal: AbortSignal; log: Logger }): Promise<"deleted" | "missing" | "kept"> {
  return withConnection(url, async (connection) => {
    let quietChecks = 0;
    for (let check = 0; !signal.aborted; check++) {
      const state = await inspectQueue(connection, queue);
      if (state === undefined) return "missing";
      const isQuiet = state.messageCount === 0 && state.consumerCount === 0;
      quietChecks = isQuiet ? quietChecks + 1 : 0;
      // So that nothing comes between the last check and the deletion.
      if (quietChecks === 1) await unbind(connection, queue, routingKey);
      // Twice: the messages of a consumer that has just closed are counted again with a delay. Quorum queues
      // know no conditional deletion.
      if (quietChecks === 2) {
        const channel = await openChannel(connection);
        await channel.deleteQueue(queue);
        return "deleted";
      }
      if (!isQuiet) {
        const level = check % CHECKS_PER_WARNING === 0 ? "warn" : "info";
        log[level]({ queue, ...state }, "The queue is in use: waiting until it is empty and has no consumers");
      }
      await pause(EMPTY_CHECK_PAUSE_MILLIS, signal);
    }
    return "kept";
  });
}

/** Connects and closes the connection. Rejects when the broker cannot be used. */
export const pingBroker = (url: string): Promise<void> => withConnection(url, async () => {});

async function withConnection<Result>(
  url: string,
  work: (connection: ChannelModel) => Promise<Result>,
): Promise<Result> {
  const connection = await connectOnce(url, "swpt-debtors topology");
  connection.on("error", () => {}); // The pending operation rejects as well.
  try {
    return await work(connection);
  } finally {
    await connection.close().catch(() => {});
  }
}

async function openChannel(connection: ChannelModel): Promise<Channel> {
  const channel = await connection.createChannel();
  channel.on("error", () => {});
  return channel;
}

async function declareExchange(channel: Channel, { name, kind }: Exchange): Promise<void> {
  await channel.assertExchange(name, kind, { durable: true }).catch((error: unknown) => {
    throw explain(error, `exchange ${name}`, "Delete the exchange on the broker, and try again.");
  });
}

async function declareRandomExchange(connection: ChannelModel, channel: Channel, name: string): Promise<void> {
  // The broker closes the whole connection over a type that it does not know.
  const { promise: lost, reject } = Promise.withResolvers<never>();
  connection.once("error", reject);
  await Promise.race([channel.assertExchange(name, "x-random", { durable: true }), lost]).catch((error: unknown) => {
    if (!/exchange type/.test((error as Error).message)) {
      throw explain(error, `exchange ${name}`, "Delete the exchange on the broker, and try again.");
    }
    throw new NoRandomExchangeError("The broker does not know the exchange type x-random", { cause: error });
  });
}

const INCOMING_QUEUE_ADVICE =
  "Empty and delete the queue on the broker, and try again; or leave it, and set PROTOCOL_BROKER_QUEUE to a new name.";

async function declareQueue(
  channel: Channel,
  { name, arguments: queueArguments }: Queue,
  advice = INCOMING_QUEUE_ADVICE,
): Promise<void> {
  await declare(channel, { name, arguments: queueArguments }).catch((error: unknown) => {
    throw explain(error, `queue ${name}`, advice);
  });
}

const declare = (channel: Channel, { name, arguments: queueArguments }: Queue) =>
  channel.assertQueue(name, { durable: true, arguments: queueArguments });

async function bind(channel: Channel, { exchange, queue, bindingKey }: Binding): Promise<void> {
  await channel.bindQueue(queue, exchange, bindingKey);
}

/** A channel of its own: the broker closes the channel on which a missing queue is asked for. */
async function inspectQueue(connection: ChannelModel, queue: string) {
  const channel = await openChannel(connection);
  const state = await channel.checkQueue(queue).catch(unless(NOT_FOUND));
  if (state === undefined) return undefined;
  await channel.close();
  return { messageCount: state.messageCount, consumerCount: state.consumerCount };
}

const unless =
  (code: number) =>
  (error: unknown): undefined => {
    if (replyCodeOf(error) !== code) throw error;
  };

/** `… inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received the value 'quorum' … but current is …` */
function explain(error: unknown, what: string, advice: string): unknown {
  if (replyCodeOf(error) !== PRECONDITION_FAILED) return error;
  const match = /inequivalent arg '([^']*)' for .*?: received (.*?) but current is (.*?)"?$/.exec(
    (error as Error).message,
  );
  // Such as a limit of the virtual host. Nothing exists then that could be deleted.
  if (!match) {
    const reason = describeBrokerProblem(error as Error, `The ${what} cannot be declared`);
    return new TopologyConflictError(`${reason}.`, { cause: error });
  }
  const difference = `its "${match[1]}" is ${plain(match[3]!)}, where ${plain(match[2]!)} is needed`;
  return new TopologyConflictError(`The ${what} exists, but ${difference}. ${advice}`, { cause: error });
}

/** `the value 'quorum' of type 'longstr'` becomes `'quorum'`. */
const plain = (text: string): string => text.replace(/^the value /, "").replace(/ of type '\w+'$/, "");
