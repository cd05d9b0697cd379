/** The authority's queue, in memory and on RabbitMQ. Spec: transport, "AMQP topology of a debtors agent". */
import {
  agentTopology,
  deadLetterQueueOf,
  INCOMING_EXCHANGE,
  OUTGOING_EXCHANGE,
  type Topology,
} from "../../src/broker/agent-topology.ts";
import { declareUnlimited } from "../../src/broker/declare-topology.ts";
import { connectOnce } from "../../src/broker/rabbitmq-connection.ts";

/** The default name of the queue with the agent's messages. */
export const AUTHORITY_QUEUE = "swpt_accounts_sandbox";

/** Everything for an agent and the authority on one broker in memory. */
export function sandboxTopology(agentQueue: string, authorityQueue: string): Topology {
  const agent = agentTopology(agentQueue, "#");
  const deadLetterQueue = deadLetterQueueOf(authorityQueue);
  return {
    exchanges: agent.exchanges,
    queues: [
      ...agent.queues,
      { name: deadLetterQueue, arguments: {} },
      { name: authorityQueue, arguments: {}, deadLetterQueue },
    ],
    bindings: [...agent.bindings, { exchange: OUTGOING_EXCHANGE, queue: authorityQueue, bindingKey: "" }],
  };
}

/** The queue of what an agent sends to its accounting authority, a node of its own. */
export const agentLinkQueue = (authorityId: string): string => `da.${authorityId}`;

/** The queue of what the authority sends to an agent that is a node of its own. */
export const authorityLinkQueue = (agentId: string): string => `aa.${agentId}`;

/** For an agent on a broker in memory, with a queue for its accounting authority. */
export function linkedAgentTopology(agentQueue: string, authorityId: string): Topology {
  return withLinkQueue(agentTopology(agentQueue, "#"), OUTGOING_EXCHANGE, agentLinkQueue(authorityId));
}

/** For the authority on a broker in memory of its own, with a queue for the agent. */
export function linkedAuthorityTopology(authorityQueue: string, agentId: string): Topology {
  const { exchanges, queues, bindings } = sandboxTopology("unused", authorityQueue);
  const isOwn = (queue: string): boolean => queue.startsWith(authorityQueue);
  const own = {
    exchanges,
    queues: queues.filter(({ name }) => isOwn(name)),
    bindings: bindings.filter(({ queue }) => isOwn(queue)),
  };
  return withLinkQueue(own, INCOMING_EXCHANGE, authorityLinkQueue(agentId));
}

function withLinkQueue({ exchanges, queues, bindings }: Topology, exchange: string, queue: string): Topology {
  const deadLetterQueue = deadLetterQueueOf(queue);
  return {
    exchanges,
    queues: [...queues, { name: deadLetterQueue, arguments: {} }, { name: queue, arguments: {}, deadLetterQueue }],
    bindings: [...bindings, { exchange, queue, bindingKey: "#" }],
  };
}

/**
 * Declares the authority's quorum queue on RabbitMQ and binds it, and the exchanges if the agent has not declared them
 * yet; for an authority that is a node of its own, also the queue of what it sends to its peer.
 */
export async function declareAuthorityQueue(url: string, queue: string, linkQueue?: string): Promise<void> {
  const connection = await connectOnce(url, "swpt-debtors sandbox topology");
  connection.on("error", () => {}); // The operation under way rejects as well.
  try {
    const channel = await connection.createChannel();
    channel.on("error", () => {});
    await channel.assertExchange(INCOMING_EXCHANGE, "topic", { durable: true });
    await channel.assertExchange(OUTGOING_EXCHANGE, "fanout", { durable: true });
    const deadLetterQueue = deadLetterQueueOf(queue);
    const quorum = { "x-queue-type": "quorum" };
    await channel.assertQueue(deadLetterQueue, { durable: true, arguments: quorum });
    await declareUnlimited(connection, {
      name: queue,
      arguments: { ...quorum, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": deadLetterQueue },
    });
    await channel.bindQueue(queue, OUTGOING_EXCHANGE, "");
    if (linkQueue === undefined) return;
    const linkDeadLetterQueue = deadLetterQueueOf(linkQueue);
    await channel.assertQueue(linkDeadLetterQueue, { durable: true });
    await declareUnlimited(connection, {
      name: linkQueue,
      arguments: { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": linkDeadLetterQueue },
    });
    await channel.bindQueue(linkQueue, INCOMING_EXCHANGE, "#");
  } finally {
    await connection.close().catch(() => {});
  }
}
