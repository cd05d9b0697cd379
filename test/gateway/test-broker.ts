/** A RabbitMQ virtual host with what a gateway works with. */
import { after } from "node:test";
import type { Broker } from "../../src/broker/broker.ts";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { type BreakableConnection, makeBreakable } from "../broker/breakable-connection.ts";
import { connect } from "../support/amqp.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { createTestLog } from "./gateway-fixture.ts";

export interface TestBroker {
  /** The gateway's connection. */
  readonly broker: Broker;
  /** What the gateway's connection goes through. */
  readonly relay: BreakableConnection;
  readonly url: string;
  /** Bodies of what has been published to `debtors_in`, in order. */
  readonly received: string[];
  /** Puts messages into a queue for a peer, which is made with its dead-letter queue. */
  put(queue: string, messages: readonly QueuedMessage[]): Promise<void>;
  deleteQueue(queue: string): Promise<void>;
  depth(queue: string): Promise<number>;
  /** Waits until a queue has so many messages. */
  untilDepth(queue: string, count: number): Promise<void>;
  /** Takes all messages out of a queue. */
  takeAll(queue: string): Promise<{ readonly body: string; readonly headers: Readonly<Record<string, unknown>> }[]>;
  bindIncoming(): Promise<void>;
  unbindIncoming(): Promise<void>;
}

export interface QueuedMessage {
  readonly type?: string;
  readonly contentType?: string;
  readonly body: string | Buffer;
}

/** Makes it for one test file, and removes it in the end. */
export async function createTestBroker(): Promise<TestBroker> {
  const host = await createTestVirtualHost();
  const relay = await makeBreakable(host.url);
  const amqp = await connect(host.url);
  const channel = await amqp.createConfirmChannel();
  await channel.assertExchange("debtors_in", "topic");
  await channel.assertQueue("incoming");
  const bindIncoming = async (): Promise<void> => void (await channel.bindQueue("incoming", "debtors_in", "#"));
  await bindIncoming();
  const received: string[] = [];
  await channel.consume("incoming", (message) => received.push(message!.content.toString()), { noAck: true });
  const broker = await connectRabbitMq({ url: relay.url, connectionName: "test gateway", log: createTestLog().log });
  await waitFor(() => broker.isConnected());
  after(async () => {
    await broker.close();
    await amqp.close();
    await relay[Symbol.asyncDispose]();
    await host.close();
  });
  const depth = async (queue: string): Promise<number> => (await channel.checkQueue(queue)).messageCount;
  return {
    broker,
    relay,
    url: host.url,
    received,
    depth,
    deleteQueue: async (queue) => void (await channel.deleteQueue(queue)),
    bindIncoming,
    unbindIncoming: async () => void (await channel.unbindQueue("incoming", "debtors_in", "#")),
    untilDepth: async (queue, count) => {
      let last = -1;
      await waitFor(
        async () => {
          last = await depth(queue);
          return last === count;
        },
        { what: () => `${count} messages in ${queue}, which has ${last}` },
      );
    },
    put: async (queue, messages) => {
      await channel.assertQueue(`${queue}.XQ`);
      await channel.assertQueue(queue);
      for (const { type, contentType, body } of messages) {
        const properties = { persistent: true, ...(type && { type }), ...(contentType && { contentType }) };
        channel.sendToQueue(queue, Buffer.from(body), properties);
      }
      await channel.waitForConfirms();
    },
    takeAll: async (queue) => {
      const taken = [];
      for (;;) {
        const message = await channel.get(queue, { noAck: true });
        if (message === false) return taken;
        taken.push({ body: message.content.toString(), headers: { ...message.properties.headers } });
      }
    },
  };
}
