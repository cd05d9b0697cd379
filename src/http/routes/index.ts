/** The endpoint of each route. A missing one does not compile. */

import * as admin from "./admin.ts";
import * as debtors from "./debtors.ts";
import * as docs from "./docs.ts";
import * as documents from "./documents.ts";
import type { Endpoint } from "./endpoint.ts";
import { checkHealth } from "./health.ts";
import type { OperationId } from "./route-table.ts";
import * as transfers from "./transfers.ts";

export const endpoints: Readonly<Record<OperationId, Endpoint>> = {
  reserveRandomDebtor: admin.reserveRandom,
  getDebtorsList: admin.getDebtorsList,
  getDebtorsPage: admin.getDebtorsPage,
  reserveDebtor: admin.reserve,
  activateDebtor: admin.activate,
  deactivateDebtor: admin.deactivate,
  restrictDebtor: admin.restrict,
  redirectToDebtor: debtors.redirectToOwn,
  getDebtor: debtors.getDebtor,
  getDebtorConfig: debtors.getConfig,
  updateDebtorConfig: debtors.updateConfig,
  getTransfersList: transfers.listTransfers,
  createTransfer: transfers.create,
  getTransfer: transfers.getTransfer,
  cancelTransfer: transfers.cancel,
  deleteTransfer: transfers.remove,
  redirectToDebtorsInfo: documents.redirectToInfo,
  saveDocument: documents.save,
  getDocument: documents.getDocument,
  checkHealth,
  getReference: docs.getReference,
  getOpenApiDocument: docs.getOpenApiDocument,
  getSwaggerUi: docs.getSwaggerUi,
  getSwaggerUiAsset: docs.getSwaggerUiAsset,
};
