/** A connection to the database for a command that does one thing and ends. */
import { DatabaseUnavailableError, openPool, type Pool } from "../database/database.ts";
import { SchemaError } from "../database/migrations.ts";
import { pause } from "../runtime/backoff.ts";
import { CommandError } from "../runtime/command-error.ts";
import { redact } from "../runtime/log.ts";

export interface WithPoolOptions {
  readonly url: string;
  readonly command: string;
  readonly statementTimeoutMillis?: number;
}

const CLOSE_MILLIS_MAX = 1_500;

/** Does the work and closes the pool. Throws a CommandError when the database cannot be used. */
export async function withPool<Result>(
  { url, command, ...options }: WithPoolOptions,
  work: (pool: Pool) => Promise<Result>,
): Promise<Result> {
  const pool = openPool({ url, size: 2, applicationName: `swpt_debtors ${command}`, ...options });
  try {
    return await work(pool);
  } catch (error) {
    if (error instanceof SchemaError) throw new CommandError(error.message, { cause: error });
    if (error instanceof DatabaseUnavailableError)
      throw new CommandError(redact(`${error.message}.`), { cause: error });
    throw error;
  } finally {
    // What was abandoned at a signal may still be under way.
    await Promise.race([pool.close(), pause(CLOSE_MILLIS_MAX, new AbortController().signal)]);
  }
}
