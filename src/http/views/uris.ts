/** The paths of objects. Spec: http-api, "URLs in answers". All of them have only characters that are safe in a header. */
import { formatUnsigned } from "../../values/int64.ts";
import type { Uuid } from "../../values/uuid.ts";

export const debtorUri = (debtorId: bigint): string => `/debtors/${formatUnsigned(debtorId)}/`;
export const configUri = (debtorId: bigint): string => `${debtorUri(debtorId)}config`;
export const transfersUri = (debtorId: bigint): string => `${debtorUri(debtorId)}transfers/`;
export const transferUri = (debtorId: bigint, uuid: Uuid): string => `${transfersUri(debtorId)}${uuid}`;
export const documentsUri = (debtorId: bigint): string => `${debtorUri(debtorId)}documents/`;
export const documentUri = (debtorId: bigint, documentId: bigint): string =>
  `${documentsUri(debtorId)}${formatUnsigned(documentId)}/public`;
export const publicInfoUri = (debtorId: bigint): string => `${debtorUri(debtorId)}public`;
export const debtorsPageUri = (fromDebtorId: bigint): string => `${debtorUri(fromDebtorId)}enumerate`;
