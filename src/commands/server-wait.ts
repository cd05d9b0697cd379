/** Waiting for a server that starts a little later than the command that needs it. */
import { describeBrokerProblem } from "../broker/broker-problem.ts";
import type { Config } from "../config.ts";
import { DatabaseUnavailableError, UnsuitableDatabaseError } from "../database/errors.ts";
import { pause } from "../runtime/backoff.ts";
import { CommandError } from "../runtime/command-error.ts";
import { abandonWhenAborted } from "../runtime/lifetime.ts";
import { createLogger } from "../runtime/log.ts";
import { PROGRESS_MILLIS } from "../runtime/startup.ts";

/** How long a server may be unavailable. */
export interface ServerWait {
  /** 0 for one try only. */
  readonly waitMillis: number;
  /** Ends the wait: the work is abandoned, and a CommandError thrown. */
  readonly signal: AbortSignal;
  /** Called with a line for the operator when the first try has failed, or takes long. */
  readonly onWait: (line: string) => void;
}

/** For a command that tries once, and says when the server takes long. */
export function oneTry(command: string, config: Config, signal: AbortSignal): ServerWait {
  const log = createLogger({ ...config.log, command });
  return { waitMillis: 0, signal, onWait: (line) => log.warn(line) };
}

/** Tries until the database is up; then, or when the time is over, gives or throws what the last try gave or threw. */
export const whenDatabaseIsUp = <Result>(work: () => Promise<Result>, wait: ServerWait): Promise<Result> =>
  whenUp("the database", work, describeOutage, wait);

/** The same with the broker. */
export const whenBrokerIsUp = <Result>(work: () => Promise<Result>, wait: ServerWait): Promise<Result> =>
  whenUp(
    "the broker",
    work,
    (error) => (isBrokerAway(error) ? describeBrokerProblem(error as Error) : undefined),
    wait,
  );

const RETRY_PAUSE_MILLIS = 500;

async function whenUp<Result>(
  server: string,
  work: () => Promise<Result>,
  describeAbsence: (error: unknown) => string | undefined,
  { waitMillis, signal, onWait }: ServerWait,
): Promise<Result> {
  const deadline = performance.now() + waitMillis;
  const stopped = (): CommandError => new CommandError(`Stopped before ${server} answered.`);
  const progress = setTimeout(() => onWait(`Still waiting for ${server}`), PROGRESS_MILLIS);
  try {
    for (let isFirst = true; ; isFirst = false) {
      try {
        return await abandonWhenAborted(work(), signal, stopped);
      } catch (error) {
        const reason = describeAbsence(error);
        if (reason === undefined || performance.now() >= deadline) throw error;
        if (isFirst) onWait(`Waiting: ${reason}`);
      }
      clearTimeout(progress);
      await pause(RETRY_PAUSE_MILLIS, signal);
    }
  } finally {
    clearTimeout(progress);
  }
}

/** `undefined` when it is not an outage, or waiting is of no use. */
const describeOutage = (error: unknown): string | undefined =>
  error instanceof DatabaseUnavailableError && !(error instanceof UnsuitableDatabaseError) ? error.message : undefined;

/** The operating system refused, or a broker that is starting hung up. A running broker rejects with an AMQP error instead. */
function isBrokerAway(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message: string };
  return typeof code === "string" || /ETIMEDOUT|Socket closed|Unexpected close/.test(message);
}
