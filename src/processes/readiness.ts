/** Whether a process can do its work at this moment. */
import type { Broker } from "../broker/broker.ts";
import { DatabaseUnavailableError, type Pool } from "../database/database.ts";
import { findSchemaProblem } from "../database/migrations.ts";
import { assertWritable } from "../database/writability.ts";
import { pause } from "../runtime/backoff.ts";
import type { Health } from "../runtime/health.ts";
import { abandonWhenAborted } from "../runtime/lifetime.ts";
import type { Logger } from "../runtime/log.ts";
import { PROGRESS_MILLIS } from "../runtime/startup.ts";

const SCHEMA_POLL_MILLIS = 1_000;

/** What keeps a process from its work, in words; a process that needs no broker gives none. */
export async function checkReadiness(pool: Pool, broker?: Broker, health?: Health): Promise<string[]> {
  const reasons = [
    (await checkDatabase(pool)) ?? (await checkWritable(pool)),
    broker?.unavailableReason(),
    ...(health?.reasons() ?? []),
  ];
  return [...new Set(reasons.filter((reason) => reason !== undefined))];
}

/** Waits until the schema is at this program's version, and says so when it has to wait. */
export async function untilSchemaIsCurrent(pool: Pool, log: Logger, signal: AbortSignal): Promise<void> {
  const progress = setTimeout(() => log.warn("Still waiting for the database"), PROGRESS_MILLIS);
  let reported: string | undefined;
  try {
    while (!signal.aborted) {
      // An attempt to connect may last as long as `connect_timeout` says.
      const reason = await abandonWhenAborted(checkDatabase(pool), signal);
      clearTimeout(progress);
      if (reason === undefined) return;
      if (reason !== reported) log.warn(`Waiting: ${reason}`);
      reported = reason;
      await pause(SCHEMA_POLL_MILLIS, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearTimeout(progress);
  }
}

async function checkDatabase(pool: Pool): Promise<string | undefined> {
  try {
    return await findSchemaProblem(pool);
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) return error.message;
    throw error;
  }
}

/** A standby, or a database that is read-only by default: nothing that the program is for can be done. */
async function checkWritable(pool: Pool): Promise<string | undefined> {
  try {
    await pool.transaction(assertWritable);
    return undefined;
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) return error.message;
    throw error;
  }
}
