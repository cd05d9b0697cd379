/** Whether the accounting authority has the debtors' accounts. */
import type { Pool } from "../../src/database/database.ts";
import { waitFor } from "./wait.ts";

/**
 * Waits until the configuration of every debtor has taken effect. A transfer that is made before may overtake the message
 * that opens the account, and then fails.
 */
export async function untilConfigured(pool: Pool, options: Parameters<typeof waitFor>[1] = {}): Promise<void> {
  const text = "select from debtor where not (is_config_effectual and has_server_account)";
  await waitFor(async () => (await pool.many({ name: "", text })).length === 0, {
    what: "the debtors to be configured",
    ...options,
  });
}
