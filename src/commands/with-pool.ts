/** A connection to the database for a command that does one thing and ends. */
import { DatabaseUnavailable, openPool, type Pool } from "../database/database.ts";
import { SchemaRefused } from "../database/migrations.ts";
import { CommandFailure } from "../runtime/command-failure.ts";
import { redact } from "../runtime/log.ts";

export interface WithPoolOptions {
  readonly url: string;
  readonly command: string;
  readonly statementTimeoutMillis?: number;
}

/** Does the work and closes the pool. Throws a CommandFailure when the database is away or is not for us. */
export async function withPool<Result>(
  { url, command, ...options }: WithPoolOptions,
  work: (pool: Pool) => Promise<Result>,
): Promise<Result> {
  const pool = openPool({ url, size: 2, applicationName: `swpt_debtors ${command}`, ...options });
  try {
    return await work(pool);
  } catch (error) {
    if (error instanceof SchemaRefused) throw new CommandFailure(error.message, { cause: error });
    if (error instanceof DatabaseUnavailable) throw new CommandFailure(explain(error), { cause: error });
    throw error;
  } finally {
    await pool.close();
  }
}

function explain(error: DatabaseUnavailable): string {
  const { cause } = error;
  const reason = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : undefined;
  return redact(`The database cannot be reached${reason === undefined ? "" : `: ${reason}`}.`);
}
