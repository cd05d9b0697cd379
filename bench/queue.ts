/** Filling and watching queues of the broker. */
import { setTimeout as pause } from "node:timers/promises";
import amqp, { type Channel, type ChannelModel, type ConfirmChannel } from "amqplib";
import { OUTGOING_EXCHANGE } from "../src/broker/agent-topology.ts";

/** A connection to watch a queue with. */
export interface Watch extends AsyncDisposable {
  readonly channel: Channel;
  /** Messages that are ready for delivery. */
  count(): Promise<number>;
  /**
   * Looks every few milliseconds until as many messages are ready as `isEnough` wants. Resolves to how many there were, to
   * when that was seen, and to when the look before was, both in milliseconds.
   */
  until(isEnough: (count: number) => boolean): Promise<{ count: number; at: number; beforeAt: number }>;
}

const LOOK_MILLIS = 5;
const WAIT_MILLIS_MAX = 120_000;

export async function watchQueue(brokerUrl: string, queue: string): Promise<Watch> {
  const connection = await connectTo(brokerUrl);
  const channel = await connection.createChannel();
  const count = async (): Promise<number> => (await channel.checkQueue(queue)).messageCount;
  return {
    channel,
    count,
    until: async (isEnough) => {
      const deadline = performance.now() + WAIT_MILLIS_MAX;
      let beforeAt = performance.now();
      for (;;) {
        const found = await count();
        const at = performance.now();
        if (isEnough(found)) return { count: found, at, beforeAt };
        if (at > deadline) throw new Error(`The queue ${queue} stays at ${found} messages`);
        beforeAt = at;
        await pause(LOOK_MILLIS);
      }
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

/** A queue that gets all that the agent sends, of the type that other nodes have. */
export const OUTGOING_QUEUE = "bench_out";

export async function declareOutgoingQueue(brokerUrl: string): Promise<void> {
  const connection = await connectTo(brokerUrl);
  const channel = await connection.createChannel();
  await channel.assertQueue(OUTGOING_QUEUE, { durable: true, arguments: { "x-queue-type": "quorum" } });
  await channel.bindQueue(OUTGOING_QUEUE, OUTGOING_EXCHANGE, "");
  await connection.close();
}

/** Publishes messages, and waits until the broker has all of them. */
export async function publishAll(
  brokerUrl: string,
  exchange: string,
  type: string,
  bodies: readonly string[],
): Promise<void> {
  const connection = await connectTo(brokerUrl);
  const channel: ConfirmChannel = await connection.createConfirmChannel();
  const properties = { type, contentType: "application/json", persistent: true, mandatory: true };
  for (const body of bodies) {
    if (!channel.publish(exchange, "", Buffer.from(body), properties))
      await new Promise((resolve) => channel.once("drain", resolve));
  }
  await channel.waitForConfirms();
  await connection.close();
}

export async function connectTo(brokerUrl: string): Promise<ChannelModel> {
  const connection = await amqp.connect(brokerUrl, { noDelay: true });
  connection.on("error", () => {}); // Pending calls reject as well.
  return connection;
}
