/** What the server says of transfers, brought together with what is stored here. */
import type { ApiTransfer } from "../api/objects.ts";
import { parseMoment } from "../core/moments.ts";
import { readNote } from "../core/notes.ts";
import type { Context } from "./context.ts";
import type { PaymentRecord, TransferRecord } from "./types.ts";

/** The address of a transfer. */
export const transferUrl = (context: Context, uuid: string): string => new URL(uuid, context.debtor!.transfersUri).href;

/** A payment after its transfer was read. A result that is known does not change any more. */
export function withTransfer(
  payment: PaymentRecord | undefined,
  { uuid, ...read }: ApiTransfer,
  debtor: string,
): PaymentRecord {
  const known = payment?.transfer;
  const transfer: TransferRecord = {
    ...read,
    // The server moves it on with each answer: the first one says from when cancelling makes sense.
    checkupAt: read.result === undefined ? (known?.checkupAt ?? read.checkupAt) : undefined,
    result: known?.result ?? read.result,
  };
  if (payment !== undefined) return { ...payment, transfer, isTryOpen: false, refusal: undefined, isGone: false };
  return {
    debtor,
    uuid,
    origin: "elsewhere",
    createdAt: parseMoment(transfer.initiatedAt) ?? 0,
    revision: 0,
    order: {
      accountUri: transfer.recipientUri,
      ...readNote(transfer.noteFormat, transfer.note),
      amount: transfer.amount,
      deadline: "",
    },
    chosenAmount: 0n,
    batchId: undefined,
    templateId: undefined,
    retryOf: undefined,
    request: undefined,
    firstTryAt: undefined,
    lastTryAt: undefined,
    isTryOpen: false,
    refusal: undefined,
    transfer,
    isGone: false,
    dismissedAt: undefined,
  };
}

/** Stores a transfer of `debtor` that was read: see `storeTransfers`. */
export async function storeTransfer(
  context: Context,
  read: ApiTransfer,
  debtor: string,
): Promise<PaymentRecord | undefined | "not-stored"> {
  const stored = await storeTransfers(context, [read], debtor);
  return stored === "not-stored" ? stored : stored[0];
}

/**
 * Stores transfers of `debtor` that were read, in one transaction, and emits an event for each payment that has ended by it.
 * Another user may have signed in since the requests: late answers are stored under the debtor that they belong to.
 */
export async function storeTransfers(
  context: Context,
  reads: readonly ApiTransfer[],
  debtor: string,
): Promise<(PaymentRecord | undefined)[] | "not-stored"> {
  const byUuid = new Map(reads.map((read) => [read.uuid, read]));
  const ended: string[] = [];
  const taken: string[] = [];
  const change = (before: PaymentRecord | undefined, uuid: string): PaymentRecord | undefined => {
    // The user has signed out since, and may have had everything deleted: add nothing.
    if (before === undefined && context.records.debtor.value !== debtor) return undefined;
    const after = withTransfer(before, byUuid.get(uuid)!, debtor);
    if (before !== undefined && before.transfer === undefined) taken.push(uuid);
    if (before !== undefined && before.transfer?.result === undefined && after.transfer?.result !== undefined)
      ended.push(uuid);
    return before !== undefined && isSame(before, after) ? undefined : after;
  };
  const payments = await context.records.changePayments(debtor, [...byUuid.keys()], change);
  if (payments === "not-stored") return payments;
  for (const payment of payments) {
    if (payment !== undefined && taken.includes(payment.uuid)) context.emit({ kind: "payment-taken", payment });
    if (payment === undefined || !ended.includes(payment.uuid)) continue;
    // The journal is about what was done on this device.
    if (payment.origin !== "elsewhere") {
      await context.log("payment", payment.transfer!.result!.error === undefined ? "done" : "failed", payment.uuid);
    }
    context.emit({ kind: "payment-ended", uuid: payment.uuid });
  }
  return payments;
}

const isSame = (a: PaymentRecord, b: PaymentRecord): boolean =>
  !a.isTryOpen &&
  a.refusal === undefined &&
  !a.isGone &&
  a.transfer !== undefined &&
  (a.transfer.result !== undefined || b.transfer?.result === undefined) &&
  a.transfer.checkupAt === b.transfer?.checkupAt;

/** Marks payments whose transfers are not at the server any more. */
export const storeGone = (context: Context, uuids: readonly string[], debtor: string): Promise<unknown> =>
  context.records.changePayments(debtor, uuids, (payment) =>
    payment?.transfer === undefined || payment.isGone ? undefined : { ...payment, isGone: true },
  );
