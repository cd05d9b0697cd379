/** Consuming from RabbitMQ. Spec: transport, "Incoming". */
import { setTimeout as pause } from "node:timers/promises";
import type { Channel, ConsumeMessage, Message, RecoveringChannelModel, Replies } from "amqplib";
import type { Logger } from "pino";
import { createBackoff } from "../runtime/backoff.ts";
import { type ConsumeOptions, type Consumer, type Delivery, QueueNotFoundError } from "./broker.ts";
import { describeBrokerProblem } from "./broker-problem.ts";
import { createDeadLetters, type DeadLetters, losesDeadLetters, sendCopy } from "./rabbitmq-dead-letters.ts";
import type { Publisher } from "./rabbitmq-publisher.ts";
import { NOT_FOUND, NOT_IMPLEMENTED, replyCodeOf } from "./reply-codes.ts";

/** What a consumer has from its connection. */
export interface ConsumerContext {
  /** For dead letters that the broker would lose. */
  readonly send: Publisher["send"];
  readonly log: Logger;
  /** Whether this program is closing the connection. */
  readonly isClosing: () => boolean;
}

const RESUME_PAUSE_MILLIS = 200;
const RESUME_PAUSE_MILLIS_MAX = 1_500;
/** How long dead letters under way are waited for; after that they are delivered, rejected and sent again. */
const DEAD_LETTER_MILLIS_MAX = 2_000;

/** The life of a consumer between two losses of its channel. */
interface Session {
  readonly channel: Channel;
  /** Delivery tags that are neither acknowledged nor rejected, in ascending order. Cleared when the channel is lost. */
  readonly open: Set<number>;
  /** Where rejected messages go that the broker would lose; undefined when it dead-letters by itself. */
  readonly deadLetters: DeadLetters<TaggedDelivery> | undefined;
  consumerTag: string | undefined;
}

interface TaggedDelivery extends Delivery {
  readonly message: ConsumeMessage;
  /** A message can be acknowledged on the channel that brought it, and on no other. */
  readonly session: Session;
}

/** See Broker. */
export async function startConsumer(
  connection: RecoveringChannelModel,
  options: ConsumeOptions,
  context: ConsumerContext,
): Promise<Consumer> {
  const { log, isClosing } = context;
  let session: Session | undefined;
  let isWanted = true;

  function onSessionLost(reason: Error | undefined): void {
    session = undefined;
    if (!isWanted || isClosing()) return;
    log.info({ queue: options.queue, reason: reason?.message }, "The consumer has lost its channel and resumes");
    options.onInterrupted?.();
    resume().then(() => options.onResumed?.(), end);
  }

  function end(reason: Error): void {
    if (isWanted && !isClosing()) options.onEnd(reason);
    isWanted = false;
  }

  /** Waits for the connection, and for permissions. Rejects when the queue is gone. */
  async function resume(): Promise<void> {
    let logged: string | undefined;
    const backoff = createBackoff({ minMillis: RESUME_PAUSE_MILLIS, maxMillis: RESUME_PAUSE_MILLIS_MAX });
    while (isWanted) {
      try {
        session = await openSession(connection, options, context, onSessionLost);
        if (!isWanted) await session.channel.close();
        return;
      } catch (error) {
        if (isClosing() || isFinal(error)) throw readable(error, options);
        const reason = describeBrokerProblem(error as Error, `The queue ${options.queue} cannot be consumed`);
        if (reason !== logged) log.warn(reason);
        logged = reason;
        options.onRefused?.(reason);
      }
      await pause(backoff.nextMillis());
    }
  }

  await resume();
  return {
    acknowledge: (deliveries) => settle(deliveries, acknowledge, log),
    reject: (deliveries) => settle(deliveries, reject, log),
    copyToDeadLetters: (delivery, headers) =>
      sendCopy(options.queue, (delivery as TaggedDelivery).message, headers, context.send),
    cancel: async () => {
      isWanted = false;
      if (session?.consumerTag) await session.channel.cancel(session.consumerTag).catch(() => {});
    },
    close: async () => {
      isWanted = false;
      const closing = session;
      session = undefined;
      await Promise.race([closing?.deadLetters?.finish(), pause(DEAD_LETTER_MILLIS_MAX, undefined, { ref: false })]);
      await closing?.channel.close().catch(() => {});
    },
  };
}

async function openSession(
  connection: RecoveringChannelModel,
  { queue, prefetchCount, prefetchSize, onDelivery }: ConsumeOptions,
  { send, log }: ConsumerContext,
  onLost: (reason: Error | undefined) => void,
): Promise<Session> {
  const channel = await connection.createChannel();
  const lost = new AbortController();
  const deadLetters = losesDeadLetters(String(channel.connection.serverProperties.version))
    ? createDeadLetters<TaggedDelivery>({
        queue,
        send,
        onSent: (sent) => settle(sent, acknowledge, log),
        onReturned: (returned) => settle(returned, rejectPlainly, log),
        lost: lost.signal,
        log,
      })
    : undefined;
  const session: Session = { channel, open: new Set(), deadLetters, consumerTag: undefined };
  let reason: Error | undefined;
  channel.on("error", (error) => {
    reason ??= error;
  });
  channel.on("close", () => {
    session.open.clear();
    lost.abort();
    if (session.consumerTag !== undefined) onLost(reason);
  });
  const onMessage = (message: ConsumeMessage | null): void => {
    if (message === null) {
      // The queue has been deleted, or moves to another node of the broker: resuming shows which.
      channel.close().catch(() => {});
      return;
    }
    const { deliveryTag, redelivered } = message.fields;
    session.open.add(deliveryTag);
    const { contentType, type } = message.properties as { contentType: string | undefined; type: string | undefined };
    const delivery: TaggedDelivery = { contentType, type, redelivered, body: message.content, message, session };
    onDelivery(delivery);
  };
  await limitPrefetch(channel, prefetchCount, prefetchSize);
  session.consumerTag = (await channel.consume(queue, onMessage)).consumerTag;
  return session;
}

const BASIC_QOS = (60 << 16) + 10;
const BASIC_QOS_OK = (60 << 16) + 11;
type RemoteProcedure = (method: number, fields: object, reply: number) => Promise<Replies.Empty>;

/** amqplib has no parameter for the size, so that method is called by its number. RabbitMQ itself refuses a size. */
async function limitPrefetch(channel: Channel, count: number, size: number): Promise<void> {
  if (size === 0) {
    await channel.prefetch(count);
    return;
  }
  const { rpc } = channel as unknown as { rpc: RemoteProcedure };
  try {
    await rpc.call(channel, BASIC_QOS, { prefetchCount: count, prefetchSize: size, global: false }, BASIC_QOS_OK);
  } catch (cause) {
    // The broker has closed the connection, and would each time.
    const message = `The broker does not limit prefetching by size (${size} bytes); set the size to 0`;
    throw Object.assign(new Error(message, { cause }), { code: NOT_IMPLEMENTED });
  }
}

type Settlement = (session: Session, deliveries: readonly TaggedDelivery[]) => void;

function settle(deliveries: readonly Delivery[], work: Settlement, log: Logger): void {
  const bySession = Map.groupBy(deliveries as readonly TaggedDelivery[], ({ session }) => session);
  for (const [session, group] of bySession) {
    const open = group.filter((delivery) => session.open.has(tagOf(delivery)));
    try {
      if (open.length > 0) work(session, open);
    } catch (error) {
      // The channel is being closed. The broker delivers again what it does not know to be acknowledged.
      log.info({ reason: (error as Error).message }, "Messages could not be acknowledged");
    }
  }
}

/** One `multiple` acknowledgement for all up to the first message that is still open, single ones for the rest. */
function acknowledge({ channel, open }: Session, deliveries: readonly TaggedDelivery[]): void {
  const done = new Set(deliveries.map(tagOf));
  let upTo: number | undefined;
  for (const tag of open) {
    if (!done.delete(tag)) break;
    open.delete(tag);
    upTo = tag;
  }
  if (upTo !== undefined) channel.ack(messageOf(upTo), true);
  for (const tag of done) {
    open.delete(tag);
    channel.ack(messageOf(tag));
  }
}

function reject(session: Session, deliveries: readonly TaggedDelivery[]): void {
  if (session.deadLetters) session.deadLetters.put(deliveries);
  else rejectPlainly(session, deliveries);
}

function rejectPlainly({ channel, open }: Session, deliveries: readonly TaggedDelivery[]): void {
  for (const { message } of deliveries) {
    open.delete(message.fields.deliveryTag);
    channel.reject(message, false);
  }
}

const tagOf = ({ message }: TaggedDelivery): number => message.fields.deliveryTag;

const messageOf = (deliveryTag: number): Message => ({ fields: { deliveryTag } }) as Message;

const isFinal = (error: unknown): boolean => [NOT_FOUND, NOT_IMPLEMENTED].includes(replyCodeOf(error) as number);

const readable = (error: unknown, { queue }: ConsumeOptions): unknown =>
  replyCodeOf(error) === NOT_FOUND ? new QueueNotFoundError(`There is no queue ${queue}`, { cause: error }) : error;
