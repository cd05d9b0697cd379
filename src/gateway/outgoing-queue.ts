/** Taking messages for a peer from their queue, and dead-lettering those that cannot be sent. Spec: stomp, "Poison". */

import { deadLetterQueueOf } from "../broker/agent-topology.ts";
import { type Broker, type Consumer, type Delivery, QueueNotFoundError } from "../broker/broker.ts";
import type { RelayedMessage } from "../messages/relay.ts";
import type { Subnet } from "../node-data/subnet.ts";
import { createBackoff, pause } from "../runtime/backoff.ts";
import type { Logger } from "../runtime/log.ts";
import { createRepeatedEvents } from "../runtime/repeated-events.ts";
import type { GatewayMetrics } from "./metrics.ts";
import type { GatewayRole } from "./role.ts";
import { RefusedMessageError } from "./validation.ts";

export interface OutgoingQueueOptions {
  readonly broker: Pick<Broker, "consume">;
  readonly queue: string;
  readonly role: Pick<GatewayRole, "checkSent">;
  readonly prefetchCount: number;
  /** Whether to wait for a queue that does not exist. */
  readonly awaitsQueue: boolean;
  /** A message that may be sent. */
  readonly onMessage: (delivery: Delivery, message: RelayedMessage) => void;
  /** What was delivered and is not acknowledged will be delivered again. */
  readonly onInterrupted: () => void;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
}

/** A queue whose messages are taken. */
export interface OutgoingQueue {
  /**
   * Starts to consume, once the broker is there. A queue that does not exist is waited for, or else it rejects with
   * QueueNotFoundError.
   */
  open(subnet: Subnet): Promise<void>;
  /** Whether deliveries have stopped, and have not gone on yet. */
  isInterrupted(): boolean;
  /** Why the queue cannot be consumed; `undefined` when it can. */
  refusalReason(): string | undefined;
  acknowledge(deliveries: readonly Delivery[]): void;
  /** Moves a message to the dead-letter queue. Resolves when that is done or given up; never rejects. */
  deadLetter(delivery: Delivery, reason: string): Promise<void>;
  /** No more deliveries; what was delivered may still be acknowledged. */
  cancel(): Promise<void>;
  /** Gives back what is not acknowledged. */
  close(): Promise<void>;
}

const REASON_HEADER = "x-swpt-reason";
/** The longest reason that is sent as a header, in characters. */
const REASON_LENGTH_MAX = 500;
const RETRY_PAUSE_MILLIS = 1_000;
const RETURNED_PAUSE_MILLIS = 60_000;
const QUEUE_PAUSE_MILLIS = 200;
// A queue that is declared is consumed within three seconds.
const QUEUE_PAUSE_MILLIS_MAX = 1_500;

/** Makes a queue that is not open. */
export function createOutgoingQueue(options: OutgoingQueueOptions): OutgoingQueue {
  const { broker, queue, role, prefetchCount, awaitsQueue, onMessage, metrics, log } = options;
  const problems = createRepeatedEvents(log);
  let consumer: Consumer | undefined;
  let opening: Promise<void> | undefined;
  /** Aborted when the deliveries have been returned to the queue. */
  let epoch = new AbortController();
  /** Aborted when the queue is closed, or its consumer has ended. */
  let life = new AbortController();
  let isInterrupted = false;
  let refusalReason: string | undefined;

  function endEpoch(): void {
    epoch.abort();
    epoch = new AbortController();
    options.onInterrupted();
  }

  function onDelivery(delivery: Delivery, subnet: Subnet): void {
    try {
      onMessage(delivery, role.checkSent(delivery, subnet));
    } catch (error) {
      if (!(error instanceof RefusedMessageError)) throw error;
      const detail = error.cause instanceof Error ? ` ${error.cause.message}` : "";
      void deadLetter(delivery, `${error.message}${detail}`);
    }
  }

  async function deadLetter(delivery: Delivery, reason: string): Promise<void> {
    const { signal } = epoch;
    const { type } = delivery;
    let isLogged = false;
    // The first messages may come before the consumer is there to acknowledge them.
    await opening?.catch(() => {});
    while (!signal.aborted && consumer !== undefined) {
      const headers = { [REASON_HEADER]: reason.slice(0, REASON_LENGTH_MAX) };
      const outcome = await consumer.copyToDeadLetters(delivery, headers).catch(() => "failed" as const);
      if (outcome === "confirmed") {
        consumer?.acknowledge([delivery]);
        metrics.countMessage("out", metricType(type), "dead_lettered");
        log.warn({ queue, type, reason }, "Moved a message to the dead-letter queue");
        return;
      }
      if (!isLogged) {
        const deadLetterQueue = deadLetterQueueOf(queue);
        log.error(
          { queue, deadLetterQueue, type, reason, outcome },
          "A message cannot be moved to the dead-letter queue",
        );
        isLogged = true;
      }
      await pause(outcome === "returned" ? RETURNED_PAUSE_MILLIS : RETRY_PAUSE_MILLIS, signal);
    }
  }

  async function open(subnet: Subnet): Promise<void> {
    const { signal } = life;
    const backoff = createBackoff({ minMillis: QUEUE_PAUSE_MILLIS, maxMillis: QUEUE_PAUSE_MILLIS_MAX });
    while (!signal.aborted) {
      try {
        return await openOnce(subnet, signal);
      } catch (error) {
        if (!awaitsQueue || !(error instanceof QueueNotFoundError)) throw error;
        if (signal.aborted) return;
        refusalReason = `There is no queue ${queue}; \`swpt-debtors stomp configure-queue\` declares it`;
        problems.report({ level: "error", message: refusalReason, kind: { queue } });
        await pause(backoff.nextMillis(), signal);
      }
    }
  }

  async function openOnce(subnet: Subnet, signal: AbortSignal): Promise<void> {
    const opened = await broker.consume({
      queue,
      prefetchCount,
      prefetchSize: 0,
      onDelivery: (delivery) => onDelivery(delivery, subnet),
      onInterrupted: () => {
        isInterrupted = true;
        endEpoch();
      },
      onResumed: () => {
        isInterrupted = false;
        refusalReason = undefined;
      },
      onRefused: (reason) => {
        // A consumer that has not started yet cannot be closed: it goes on trying.
        if (!signal.aborted) refusalReason = reason;
      },
      onEnd: (reason) => {
        log.error({ queue, reason: reason.message }, "The queue can no longer be consumed");
        forget();
        options.onInterrupted();
      },
    });
    if (signal.aborted) return opened.close();
    refusalReason = undefined;
    consumer = opened;
  }

  /** The consumer has been lost. */
  function forget(): void {
    consumer = undefined;
    opening = undefined;
    isInterrupted = false;
    refusalReason = undefined;
    life.abort();
    life = new AbortController();
    epoch.abort();
    epoch = new AbortController();
  }

  return {
    open: (subnet) => {
      opening ??= open(subnet).catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return opening;
    },
    isInterrupted: () => isInterrupted,
    refusalReason: () => refusalReason,
    acknowledge: (deliveries) => consumer?.acknowledge(deliveries),
    deadLetter,
    cancel: async () => consumer?.cancel(),
    close: async () => {
      const closing = consumer;
      forget();
      await closing?.close();
    },
  };
}

/** Types that others have made up must not become labels. */
const metricType = (type: string | undefined): string =>
  type === "ConfigureAccount" || type === "PrepareTransfer" || type === "FinalizeTransfer" ? type : "unknown";
