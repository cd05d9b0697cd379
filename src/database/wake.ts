/**
 * Waking the flushers of other processes by NOTIFY. The notification is a statement of its own: within a writing
 * transaction it would make all of them commit one after the other, since PostgreSQL locks the queue of notifications.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { createBackoff, pause } from "../runtime/backoff.ts";
import type { Pool } from "./database.ts";
import { connectOnce } from "./sessions.ts";

const CHANNEL = "swpt_debtors_outbox";
/** No more than one notification in this time, however many callers there are. */
const NOTIFY_MILLIS_MIN = 5;
const RECONNECT_MILLIS = 250;
const RECONNECT_MILLIS_MAX = 2_000;
/** How often the server is asked whether it is still there. */
const SIGN_OF_LIFE_MILLIS = 5_000;

/** What is under way for a pool: a notification, and whether another one is wanted after it. */
const wanted = new WeakMap<Pool, { isWanted: boolean }>();

/**
 * Tells the flushers of all processes that something was written. Returns at once. A call during a notification, or
 * shortly after it, shares the next one. While the database is unavailable there are no notifications: the flushers poll after
 * a while. For `afterCommit`.
 */
export function wakeFlushers(pool: Pool): void {
  const state = wanted.get(pool);
  if (state !== undefined) {
    state.isWanted = true;
    return;
  }
  void notify(pool);
}

async function notify(pool: Pool): Promise<void> {
  const state = { isWanted: true };
  wanted.set(pool, state);
  while (state.isWanted) {
    state.isWanted = false;
    await pool.run({ name: "notify_flushers", text: `select pg_notify('${CHANNEL}', '')` }).catch(() => {});
    await sleep(NOTIFY_MILLIS_MIN);
  }
  wanted.delete(pool);
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
  const backoff = createBackoff({ minMillis: RECONNECT_MILLIS, maxMillis: RECONNECT_MILLIS_MAX });
  while (!signal.aborted) {
    const connectedMillis = await listenOnce(url, onWake, signal).catch((error: unknown) => {
      log.info({ reason: (error as Error).message }, "Cannot listen for wake-ups: looking every FLUSH_PERIOD only");
      return 0;
    });
    if (connectedMillis > RECONNECT_MILLIS_MAX) backoff.reset();
    await pause(backoff.nextMillis(), signal);
  }
}

/** Listens until the connection is lost or the signal aborts. Resolves to how many milliseconds the connection lasted. */
async function listenOnce(url: string, onWake: () => void, signal: AbortSignal): Promise<number> {
  const client = await connectOnce(url, "swpt-debtors wake-ups");
  const lost = new AbortController();
  client.on("error", () => lost.abort());
  client.on("end", () => lost.abort());
  client.on("notification", onWake);
  const end = AbortSignal.any([lost.signal, signal]);
  try {
    await client.query(`listen ${CHANNEL}`);
    const since = performance.now();
    onWake();
    while (!end.aborted) {
      await pause(SIGN_OF_LIFE_MILLIS, end);
      // The connection to a server that hangs stands.
      if (!end.aborted) await client.query("select 1").catch(() => lost.abort());
    }
    return performance.now() - since;
  } finally {
    client.removeListener("notification", onWake);
    await client.end().catch(() => {});
  }
}
