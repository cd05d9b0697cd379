/** What a debtor does with its configuration. Spec: http-api, "debtors". */
import type { Pool } from "../database/database.ts";
import { lockDebtors, updateDebtor } from "../database/debtors.ts";
import { recordConfigureAccounts } from "../database/outbox.ts";
import { type ConfigurationUpdate, decideConfigurationUpdate } from "../domain/account-configuration.ts";
import type { Debtor } from "../domain/debtor.ts";
import { now } from "../values/timestamp.ts";
import { OperationError } from "./operation-error.ts";

/**
 * Updates the configuration; a repetition changes nothing, but is counted. Refuses with DEBTOR_NOT_ACTIVE,
 * TOO_MANY_ACTIONS, or UPDATE_CONFLICT when the update is not the next one, checked in this order.
 */
export function updateConfiguration(
  pool: Pool,
  { actionsPerMonthMax }: { readonly actionsPerMonthMax: number },
  { debtorId, ...update }: ConfigurationUpdate & { readonly debtorId: bigint },
): Promise<Debtor> {
  return pool.transaction(async (db) => {
    const [debtor] = await lockDebtors(db, [debtorId]);
    const verdict = decideConfigurationUpdate(debtor, update, actionsPerMonthMax, now());
    if (verdict.action === "refuse") throw new OperationError(verdict.code);
    void updateDebtor(db, verdict.debtor);
    if (verdict.action === "configure") void recordConfigureAccounts(db, [verdict.message]);
    return verdict.debtor;
  });
}
