/**
 * Waking the flushers of other processes by NOTIFY. The notification is a statement of its own: within a writing
 * transaction it would make all of them commit one after the other, since PostgreSQL locks the queue of notifications.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "pino";
import type { Database } from "./database.ts";

const CHANNEL = "swpt_debtors_outbox";
/** No more than one notification in this time, however many callers there are. */
const NOTIFY_MILLIS_MIN = 5;
const CONNECT_TIMEOUT_MILLIS = 5_000;
const RECONNECT_MILLIS = 500;
const RECONNECT_MILLIS_MAX = 30_000;

/** Tells the flushers of all processes that there is something to send. */
export interface Waker {
  /**
   * Tells all listeners that something was written. Returns at once. A call during a notification, or shortly after it,
   * shares the next one. When the database is away nobody is told: the flushers look on their own after a while.
   */
  wake(): void;
  /** Waits for the notification under way. */
  close(): Promise<void>;
}

/** Makes a waker that shares the connections of the pool. */
export function createWaker(db: Database): Waker {
  let isWanted = false;
  let isClosed = false;
  let underWay: Promise<void> | undefined;

  async function notify(): Promise<void> {
    while (isWanted && !isClosed) {
      isWanted = false;
      await db.run({ name: "notify_flushers", text: `select pg_notify('${CHANNEL}', '')` }).catch(() => {});
      await sleep(NOTIFY_MILLIS_MIN);
    }
    underWay = undefined;
  }

  return {
    wake: () => {
      isWanted = true;
      underWay ??= notify();
    },
    close: async () => {
      isClosed = true;
      await underWay;
    },
  };
}

export interface ListenOptions {
  readonly url: string;
  /** Something was written; also called when something may have been missed. */
  readonly onWake: () => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Listens on a connection of its own until the signal aborts. Connects again when the connection is lost. */
export async function listenForWakes({ url, onWake, log, signal }: ListenOptions): Promise<void> {
  let pauseMillis = RECONNECT_MILLIS;
  while (!signal.aborted) {
    const connectedMillis = await listenOnce(url, onWake, signal).catch((error: unknown) => {
      log.info({ reason: (error as Error).message }, "Cannot listen for wake-ups: looking every FLUSH_PERIOD only");
      return 0;
    });
    if (connectedMillis > RECONNECT_MILLIS_MAX) pauseMillis = RECONNECT_MILLIS;
    await sleep(pauseMillis, undefined, { signal }).catch(() => {});
    pauseMillis = Math.min(pauseMillis * 2, RECONNECT_MILLIS_MAX);
  }
}

/** Listens until the connection is lost or the signal aborts. Resolves to how long it stood. */
async function listenOnce(url: string, onWake: () => void, signal: AbortSignal): Promise<number> {
  const client = new pg.Client({
    connectionString: url,
    application_name: "swpt-debtors wake-ups",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLIS,
    keepAlive: true,
  });
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  client.on("error", () => end());
  client.on("end", () => end());
  client.on("notification", onWake);
  const onAbort = (): void => end();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await client.connect();
    await client.query(`listen ${CHANNEL}`);
    const since = performance.now();
    onWake();
    if (!signal.aborted) await ended;
    return performance.now() - since;
  } finally {
    signal.removeEventListener("abort", onAbort);
    client.removeListener("notification", onWake);
    await client.end().catch(() => {});
  }
}
