/** The routes of a debtor and its configuration. Spec: http-api, "debtors". */
import { findDebtor } from "../../database/debtors.ts";
import { isActive } from "../../domain/debtor.ts";
import { updateConfiguration } from "../../operations/account-configuration.ts";
import { jsonAnswer, noContent, redirectTo } from "../response/answer.ts";
import { forbidden, notFound } from "../response/errors.ts";
import { DebtorConfigRequest } from "../schemas/debtors.ts";
import { viewDebtor, viewDebtorConfig } from "../views/debtor-view.ts";
import { debtorUri } from "../views/uris.ts";
import { withJson, withoutBody } from "./endpoint.ts";

/** Does not check whether the debtor exists. */
export const redirectToOwn = withoutBody((_context, { caller, baseUrl }) =>
  caller?.kind === "debtor" ? redirectTo(303, `${baseUrl()}${debtorUri(caller.debtorId)}`) : noContent,
);

export const getDebtor = withoutBody(async (context, { target }) => {
  const debtor = await context.findDebtor(target.debtorId);
  if (debtor === undefined || !isActive(debtor)) throw forbidden();
  return jsonAnswer(200, viewDebtor(debtor));
});

export const getConfig = withoutBody(async ({ pool }, { target }) => {
  const debtor = await findDebtor(pool, target.debtorId);
  if (debtor === undefined || !isActive(debtor)) throw notFound();
  return jsonAnswer(200, viewDebtorConfig(debtor));
});

export const updateConfig = withJson(
  DebtorConfigRequest,
  async ({ pool, limits }, { target }, { configData, latestUpdateId }) => {
    const debtor = await updateConfiguration(pool, limits, { debtorId: target.debtorId, configData, latestUpdateId });
    return jsonAnswer(200, viewDebtorConfig(debtor));
  },
);
