/** The routes of superusers and supervisors. Spec: http-api, "admin". */
import { listActiveDebtorIds } from "../../database/debtors.ts";
import {
  activateNewDebtor,
  activateReservedDebtor,
  deactivateDebtor,
  reserveDebtor,
  reserveRandomDebtor,
  restrictDebtor,
} from "../../operations/debtors.ts";
import { isResponsible } from "../../values/shard.ts";
import { jsonAnswer, noContent } from "../response/answer.ts";
import {
  DebtorActivationRequest,
  DebtorDeactivationRequest,
  DebtorReservationRequest,
  DebtorRestrictionRequest,
} from "../schemas/debtors.ts";
import { viewDebtor, viewReservation } from "../views/debtor-view.ts";
import { debtorsListView, viewDebtorsPage } from "../views/debtors-list-view.ts";
import { withJson, withoutBody } from "./endpoint.ts";

export const reserveRandom = withJson(DebtorReservationRequest, async ({ pool, realm, limits }) => {
  const debtor = await reserveRandomDebtor(pool, realm);
  return jsonAnswer(200, viewReservation(debtor, limits.inactiveDebtorRetentionDays));
});

export const getDebtorsList = withoutBody(() => jsonAnswer(200, debtorsListView));

/** Debtors of other shards are left out, so that a page may be short or empty without being the last one. */
export const getDebtorsPage = withoutBody(async ({ pool, realm, limits }, { target }) => {
  const pageSize = limits.debtorsPerPage;
  const debtorIds = await listActiveDebtorIds(pool, target.debtorId, pageSize + 1);
  const items = debtorIds.slice(0, pageSize).filter((debtorId) => isResponsible(realm, debtorId));
  return jsonAnswer(200, viewDebtorsPage(`${target.path}?${target.query ?? ""}`, items, debtorIds[pageSize]));
});

export const reserve = withJson(DebtorReservationRequest, async ({ pool, limits }, { target }) => {
  const debtor = await reserveDebtor(pool, target.debtorId);
  return jsonAnswer(200, viewReservation(debtor, limits.inactiveDebtorRetentionDays));
});

export const activate = withJson(DebtorActivationRequest, async ({ pool }, { target }, { reservationId }) => {
  const debtor = await (reservationId === undefined
    ? activateNewDebtor(pool, target.debtorId)
    : activateReservedDebtor(pool, target.debtorId, reservationId));
  return jsonAnswer(200, viewDebtor(debtor));
});

export const deactivate = withJson(DebtorDeactivationRequest, async ({ pool }, { target }) => {
  await deactivateDebtor(pool, target.debtorId);
  return noContent;
});

export const restrict = withJson(DebtorRestrictionRequest, async ({ pool }, { target }, { minBalance }) => {
  const debtor = await restrictDebtor(pool, target.debtorId, minBalance);
  return { ...jsonAnswer(200, viewDebtor(debtor)), audited: { minBalance: String(minBalance) } };
});
