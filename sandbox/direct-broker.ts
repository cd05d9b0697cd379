/**
 * A broker in memory on which a message counts as sent only when its consumer is done with it. So the row of an outbox
 * goes after what it has caused is committed, and nothing is lost when the process is killed.
 */

import type { Topology } from "../src/broker/agent-topology.ts";
import type { Broker, Consumer, Delivery, Publication, PublicationOutcome } from "../src/broker/broker.ts";
import { createMemoryBroker } from "../src/broker/memory.ts";

type Settle = (outcome: PublicationOutcome) => void;

/** Makes the broker. Closing it settles what is under way as `failed`, which means that it may be sent again. */
export function createDirectBroker(topology: Topology): Broker {
  const broker = createMemoryBroker(topology);
  // Equal messages are interchangeable.
  const underWay = new Map<string, Settle[]>();

  const expect = (publication: Publication): { readonly key: string; readonly done: Promise<PublicationOutcome> } => {
    const key = keyOf(publication.type, publication.body);
    const { promise: done, resolve } = Promise.withResolvers<PublicationOutcome>();
    underWay.set(key, [...(underWay.get(key) ?? []), resolve]);
    return { key, done };
  };
  const settle = (key: string, outcome: PublicationOutcome): void => {
    const [first, ...rest] = underWay.get(key) ?? [];
    if (rest.length === 0) underWay.delete(key);
    else underWay.set(key, rest);
    first?.(outcome);
  };
  const settleAll = (deliveries: readonly Delivery[]): void => {
    for (const { type, body } of deliveries) settle(keyOf(type, body), "confirmed");
  };
  const watch = (consumer: Consumer): Consumer => ({
    ...consumer,
    acknowledge: (deliveries) => {
      consumer.acknowledge(deliveries);
      settleAll(deliveries);
    },
    reject: (deliveries) => {
      consumer.reject(deliveries);
      settleAll(deliveries);
    },
  });

  return {
    ...broker,
    publish: async (publications) => {
      const expected = publications.map((publication) => (isConsumed(publication) ? expect(publication) : undefined));
      const outcomes = await broker.publish(publications);
      for (const [index, outcome] of outcomes.entries()) {
        const awaited = expected[index];
        if (awaited !== undefined && outcome !== "confirmed") settle(awaited.key, outcome);
      }
      return Promise.all(expected.map((awaited, index) => awaited?.done ?? Promise.resolve(outcomes[index]!)));
    },
    consume: async (options) => watch(await broker.consume(options)),
    close: async () => {
      await broker.close();
      for (const waiting of underWay.values()) for (const resolve of waiting) resolve("failed");
      underWay.clear();
    },
  };
}

/** What goes to a queue by its name is kept there, and has no consumer. */
const isConsumed = ({ exchange }: Publication): boolean => exchange !== "";

const keyOf = (type: string | undefined, body: string | Buffer): string =>
  `${type}\n${Buffer.from(body).toString("latin1")}`;
