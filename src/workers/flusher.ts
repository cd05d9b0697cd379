/** Sends what is in one outbox, and waits for more. Spec: messages, "Sent by this node"; operations, "Commands". */
import type { Logger } from "pino";
import { OUTGOING_EXCHANGE } from "../broker/agent-topology.ts";
import { StreamUnreadableError } from "../broker/broker.ts";
import { DatabaseUnavailableError } from "../database/database.ts";
import { createBackoff, pause } from "../runtime/backoff.ts";
import type { Health } from "../runtime/health.ts";
import { createWakeup } from "../runtime/wakeup.ts";
import { type BurstContext, type BurstOutcome, ForeignOutboxRowError, flushBurst } from "./burst.ts";
import { DatabaseWentBackError } from "./flush-guard.ts";
import { createProblemLog } from "./problem-log.ts";

export { ForeignOutboxRowError };

/** The metrics of a flusher. */
export interface FlusherMetrics {
  /** A burst of messages was sent; how old the oldest of its rows was. */
  burst(outbox: string, count: number, seconds: number, oldestAgeSeconds: number): void;
  /** The broker returned messages, since no queue is bound. */
  returned(outbox: string, count: number): void;
  /** Whether nothing may be sent, since the database has gone back in time. */
  forbidden?(outbox: string, isForbidden: boolean): void;
}

export interface FlusherOptions extends BurstContext {
  /** How long to wait before polling again without a notification. */
  readonly periodSeconds: number;
  readonly log: Logger;
  readonly metrics?: FlusherMetrics | undefined;
  readonly health?: Health | undefined;
}

/** Sends what one outbox holds. */
export interface Flusher {
  /** Sends one burst. Resolves to the number of rows that are gone. Throws what `flushBurst` throws. */
  runOnce(): Promise<number>;
  /**
   * Sends until the signal aborts; then finishes the burst under way and resolves. Waits for a database or a broker that
   * is unavailable or out of order. Rejects with a ForeignOutboxRowError, and with nothing else.
   */
  run(signal: AbortSignal): Promise<void>;
  /** There may be something to send: do not wait for the end of the period. */
  wake(): void;
}

/**
 * How many bursts a flusher may have under way, each with a database connection of its own. Two lanes moved 25 to 60 %
 * more messages than one on a machine with two cores, PostgreSQL and RabbitMQ included.
 */
export const LANE_COUNT = 2;
const RETRY_PAUSE_MILLIS = 250;
const RETRY_PAUSE_MILLIS_MAX = 2_000;
/** How often to look whether the broker is connected, which takes no round trip. */
const BROKER_LOOK_MILLIS = 200;

/** What is logged with an event. */
interface Details {
  readonly reason?: string;
  readonly returned?: number;
  readonly failed?: number;
  readonly err?: unknown;
}

const KEPT = "The messages are kept and sent later";

/** Makes a flusher; it does nothing before it is run. */
export function createFlusher(options: FlusherOptions): Flusher {
  const { broker, outbox, burstCount, periodSeconds, log, metrics } = options;
  const wakeup = createWakeup();
  const problems = createProblemLog(log, { outbox });

  async function flush(): Promise<BurstOutcome> {
    const startedAt = performance.now();
    const outcome = await flushBurst(options);
    const seconds = (performance.now() - startedAt) / 1000;
    if (outcome.claimed > 0) metrics?.burst(outbox, outcome.sent, seconds, outcome.oldestAgeSeconds);
    if (outcome.returned > 0) metrics?.returned(outbox, outcome.returned);
    if (outcome.dropped > 0)
      log.info({ outbox, count: outcome.dropped }, "Deleted messages of the other half of a split");
    return outcome;
  }

  /** Sends a burst, and says what to do next. */
  async function attempt(): Promise<"next" | "wait" | "pause"> {
    try {
      const { claimed, returned, failed } = await flush();
      if (returned > 0) hold("warn", `The broker returns messages: no queue is bound. ${KEPT}`, { returned });
      if (failed > 0) {
        const reason = broker.refusalReason(OUTGOING_EXCHANGE);
        hold("warn", `The broker does not confirm messages. ${KEPT}`, { failed, ...(reason && { reason }) });
      }
      if (returned + failed > 0) return "pause";
      return claimed === burstCount ? "next" : "wait";
    } catch (error) {
      if (error instanceof ForeignOutboxRowError) throw error;
      const { message: reason } = error as Error;
      if (error instanceof DatabaseWentBackError) {
        hold("error", reason, {});
        metrics?.forbidden?.(outbox, true);
      } else if (error instanceof StreamUnreadableError) hold("warn", `The broker cannot be read. ${KEPT}`, { reason });
      else if (error instanceof DatabaseUnavailableError) {
        hold("warn", `The database cannot be used. ${KEPT}`, { reason });
      } else hold("error", `Messages cannot be sent. ${KEPT}`, { reason, err: error });
      return "pause";
    }
  }

  /** Says that nothing is sent, and why. */
  function hold(level: "warn" | "error", event: string, details: Details): void {
    problems.report(level, event, details);
    options.health?.report(`outbox ${outbox}`, details.reason ?? event);
  }

  /** Sends bursts for as long as they are full. */
  async function attemptWhileFull(signal: AbortSignal): Promise<"wait" | "pause"> {
    for (;;) {
      const next = await attempt();
      if (next !== "next") return next;
      if (signal.aborted) return "wait";
    }
  }

  /** As soon as a burst has been full, one burst is published while another is claimed or deleted. */
  async function attemptAll(signal: AbortSignal): Promise<"wait" | "pause"> {
    const next = await attempt();
    if (next !== "next") return next;
    const lanes = await Promise.allSettled(Array.from({ length: LANE_COUNT }, () => attemptWhileFull(signal)));
    const failure = lanes.find((lane) => lane.status === "rejected");
    if (failure) throw failure.reason;
    return lanes.some((lane) => lane.status === "fulfilled" && lane.value === "pause") ? "pause" : "wait";
  }

  return {
    runOnce: async () => {
      const { sent, dropped } = await flush();
      return sent + dropped;
    },
    run: async (signal) => {
      const backoff = createBackoff({ minMillis: RETRY_PAUSE_MILLIS, maxMillis: RETRY_PAUSE_MILLIS_MAX });
      while (!signal.aborted) {
        if (!broker.isConnected()) {
          await pause(BROKER_LOOK_MILLIS, signal); // The connection logs why the broker is unavailable.
          continue;
        }
        const next = await attemptAll(signal);
        if (next === "pause") {
          // No notification ends this pause: writers know nothing of the broker.
          await pause(backoff.nextMillis(), signal);
          continue;
        }
        problems.end("Messages are sent again");
        options.health?.report(`outbox ${outbox}`, undefined);
        metrics?.forbidden?.(outbox, false);
        backoff.reset();
        await wakeup.wait(periodSeconds * 1000, signal); // Not long when something was written while we looked.
      }
    },
    wake: wakeup.notify,
  };
}
