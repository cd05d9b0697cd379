/** The views of transfers. Spec: http-api, "transfers". */
import type { RunningTransfer } from "../../domain/running-transfer.ts";
import { formatTimestamp, MICROS_PER_SECOND, plusSeconds, type Timestamp } from "../../values/timestamp.ts";
import type { Uuid } from "../../values/uuid.ts";
import { compileSerializer } from "../schemas/serialization.ts";
import * as schemas from "../schemas/transfers.ts";
import { debtorUri, transfersUri, transferUri } from "./uris.ts";

const writeTransfer = compileSerializer(schemas.Transfer);
const writeTransfersList = compileSerializer(schemas.TransfersList);

/** The JSON text of a `Transfer`. `finalizationSeconds` is the usual duration of a transfer. */
export function viewTransfer(transfer: RunningTransfer, finalizationSeconds: number, now: Timestamp): string {
  return writeTransfer({
    type: "Transfer",
    uri: transferUri(transfer.debtorId, transfer.transferUuid),
    transferUuid: transfer.transferUuid,
    transfersList: { uri: transfersUri(transfer.debtorId) },
    recipient: { type: "AccountIdentity", uri: transfer.recipientUri },
    amount: transfer.amount,
    noteFormat: transfer.transferNoteFormat,
    note: transfer.transferNote,
    initiatedAt: formatTimestamp(transfer.initiatedAt),
    checkupAt:
      transfer.finalizedAt === null ? formatTimestamp(checkupAt(transfer, finalizationSeconds, now)) : undefined,
    result: transfer.finalizedAt === null ? undefined : resultOf(transfer, transfer.finalizedAt),
  });
}

/** A transfer is expected to take as long again as it has taken so far, but not less than the usual duration. */
function checkupAt({ initiatedAt }: RunningTransfer, finalizationSeconds: number, now: Timestamp): Timestamp {
  const ageSeconds = Number(now - initiatedAt) / Number(MICROS_PER_SECOND);
  return plusSeconds(now, Math.max(ageSeconds, finalizationSeconds));
}

function resultOf(transfer: RunningTransfer, finalizedAt: Timestamp) {
  const { amount, errorCode, totalLockedAmount } = transfer;
  const result = { type: "TransferResult", finalizedAt: formatTimestamp(finalizedAt) } as const;
  if (errorCode === null) return { ...result, committedAmount: amount };
  const isAmountShown = errorCode === "INSUFFICIENT_AVAILABLE_AMOUNT" && totalLockedAmount !== null;
  const error = {
    type: "TransferError",
    errorCode,
    totalLockedAmount: isAmountShown ? totalLockedAmount : undefined,
  } as const;
  return { ...result, committedAmount: 0n, error };
}

/** The JSON text of a `TransfersList`. */
export const viewTransfersList = (debtorId: bigint, uuids: readonly Uuid[]): string =>
  writeTransfersList({
    type: "TransfersList",
    uri: transfersUri(debtorId),
    debtor: { uri: debtorUri(debtorId) },
    itemsType: "ObjectReference",
    items: uuids.map((uuid) => ({ uri: uuid })),
    first: "",
  });
