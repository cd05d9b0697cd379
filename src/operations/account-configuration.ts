/** What a debtor does with its configuration. Spec: http-api, "debtors". */
import type { Pool } from "../database/database.ts";
import { lockDebtors, updateDebtor } from "../database/debtors.ts";
import { recordMessages } from "../database/outbox.ts";
import { type ConfigurationUpdate, decideConfigurationUpdate } from "../domain/account-configuration.ts";
import type { Debtor } from "../domain/debtor.ts";
import { now } from "../values/timestamp.ts";
import { OperationError } from "./operation-error.ts";

/**
 * Updates the configuration; a repetition changes nothing, but is counted. Rejected with DEBTOR_NOT_ACTIVE,
 * TOO_MANY_ACTIONS, or UPDATE_CONFLICT when the update is not the next one, checked in this order.
 */
export function updateConfiguration(
  pool: Pool,
  { actionsPerMonthMax }: { readonly actionsPerMonthMax: number },
  { debtorId, ...update }: ConfigurationUpdate & { readonly debtorId: bigint },
): Promise<Debtor> {
  return pool.transaction(async (tx) => {
    const [debtor] = await lockDebtors(tx, [debtorId]);
    const decision = decideConfigurationUpdate(debtor, update, actionsPerMonthMax, now());
    if (decision.action === "reject") throw new OperationError(decision.code);
    updateDebtor(tx, decision.debtor);
    if (decision.action === "configure") recordMessages(tx, "configure_account", [decision.message]);
    return decision.debtor;
  });
}
