/** Whether the database can be written. */
import type { Transaction } from "./database.ts";
import { readOnlyError } from "./errors.ts";

/** Throws a DatabaseUnavailableError for a standby, and where transactions are read-only by default. */
export async function assertWritable(tx: Transaction): Promise<void> {
  const row = await tx.maybeOne<{ isReadOnly: boolean }>({
    name: "is_read_only",
    text: `select current_setting('transaction_read_only')::boolean as "isReadOnly"`,
  });
  // A default is that of the session: after the error its connection is replaced.
  if (row!.isReadOnly) throw readOnlyError("transactions are read-only");
}
