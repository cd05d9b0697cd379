/** Waiting for a server that comes up a little later than the command that needs it. */
import { DatabaseUnavailableError } from "../database/database.ts";
import { pause } from "../runtime/backoff.ts";

/** How long a server may be away. */
export interface ServerWait {
  /** 0 for one try only. */
  readonly waitMillis: number;
  readonly signal: AbortSignal;
  /** Called once, when the first try has failed. */
  readonly onWait: () => void;
}

/** Tries until the database is there; then, or when the time is over, gives or throws what the last try gave or threw. */
export const whenDatabaseIsUp = <Result>(work: () => Promise<Result>, wait: ServerWait): Promise<Result> =>
  whenUp(work, (error) => error instanceof DatabaseUnavailableError, wait);

/** The same with the broker. */
export const whenBrokerIsUp = <Result>(work: () => Promise<Result>, wait: ServerWait): Promise<Result> =>
  whenUp(work, isBrokerAway, wait);

const RETRY_PAUSE_MILLIS = 500;

async function whenUp<Result>(
  work: () => Promise<Result>,
  isAway: (error: unknown) => boolean,
  { waitMillis, signal, onWait }: ServerWait,
): Promise<Result> {
  const deadline = performance.now() + waitMillis;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || performance.now() >= deadline || signal.aborted) throw error;
    }
    if (isFirst) onWait();
    await pause(RETRY_PAUSE_MILLIS, signal);
  }
}

/** Refused by the operating system, or hung up on by a broker that is starting. One that is there refuses in other words. */
function isBrokerAway(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message: string };
  return typeof code === "string" || /ETIMEDOUT|Socket closed|Unexpected close/.test(message);
}
