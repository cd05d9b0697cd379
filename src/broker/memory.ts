/**
 * An in-memory broker for the sandbox and for tests: the relevant behavior of RabbitMQ within one process. Nothing survives the
 * process, and no queue has a limit.
 */

import type { Binding, Topology } from "./agent-topology.ts";
import {
  type Broker,
  type ConsumeOptions,
  type Consumer,
  type Delivery,
  type Publication,
  type PublicationOutcome,
  QueueNotFoundError,
} from "./broker.ts";

/** A message that waits in a queue. */
export interface StoredMessage {
  readonly contentType: string | undefined;
  readonly type: string | undefined;
  readonly appId?: string | undefined;
  readonly messageId?: string | undefined;
  readonly headers?: Publication["headers"];
  readonly body: Buffer;
  readonly redelivered: boolean;
}

/** A broker whose queues can be inspected. */
export interface MemoryBroker extends Broker {
  /** What waits in a queue, oldest first, without what is delivered and not acknowledged. */
  messagesIn(queue: string): readonly StoredMessage[];
  /** Puts any message into a queue, even an invalid one. */
  put(queue: string, message: Pick<StoredMessage, "contentType" | "type" | "body">): void;
  /** Deletes a queue with what is in it, and ends its consumers. */
  deleteQueue(queue: string): void;
}

/** The default exchange, which routes to each queue by its name. */
const DEFAULT_EXCHANGE = "";

/** Makes a broker with these exchanges and queues. Messages are delivered asynchronously, never within `publish`. */
export function createMemoryBroker(topology: Topology): MemoryBroker {
  const queues: Map<string, MemoryQueue> = new Map(
    topology.queues.map(({ name, deadLetterQueue }) => [name, createQueue(() => queues.get(deadLetterQueue ?? ""))]),
  );
  const exchanges = new Set(topology.exchanges.map(({ name }) => name));
  const isFanout = new Set(topology.exchanges.filter(({ kind }) => kind === "fanout").map(({ name }) => name));
  let isOpen = true;

  const queueOf = (name: string): MemoryQueue => {
    const queue = queues.get(name);
    if (!queue) throw new QueueNotFoundError(`There is no queue ${name}`);
    return queue;
  };
  const matches = ({ exchange, bindingKey }: Binding, publication: Publication): boolean =>
    exchange === publication.exchange && (isFanout.has(exchange) || topicMatches(bindingKey, publication.routingKey));

  function publishOne(publication: Publication): PublicationOutcome {
    const { exchange, routingKey } = publication;
    if (!isOpen || (exchange !== DEFAULT_EXCHANGE && !exchanges.has(exchange))) return "failed";
    const bindings = topology.bindings.filter((binding) => matches(binding, publication));
    const names = new Set(exchange === DEFAULT_EXCHANGE ? [routingKey] : bindings.map(({ queue }) => queue));
    const targets = [...names].flatMap((name) => queues.get(name) ?? []);
    const { type, appId, messageId, headers, body } = publication;
    const message = { contentType: "application/json", type, appId, messageId, headers, body: Buffer.from(body) };
    for (const queue of targets) queue.put({ ...message, redelivered: false });
    return targets.length > 0 ? "confirmed" : "returned";
  }

  return {
    publish: async (publications) => publications.map(publishOne),
    refusalReason: () => undefined,
    consume: async (options) => queueOf(options.queue).consume(options),
    readStream: async (queue) =>
      queues
        .get(queue)
        ?.messages()
        .map(({ body }) => body),
    isConnected: () => isOpen,
    unavailableReason: () => (isOpen ? undefined : "The broker is closed"),
    close: async () => {
      isOpen = false;
      for (const queue of queues.values()) queue.closeConsumers();
    },
    messagesIn: (queue) => queueOf(queue).messages(),
    put: (queue, message) => queueOf(queue).put({ ...message, redelivered: false }),
    deleteQueue: (name) => {
      const queue = queueOf(name);
      queues.delete(name);
      queue.endConsumers(new QueueNotFoundError(`The queue ${name} has been deleted`));
    },
  };
}

interface MemoryQueue {
  messages(): readonly StoredMessage[];
  put(message: StoredMessage): void;
  consume(options: ConsumeOptions): Consumer;
  /** Puts back what is not settled. */
  closeConsumers(): void;
  /** Closes the consumers with a reason. */
  endConsumers(reason: Error): void;
}

interface MemoryConsumer {
  readonly options: ConsumeOptions;
  /** What is delivered and not settled, in the order of delivery. */
  readonly open: Map<Delivery, StoredMessage>;
  openBytes: number;
  isActive: boolean;
}

function createQueue(deadLetterQueue: () => MemoryQueue | undefined): MemoryQueue {
  let waiting: StoredMessage[] = [];
  const consumers: MemoryConsumer[] = [];
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      deliver();
    });
  }

  /** Gives the oldest messages to the consumers in turn, as far as their prefetch allows. */
  function deliver(): void {
    const handedOver: [MemoryConsumer, Delivery][] = [];
    for (const message of waiting) {
      const index = consumers.findIndex(hasRoom);
      if (index < 0) break;
      const consumer = consumers.splice(index, 1)[0]!;
      consumers.push(consumer);
      handedOver.push([consumer, open(consumer, message)]);
    }
    waiting = waiting.slice(handedOver.length);
    // Called last, since a callback may close its consumer.
    for (const [consumer, delivery] of handedOver) {
      if (consumer.open.has(delivery)) consumer.options.onDelivery(delivery);
    }
  }

  function open(consumer: MemoryConsumer, message: StoredMessage): Delivery {
    const { contentType, type, redelivered, body } = message;
    const delivery: Delivery = { contentType, type, redelivered, body };
    consumer.open.set(delivery, message);
    consumer.openBytes += body.length;
    return delivery;
  }

  /** Removes the deliveries that are still open, and returns their messages. */
  function settle(consumer: MemoryConsumer, deliveries: readonly Delivery[]): StoredMessage[] {
    schedule();
    return deliveries.flatMap((delivery) => {
      const message = consumer.open.get(delivery);
      if (!consumer.open.delete(delivery)) return [];
      consumer.openBytes -= delivery.body.length;
      return message ?? [];
    });
  }

  function close(consumer: MemoryConsumer): void {
    const index = consumers.indexOf(consumer);
    if (index >= 0) consumers.splice(index, 1);
    consumer.isActive = false;
    const unsettled = settle(consumer, [...consumer.open.keys()]);
    waiting = [...unsettled.map((message) => ({ ...message, redelivered: true })), ...waiting];
  }

  return {
    messages: () => waiting,
    put: (message) => {
      waiting.push(message);
      schedule();
    },
    consume: (options) => {
      const consumer: MemoryConsumer = { options, open: new Map(), openBytes: 0, isActive: true };
      consumers.push(consumer);
      schedule();
      return {
        acknowledge: (deliveries) => void settle(consumer, deliveries),
        reject: (deliveries) => {
          for (const message of settle(consumer, deliveries))
            deadLetterQueue()?.put({ ...message, redelivered: false });
        },
        copyToDeadLetters: async (delivery, headers) => {
          const { contentType, type, body } = delivery;
          const target = deadLetterQueue();
          target?.put({ ...consumer.open.get(delivery), contentType, type, body, headers, redelivered: false });
          return target ? "confirmed" : "returned";
        },
        cancel: async () => {
          consumer.isActive = false;
        },
        close: async () => close(consumer),
      };
    },
    closeConsumers: () => {
      for (const consumer of [...consumers]) close(consumer);
    },
    endConsumers: (reason) => {
      for (const consumer of [...consumers]) {
        const wasActive = consumer.isActive;
        close(consumer);
        if (wasActive) consumer.options.onEnd(reason);
      }
    },
  };
}

/** A limit lets the message in that crosses it, or a message above the limit would never be delivered. */
const hasRoom = ({ options, open, openBytes, isActive }: MemoryConsumer): boolean =>
  isActive &&
  (options.prefetchCount === 0 || open.size < options.prefetchCount) &&
  (options.prefetchSize === 0 || openBytes < options.prefetchSize);

/** Whether a routing key matches a binding key of a topic exchange. */
export function topicMatches(bindingKey: string, routingKey: string): boolean {
  return matchWords(bindingKey.split("."), routingKey === "" ? [] : routingKey.split("."));
}

function matchWords([pattern, ...patterns]: readonly string[], words: readonly string[]): boolean {
  if (pattern === undefined) return words.length === 0;
  if (pattern === "#") return words.some((_, i) => matchWords(patterns, words.slice(i))) || matchWords(patterns, []);
  const [word, ...rest] = words;
  return word !== undefined && (pattern === "*" || pattern === word) && matchWords(patterns, rest);
}
