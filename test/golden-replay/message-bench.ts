/**
 * The broker's side of a message transcript: hands messages to the consumer, observes their outcome, and catches what is
 * sent to the accounting authority.
 */
import { deadLetterQueueOf } from "../../src/broker/agent-topology.ts";
import type { Json } from "../../src/values/json.ts";
import { parseJson } from "../../src/values/json.ts";
import { type Connection, connect } from "../support/amqp.ts";
import type { RunningCommand } from "../support/command.ts";
import { followDeadLetters } from "../support/dead-letters.ts";
import { waitFor } from "../support/wait.ts";
import type { Outcome } from "./transcript.ts";

export interface MessageBench {
  /** Puts the message into the queue and waits until it is acknowledged or rejected, or the consumer has given up. */
  deliver(message: IncomingMessage): Promise<Outcome>;
  /** Waits until the outbox is empty, and takes what has been sent since the last call. */
  takeOutgoing(): Promise<OutgoingMessage[]>;
  close(): Promise<void>;
}

export interface IncomingMessage {
  readonly type: string | undefined;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

/** In the form of the transcripts: an object that can be compared. */
export type OutgoingMessage = { [name: string]: Json };

export interface MessageBenchOptions {
  readonly brokerUrl: string;
  /** The queue of the consumer, which the program has declared. */
  readonly queue: string;
  readonly startConsumer: () => RunningCommand;
  readonly isOutboxEmpty: () => Promise<boolean>;
}

const SENT = "sent-to-the-accounting-authority";
// Follows each message and is surely rejected. Messages are handled in order, so when it has arrived in the dead-letter
// queue, the outcome of the message before it is known.
const FENCE_TYPE = "FenceOfTheReplayer";
const SETTLE_MILLIS_MAX = 30_000;

export async function openMessageBench(options: MessageBenchOptions): Promise<MessageBench> {
  const { brokerUrl, queue, startConsumer, isOutboxEmpty } = options;
  const connection: Connection = await connect(brokerUrl);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(SENT, { durable: true });
  await channel.bindQueue(SENT, "debtors_out", "");

  const deadLetters: IncomingMessage[] = [];
  // A fence of a message that the consumer gave up at may come late.
  let fenceCount = 0;
  let onFence = (): void => {};
  await followDeadLetters(channel, deadLetterQueueOf(queue), ({ properties, content }) => {
    const { type, contentType } = properties as { type?: string; contentType?: string };
    if (type !== FENCE_TYPE) deadLetters.push({ type, contentType, body: content });
    else if (content.toString() === String(fenceCount)) onFence();
  });
  let consumer = startConsumer();

  const send = ({ type, contentType, body }: IncomingMessage): void => {
    channel.sendToQueue(queue, body, {
      persistent: true,
      ...(type !== undefined && { type }),
      ...(contentType !== undefined && { contentType }),
    });
  };

  async function deliver(message: IncomingMessage): Promise<Outcome> {
    deadLetters.length = 0;
    const fence = Promise.withResolvers<void>();
    onFence = fence.resolve;
    send(message);
    send({ type: FENCE_TYPE, contentType: "application/json", body: Buffer.from(String(++fenceCount)) });
    const timer = setTimeout(
      () => fence.reject(new Error(`A message is neither settled nor given up; the consumer:\n${consumer.output()}`)),
      SETTLE_MILLIS_MAX,
    );
    await Promise.race([fence.promise, consumer.exit]).finally(() => clearTimeout(timer));
    if (consumer.hasEnded()) return takeOutUnsettled(message);
    const [rejected] = deadLetters;
    if (rejected === undefined) return "ack";
    if (deadLetters.length > 1 || !isSame(rejected, message)) {
      throw new Error("The dead-letter queue has something else than the rejected message");
    }
    return "reject";
  }

  /** The consumer has given up: it must have logged that, and the message must be in the queue as before. */
  async function takeOutUnsettled(message: IncomingMessage): Promise<Outcome> {
    const { code } = await consumer.exit;
    if (code === 0) throw new Error("The consumer has given up with the exit code 0");
    const found = await waitFor(() => channel.get(queue, { noAck: true }), { what: "the message in the queue" });
    const { type, contentType } = found.properties as { type?: string; contentType?: string };
    if (!isSame({ type, contentType, body: found.content }, message)) {
      throw new Error("The consumer has given up, and the message is not in the queue");
    }
    await channel.purgeQueue(queue);
    consumer = startConsumer();
    return "crash";
  }

  async function takeOutgoing(): Promise<OutgoingMessage[]> {
    // A row is deleted when the broker has the message in the queue, so an empty outbox means that all are there.
    await waitFor(isOutboxEmpty, { what: "the flusher to empty the outbox" });
    const messages: OutgoingMessage[] = [];
    for (;;) {
      const delivery = await channel.get(SENT, { noAck: true });
      if (delivery === false) return messages;
      const { deliveryMode, contentType, type, appId, headers } = delivery.properties;
      messages.push({
        exchange: delivery.fields.exchange,
        routingKey: delivery.fields.routingKey,
        properties: {
          content_type: contentType,
          delivery_mode: BigInt(deliveryMode),
          type,
          app_id: appId,
        },
        headers: exactIntegers(headers ?? {}),
        body: parseJson(delivery.content.toString("utf8")),
      });
    }
  }

  async function close(): Promise<void> {
    await consumer.stop();
    await connection.close();
  }

  // A consumer that has not come up would make every message look unsettled.
  await waitFor(async () => {
    if (consumer.hasEnded()) throw new Error(`The consumer has ended:\n${consumer.output()}`);
    return (await channel.checkQueue(queue)).consumerCount > 0;
  });
  return { deliver, takeOutgoing, close };
}

const isSame = (one: IncomingMessage, other: IncomingMessage): boolean =>
  one.type === other.type && one.contentType === other.contentType && one.body.equals(other.body);

/** Shorter integers than 64 bits come as `number`. */
const exactIntegers = (headers: Record<string, unknown>): Json =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "number" ? BigInt(value) : (value as Json)]),
  );
