/** The exchanges and queues of an agent. Spec: transport, "AMQP topology of a debtors agent". */

/** Where messages for this node are published. */
export const INCOMING_EXCHANGE = "debtors_in";
/** Where this node publishes its messages. */
export const OUTGOING_EXCHANGE = "debtors_out";

/** A durable exchange. */
export interface Exchange {
  readonly name: string;
  readonly kind: "topic" | "fanout";
}

/** A durable queue. */
export interface Queue {
  readonly name: string;
  /** Exactly as they go to the broker: a queue that exists must have the same. */
  readonly arguments: Readonly<Record<string, string | number>>;
  /** The dead-letter queue. */
  readonly deadLetterQueue?: string;
}

/** Routes messages of an exchange to a queue. */
export interface Binding {
  readonly exchange: string;
  readonly queue: string;
  /** For a topic exchange: words with dots between, `*` for one word, `#` for any number of words. */
  readonly bindingKey: string;
}

/** What has to exist on a broker. Queues come before those that dead-letter to them. */
export interface Topology {
  readonly exchanges: readonly Exchange[];
  readonly queues: readonly Queue[];
  readonly bindings: readonly Binding[];
}

/** The name of the dead-letter queue of a queue. */
export const deadLetterQueueOf = (queue: string): string => `${queue}.XQ`;

/** The stream beside a queue in which flushers leave marks of what they have sent. */
export const marksOf = (queue: string): string => `${queue}.MK`;

/** Bytes of marks that are kept at least; twice as many at most. */
const MARKS_BYTES = 500_000;

/** The topology of an agent that consumes the given queue. */
export function agentTopology(queue: string, bindingKey: string): Topology {
  const deadLetterQueue = deadLetterQueueOf(queue);
  return {
    exchanges: [
      { name: INCOMING_EXCHANGE, kind: "topic" },
      { name: OUTGOING_EXCHANGE, kind: "fanout" },
    ],
    queues: [
      { name: deadLetterQueue, arguments: { "x-queue-type": "stream" } },
      {
        name: marksOf(queue),
        arguments: {
          "x-queue-type": "stream",
          "x-max-length-bytes": 2 * MARKS_BYTES,
          "x-stream-max-segment-size-bytes": MARKS_BYTES,
        },
      },
      {
        name: queue,
        deadLetterQueue,
        arguments: {
          "x-queue-type": "quorum",
          // Without `x-` it has no effect. Queues declared so exist, and other arguments would not match theirs.
          overflow: "reject-publish",
          "x-dead-letter-exchange": "",
          "x-dead-letter-routing-key": deadLetterQueue,
        },
      },
    ],
    bindings: [{ exchange: INCOMING_EXCHANGE, queue, bindingKey }],
  };
}
