/** The authority's queue, in memory and on RabbitMQ. Spec: transport, "AMQP topology of a debtors agent". */
import {
  agentTopology,
  deadLetterQueueOf,
  INCOMING_EXCHANGE,
  OUTGOING_EXCHANGE,
  type Topology,
} from "../../src/broker/agent-topology.ts";
import { connectOnce } from "../../src/broker/rabbitmq-connection.ts";

/** The queue that gets what the agent sends, unless another name is wanted. */
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

/** Declares the authority's quorum queue on RabbitMQ and binds it, and the exchanges if the agent has not declared them yet. */
export async function declareAuthorityQueue(url: string, queue: string): Promise<void> {
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
    await channel.assertQueue(queue, {
      durable: true,
      arguments: { ...quorum, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": deadLetterQueue },
    });
    await channel.bindQueue(queue, OUTGOING_EXCHANGE, "");
  } finally {
    await connection.close().catch(() => {});
  }
}
