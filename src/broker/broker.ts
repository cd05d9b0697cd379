/** The interface to a message broker, which RabbitMQ and an in-memory broker implement. It knows nothing of debtors. */
import { CommandError } from "../runtime/command-error.ts";

/** What a publisher puts on a message. A header that is a `bigint` is sent as a signed 64-bit integer. */
export interface Publication {
  readonly exchange: string;
  readonly routingKey: string;
  readonly type: string;
  readonly appId: string;
  readonly messageId?: string | undefined;
  readonly headers: Readonly<Record<string, string | bigint>>;
  /** UTF-8 JSON; sent with the content type `application/json`, persistent and mandatory. A Buffer goes out as it is. */
  readonly body: string | Buffer;
}

/**
 * The outcome of a publication: `confirmed` (the broker has it in a queue), `returned` (no queue is bound), `failed`
 * (rejected, or no confirm in time). Only the first means that it was sent; the others may be sent again.
 */
export type PublicationOutcome = "confirmed" | "returned" | "failed";

export interface PublishOptions {
  /** How long the outcomes are waited for; by default 20 seconds. What has none then counts as failed. */
  readonly confirmMillisMax?: number | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/** A message that a queue has delivered and that is neither acknowledged nor rejected yet. */
export interface Delivery {
  readonly contentType: string | undefined;
  readonly type: string | undefined;
  readonly redelivered: boolean;
  readonly body: Buffer;
}

/** A running consumer. */
export interface Consumer {
  /** Acknowledges messages. A no-op for those whose connection is gone: the broker delivers them again. */
  acknowledge(deliveries: readonly Delivery[]): void;
  /** Rejects messages without requeue, so that they go to the dead-letter queue. */
  reject(deliveries: readonly Delivery[]): void;
  /**
   * Publishes a copy of a delivery, with its properties and more headers, to the dead-letter queue of its queue. The
   * delivery itself stays unacknowledged in any case.
   */
  copyToDeadLetters(delivery: Delivery, headers: Readonly<Record<string, string>>): Promise<PublicationOutcome>;
  /** Stops the deliveries; what was delivered may still be acknowledged. */
  cancel(): Promise<void>;
  /** Closes the channel: what was not acknowledged goes back to the queue. */
  close(): Promise<void>;
}

/** The queue does not exist, or has been deleted under its consumer. */
export class QueueNotFoundError extends CommandError {
  override readonly name = "QueueNotFoundError";
}

/** A stream could not be read to its end. */
export class StreamUnreadableError extends Error {
  override readonly name = "StreamUnreadableError";
}

/** The options of a consumer. */
export interface ConsumeOptions {
  readonly queue: string;
  /** Maximum number of unacknowledged messages; 0 for no limit. */
  readonly prefetchCount: number;
  /** Maximum number of unacknowledged bytes; 0 for no limit. */
  readonly prefetchSize: number;
  readonly onDelivery: (delivery: Delivery) => void;
  /** The consumer has ended by itself: the queue was deleted (QueueNotFoundError), or the broker rejects it permanently. */
  readonly onEnd: (reason: Error) => void;
  /** The connection is lost: unacknowledged messages will be delivered again; until `onResumed` none arrive. */
  readonly onInterrupted?: () => void;
  /** The consumer has continued after an interruption. */
  readonly onResumed?: () => void;
  /** The broker does not let the queue be consumed, and is asked again; the reason is a sentence without a period. */
  readonly onRefused?: (reason: string) => void;
}

/** A connection to a broker, which reconnects by itself. */
export interface Broker {
  /** Publishes the messages in order and waits for the outcome of each. Never rejects because of single messages. */
  publish(publications: readonly Publication[], options?: PublishOptions): Promise<PublicationOutcome[]>;
  /** Why the last messages for an exchange were refused, as far as the broker has said it: a sentence without a period. */
  refusalReason(exchange: string): string | undefined;
  /**
   * Starts a consumer once the connection is established. After a loss of the connection it continues by itself, and what was
   * not acknowledged is delivered again. Rejects with QueueNotFoundError when there is no such queue.
   */
  consume(options: ConsumeOptions): Promise<Consumer>;
  /** The bodies of all that is in a stream, oldest first; `undefined` when there is no such queue. Throws StreamUnreadableError. */
  readStream(queue: string): Promise<readonly Buffer[] | undefined>;
  /** Whether the connection is established, and the broker accepts messages. */
  isConnected(): boolean;
  /** Why not, as far as that is known, with the broker's own words; `undefined` when it is connected. */
  unavailableReason(): string | undefined;
  close(): Promise<void>;
}
