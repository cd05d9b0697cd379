/**
 * Consumes messages from the queue and applies them, batch by batch. Spec: messages, "Received by this node"; transport,
 * "Incoming".
 */
import { type Broker, type Consumer, type Delivery, QueueNotFoundError } from "../broker/broker.ts";
import { createBackoff, pause } from "../runtime/backoff.ts";
import { untilAborted } from "../runtime/lifetime.ts";
import { type BatchContext, processBatch } from "./consumer-batch.ts";
import { createProblemLog } from "./problem-log.ts";

export type { ConsumerMetrics } from "./consumer-batch.ts";

export interface ConsumerOptions extends BatchContext {
  readonly broker: Broker;
  readonly queue: string;
  /** Maximum number of unacknowledged messages; 0 for no limit. With 1 a batch is one message. */
  readonly prefetchCount: number;
  /** Maximum number of unacknowledged bytes; 0 for no limit. */
  readonly prefetchSize: number;
  /** Maximum number of batches under way at a time. */
  readonly batches: number;
  /** The queue is about to be deleted: while nothing comes, periodically leave it without a consumer. */
  readonly drain: boolean;
  readonly drainPauses?: DrainPauses;
}

/** The times of the draining mode. */
export interface DrainPauses {
  /** How long nothing must have come before consumption is paused. */
  readonly idleMillis: number;
  /** The first pause; each further one is twice as long while nothing comes. */
  readonly firstMillis: number;
  readonly maxMillis: number;
}

/** Consumes one queue. */
export interface MessageConsumer {
  /**
   * Consumes until the signal aborts; then finishes the batches under way, acknowledges them and resolves. Waits for a
   * database that is unavailable or out of order, and for a queue that does not exist (in draining mode that is the expected
   * end, and it resolves). Rejects, with messages unacknowledged, on a ForeignDebtorError.
   */
  run(signal: AbortSignal): Promise<void>;
}

/** Maximum number of messages in a batch, when the prefetch does not limit it further. */
const BATCH_COUNT_MAX = 500;
const QUEUE_PAUSE_MILLIS = 200;
// A queue that is declared is consumed within three seconds.
const QUEUE_PAUSE_MILLIS_MAX = 1_500;
const DRAIN_PAUSES: DrainPauses = { idleMillis: 15_000, firstMillis: 15_000, maxMillis: 3_600_000 };

/** Makes a consumer; it does nothing before it is run. */
export function createConsumer(options: ConsumerOptions): MessageConsumer {
  return {
    run: async (signal) => {
      if (options.drain) return drain(options, signal);
      return consumePersistently(options, signal);
    },
  };
}

/** Waits for a queue that does not exist, or is deleted: it may be declared at any time. */
async function consumePersistently(options: ConsumerOptions, signal: AbortSignal): Promise<void> {
  const { queue, log, health, metrics } = options;
  const missing = `There is no queue ${queue}: nothing is consumed until \`swpt-debtors subscribe\` declares it`;
  const problems = createProblemLog(log, {});
  const backoff = createBackoff({ minMillis: QUEUE_PAUSE_MILLIS, maxMillis: QUEUE_PAUSE_MILLIS_MAX });
  const onConsuming = (): void => {
    problems.end(`There is a queue ${queue} again`);
    backoff.reset();
  };
  while (!signal.aborted) {
    try {
      await consume(options, signal, { onConsuming });
    } catch (error) {
      if (!(error instanceof QueueNotFoundError)) throw error;
      problems.report("error", missing, {});
      health?.report("queue", missing);
      metrics?.stopped(true);
      await pause(backoff.nextMillis(), signal);
    }
  }
}

/** Consumes until the queue is gone. The pauses let `delete_queue` find it without consumers. */
async function drain(options: ConsumerOptions, signal: AbortSignal): Promise<void> {
  const { queue, log } = options;
  let wasThere = false;
  try {
    await drainWithPauses(options, signal, () => {
      wasThere = true;
    });
  } catch (error) {
    if (!(error instanceof QueueNotFoundError)) throw error;
    if (wasThere) log.info({ queue }, "The queue is gone: nothing is left to drain");
    // It has been deleted already, or its name is wrong.
    else log.warn(`There is no queue ${queue}: nothing is drained`);
  }
}

async function drainWithPauses(options: ConsumerOptions, signal: AbortSignal, onConsuming: () => void): Promise<void> {
  const { idleMillis, firstMillis, maxMillis } = options.drainPauses ?? DRAIN_PAUSES;
  let pauseMillis = firstMillis;
  while (!signal.aborted) {
    const count = await consume(options, signal, { idleMillis, onConsuming });
    if (signal.aborted) return;
    if (count > 0) pauseMillis = firstMillis;
    options.log.info({ queue: options.queue, pauseSeconds: pauseMillis / 1000 }, "Queue is idle: pausing consumption");
    await pause(pauseMillis, signal);
    pauseMillis = Math.min(pauseMillis * 2, maxMillis);
  }
}

/**
 * Consumes until the signal aborts, messages had to be given back, or nothing has come for a while. Resolves to the number
 * of messages taken.
 */
async function consume(
  options: ConsumerOptions,
  signal: AbortSignal,
  { idleMillis, onConsuming }: { readonly idleMillis?: number; readonly onConsuming?: () => void } = {},
): Promise<number> {
  const { broker, queue, prefetchCount, prefetchSize, log, health, metrics } = options;
  const stop = new AbortController();
  const stopped = AbortSignal.any([signal, stop.signal]);
  const failures: Error[] = [];
  const fail = (error: Error): void => {
    failures.push(error);
    stop.abort();
  };
  const inbox = createInbox(options, { fail, onGivenBack: () => stop.abort() }, stopped);
  const reportRefusal = (reason?: string): void => {
    health?.report("queue", reason);
    // An outage of the broker is seen at the flushers, and ends by itself.
    metrics?.stopped(reason !== undefined && broker.isConnected());
  };
  const consuming = broker.consume({
    queue,
    prefetchCount,
    prefetchSize,
    onDelivery: inbox.put,
    onEnd: fail,
    onRefused: reportRefusal,
    onResumed: reportRefusal,
  });
  const consumer = await Promise.race([consuming, untilAborted(stopped)]).catch((error: unknown) => {
    // Nothing may be left that waits for the signal: a missing queue is looked for every second, perhaps for days.
    stop.abort();
    throw error;
  });
  if (!consumer) {
    consuming.then((late) => late.close()).catch(() => {}); // The broker is unavailable, and we do not wait for it.
    return 0;
  }
  reportRefusal();
  inbox.open(consumer);
  log.info({ queue }, "Consuming");
  onConsuming?.();
  await (idleMillis === undefined ? untilAborted(stopped) : untilIdle(inbox, idleMillis, stopped));
  await consumer.cancel();
  stop.abort();
  await inbox.finish();
  await consumer.close();
  if (failures[0]) throw failures[0];
  return inbox.takenCount();
}

interface InboxEvents {
  readonly fail: (error: Error) => void;
  /** Messages were given back to the queue, and what was under way with them is done now. */
  readonly onGivenBack: () => void;
}

type Inbox = ReturnType<typeof createInbox>;

/** Collects deliveries, and hands them over in batches while there is room. */
function createInbox(options: ConsumerOptions, { fail, onGivenBack }: InboxEvents, stopped: AbortSignal) {
  const batchCountMax = batchCountMaxOf(options.prefetchCount);
  const underWay = new Set<Promise<void>>();
  let waiting: Delivery[] = [];
  let consumer: Consumer | undefined;
  let takenCount = 0;
  let isScheduled = false;
  let isGivenBack = false;

  function put(delivery: Delivery): void {
    waiting.push(delivery);
    takenCount++;
    schedule();
  }

  /** Deliveries that arrive together make up one batch. */
  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      startBatches();
    });
  }

  function startBatches(): void {
    while (consumer && waiting.length > 0 && underWay.size < options.batches && !stopped.aborted && !isGivenBack) {
      const batch = waiting.slice(0, batchCountMax);
      waiting = waiting.slice(batchCountMax);
      const done: Promise<void> = processBatch(options, consumer, batch, { giveBack, signal: stopped })
        .catch(fail)
        .finally(() => {
          underWay.delete(done);
          startBatches();
          if (isGivenBack && underWay.size === 0) onGivenBack();
        });
      underWay.add(done);
    }
  }

  function giveBack(): void {
    if (isGivenBack) return;
    isGivenBack = true;
    waiting = [];
    options.log.warn({ queue: options.queue }, "Messages are given back to the queue, and nothing is consumed for now");
    void consumer?.close().catch(() => {});
  }

  return {
    put,
    open: (opened: Consumer): void => {
      consumer = opened;
      schedule();
    },
    isIdle: () => underWay.size === 0 && waiting.length === 0,
    takenCount: () => takenCount,
    /** Waits for the batches under way. What waits is not begun, and goes back to the queue. */
    finish: async (): Promise<void> => {
      await Promise.all(underWay);
    },
  };
}

/** Half of the prefetch: while one half is applied, the other half travels. */
const batchCountMaxOf = (prefetchCount: number): number =>
  prefetchCount === 0 ? BATCH_COUNT_MAX : Math.min(BATCH_COUNT_MAX, Math.ceil(prefetchCount / 2));

async function untilIdle(inbox: Inbox, idleMillis: number, stopped: AbortSignal): Promise<void> {
  for (let seen = -1; !stopped.aborted; ) {
    if (inbox.isIdle() && inbox.takenCount() === seen) return;
    seen = inbox.takenCount();
    await pause(idleMillis, stopped);
  }
}
