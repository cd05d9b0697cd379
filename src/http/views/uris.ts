/** The paths of objects. Spec: http-api, "URLs in answers". They have only characters that are safe in a header. */
import { formatUnsigned } from "../../values/int64.ts";
import type { Uuid } from "../../values/uuid.ts";

/** `/debtors/{debtorId}/` */
export const debtorUri = (debtorId: bigint): string => `/debtors/${formatUnsigned(debtorId)}/`;

/** `/debtors/{debtorId}/config` */
export const configUri = (debtorId: bigint): string => `${debtorUri(debtorId)}config`;

/** `/debtors/{debtorId}/transfers/` */
export const transfersUri = (debtorId: bigint): string => `${debtorUri(debtorId)}transfers/`;

/** `/debtors/{debtorId}/transfers/{transferUuid}` */
export const transferUri = (debtorId: bigint, uuid: Uuid): string => `${transfersUri(debtorId)}${uuid}`;

/** `/debtors/{debtorId}/documents/` */
export const documentsUri = (debtorId: bigint): string => `${debtorUri(debtorId)}documents/`;

/** `/debtors/{debtorId}/documents/{documentId}/public` */
export const documentUri = (debtorId: bigint, documentId: bigint): string =>
  `${documentsUri(debtorId)}${formatUnsigned(documentId)}/public`;

/** `/debtors/{debtorId}/public` */
export const publicInfoUri = (debtorId: bigint): string => `${debtorUri(debtorId)}public`;

/** `/debtors/{debtorId}/enumerate` */
export const debtorsPageUri = (fromDebtorId: bigint): string => `${debtorUri(fromDebtorId)}enumerate`;
