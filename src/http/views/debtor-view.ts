/** The views of debtors. Spec: http-api, "admin" and "debtors". */
import type { Debtor } from "../../domain/debtor.ts";
import { formatUnsigned } from "../../values/int64.ts";
import { formatAccountUri, formatDebtorUri } from "../../values/swpt-uri.ts";
import { formatTimestamp, plusSeconds } from "../../values/timestamp.ts";
import * as schemas from "../schemas/debtors.ts";
import { compileSerializer } from "../schemas/serialization.ts";
import { configUri, debtorUri, documentsUri, publicInfoUri, transfersUri } from "./uris.ts";

const SECONDS_PER_DAY = 86_400;

const writeDebtor = compileSerializer(schemas.Debtor);
const writeDebtorConfig = compileSerializer(schemas.DebtorConfig);
const writeReservation = compileSerializer(schemas.DebtorReservation);

/** The JSON text of a `Debtor`. */
export function viewDebtor(debtor: Debtor): string {
  const { debtorId, accountId } = debtor;
  const uri = debtorUri(debtorId);
  const transfers = { uri: transfersUri(debtorId) };
  return writeDebtor({
    type: "Debtor",
    uri,
    identity: { type: "DebtorIdentity", uri: formatDebtorUri(debtorId) },
    config: configOf(debtor),
    transfersList: transfers,
    createTransfer: transfers,
    saveDocument: { uri: documentsUri(debtorId) },
    publicInfoDocument: { uri: publicInfoUri(debtorId) },
    createdAt: formatTimestamp(debtor.createdAt),
    balance: debtor.balance,
    minBalance: debtor.minBalance,
    noteMaxBytes: debtor.transferNoteMaxBytes,
    configError: debtor.configError ?? undefined,
    account: accountId === "" ? undefined : { type: "AccountIdentity", uri: formatAccountUri({ debtorId, accountId }) },
  });
}

/** The JSON text of a `DebtorConfig`. */
export const viewDebtorConfig = (debtor: Debtor): string => writeDebtorConfig(configOf(debtor));

const configOf = (debtor: Debtor): schemas.DebtorConfig => ({
  type: "DebtorConfig",
  uri: configUri(debtor.debtorId),
  debtor: { uri: debtorUri(debtor.debtorId) },
  configData: debtor.configData,
  latestUpdateId: debtor.configLatestUpdateId,
  latestUpdateAt: formatTimestamp(debtor.lastConfigTs),
});

/** The JSON text of a `DebtorReservation`. */
export const viewReservation = (debtor: Debtor, retentionDays: number): string =>
  writeReservation({
    type: "DebtorReservation",
    createdAt: formatTimestamp(debtor.createdAt),
    reservationId: String(debtor.reservationId),
    debtorId: formatUnsigned(debtor.debtorId),
    validUntil: formatTimestamp(plusSeconds(debtor.createdAt, retentionDays * SECONDS_PER_DAY)),
  });
