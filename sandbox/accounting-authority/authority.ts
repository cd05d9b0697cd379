/**
 * The running accounting authority of the sandbox: it consumes its queue, sends its answers when they are due, and
 * scans its accounts. **Not** a store of value. Spec: sandbox-accounting-authority.
 */
import type { Broker, Delivery } from "../../src/broker/broker.ts";
import { DatabaseUnavailableError, type Pool } from "../../src/database/database.ts";
import { InvalidMessageError } from "../../src/messages/fields.ts";
import { pause } from "../../src/runtime/backoff.ts";
import { runTogether } from "../../src/runtime/lifetime.ts";
import type { Logger } from "../../src/runtime/log.ts";
import { createWakeup } from "../../src/runtime/wakeup.ts";
import type { Timestamp } from "../../src/values/timestamp.ts";
import { type AuthoritySettings, type DeliveredMessage, processMessages, scanBooks } from "./books.ts";
import { trimJournal } from "./journal.ts";
import { findNextDue, type RoutingKeys, sendDueMessages } from "./outbox.ts";
import { parseReceived } from "./received-messages.ts";

export interface AuthorityOptions {
  readonly pool: Pool;
  readonly broker: Broker;
  /** The queue that gets what the agent sends to `debtors_out`. */
  readonly queue: string;
  readonly routingKeys: RoutingKeys;
  readonly settings: AuthoritySettings;
  /** The clock; tests let days pass. */
  readonly clock: () => Timestamp;
  readonly log: Logger;
}

/** An authority. Its tables must exist (`createTables`). */
export interface Authority {
  /** Processes messages in one transaction. Returns those that break the protocol: they have had no effect. */
  process(deliveries: readonly Delivery[]): Promise<readonly Delivery[]>;
  /** Sends what is due; returns the number of messages. */
  sendDue(): Promise<number>;
  /** Does once what is due; returns the number of records touched. */
  scanOnce(): Promise<number>;
  /** Works until stopped. Rejects when its queue is deleted or its connection is lost permanently. */
  run(signal: AbortSignal): Promise<void>;
}

const BATCH_COUNT = 1000;
const PREFETCH_COUNT = 2 * BATCH_COUNT;
// Other processes may add to the outbox without notifying this one.
const SEND_PERIOD_MILLIS_MIN = 5;
const SEND_PERIOD_MILLIS_MAX = 200;
const SCAN_PERIOD_MILLIS = 200;
const SCANS_PER_TRIM = 300;
const RETRY_PAUSE_MILLIS = 1000;

/** Creates an authority; it does nothing until one of its functions is called. */
export function createAuthority(options: AuthorityOptions): Authority {
  const { pool, broker, queue, settings, clock, log } = options;
  const [arrivals, dues] = [createWakeup(), createWakeup()];

  async function process(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const received: DeliveredMessage[] = [];
    const malformed: Delivery[] = [];
    for (const delivery of deliveries) {
      const message = parseOrExplain(delivery, log);
      if (message === undefined) malformed.push(delivery);
      else received.push({ message, body: delivery.body });
    }
    if (received.length > 0) await processMessages(pool, settings, received, clock());
    return malformed;
  }

  async function sendDue(): Promise<number> {
    const keepJournal = settings.journalEntriesMax > 0;
    const { sentCount, rejectedCount } = await sendDueMessages({ ...options, keepJournal }, clock());
    if (rejectedCount > 0)
      log.warn(
        { rejectedCount },
        "The broker rejected messages of the accounting authority; they are sent again later",
      );
    return sentCount;
  }

  const scanOnce = (): Promise<number> => scanBooks(pool, settings, clock());

  async function consume(signal: AbortSignal): Promise<void> {
    const waiting: Delivery[] = [];
    let end: Error | undefined;
    const consumer = await broker.consume({
      queue,
      prefetchCount: PREFETCH_COUNT,
      prefetchSize: 0,
      onDelivery: (delivery) => {
        waiting.push(delivery);
        arrivals.notify();
      },
      onEnd: (reason) => {
        end = reason;
        arrivals.notify();
      },
    });
    while (!signal.aborted && end === undefined) {
      const batch = waiting.splice(0, BATCH_COUNT);
      if (batch.length === 0) {
        await arrivals.wait(60_000, signal);
        continue;
      }
      const malformed = await persist(() => process(batch), signal);
      if (malformed === undefined) break;
      // Committed: after a crash here, the broker delivers the batch again, and the agent sees repeats.
      const unacceptable = new Set(malformed);
      consumer.acknowledge(batch.filter((delivery) => !unacceptable.has(delivery)));
      if (malformed.length > 0) consumer.reject(malformed);
      dues.notify();
    }
    await consumer.close();
    if (end) throw end;
  }

  async function keepSending(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const count = await persist(sendDue, signal);
      if (count !== 0) continue;
      const nextDue = await persist(() => findNextDue(pool), signal);
      const millis = nextDue === undefined ? SEND_PERIOD_MILLIS_MAX : Number(nextDue - clock()) / 1000;
      await dues.wait(Math.min(Math.max(millis, SEND_PERIOD_MILLIS_MIN), SEND_PERIOD_MILLIS_MAX), signal);
    }
  }

  async function keepScanning(signal: AbortSignal): Promise<void> {
    for (let scans = 0; !signal.aborted; scans++) {
      const count = await persist(scanOnce, signal);
      if (count !== 0) dues.notify();
      if (scans % SCANS_PER_TRIM === 0) await persist(() => trimJournal(pool, settings.journalEntriesMax), signal);
      if (count === 0) await pause(SCAN_PERIOD_MILLIS, signal);
    }
  }

  /** Tries again while the database is unavailable. `undefined` when stopped. */
  async function persist<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result | undefined> {
    while (!signal.aborted) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof DatabaseUnavailableError)) throw error;
        log.error({ err: error }, "The accounting authority cannot reach its database");
        await pause(RETRY_PAUSE_MILLIS, signal);
      }
    }
    return undefined;
  }

  const run = (signal: AbortSignal): Promise<void> => runTogether([consume, keepSending, keepScanning], signal);

  return { process, sendDue, scanOnce, run };
}

function parseOrExplain(delivery: Delivery, log: Logger): DeliveredMessage["message"] | undefined {
  try {
    return parseReceived(delivery.contentType, delivery.type, delivery.body);
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error;
    log.error({ type: delivery.type, reason: error.message }, "The accounting authority rejects a message");
    return undefined;
  }
}
