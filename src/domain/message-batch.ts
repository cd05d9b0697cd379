/** A batch of messages, judged in order on records in memory: each sees what the ones before it did. */
import type { FinalizedTransfer, IncomingMessage, PreparedTransfer, RejectedTransfer } from "../messages/incoming.ts";
import type { ConfigureAccount, FinalizeTransfer } from "../messages/outgoing.ts";
import type { Timestamp } from "../values/timestamp.ts";
import { decideAccountPurge, decideAccountUpdate, decideRejectedConfig } from "./account-messages.ts";
import { decideActivation } from "./activation.ts";
import { type Debtor, ROOT_CREDITOR_ID } from "./debtor.ts";
import type { RunningTransfer } from "./running-transfer.ts";
import { decideFinalizedTransfer, decidePreparedTransfer, decideRejectedTransfer } from "./transfer-messages.ts";

/** The keys of the records that a batch is about, each once. */
export interface BatchKeys {
  readonly debtorIds: readonly bigint[];
  readonly transferRequests: readonly TransferRequest[];
}

/** How the accounting authority names a transfer. */
export interface TransferRequest {
  readonly coordinatorId: bigint;
  readonly coordinatorRequestId: bigint;
}

/** What a batch leaves to be stored, all of it in one transaction. Only records that have changed. */
export interface BatchOutcome {
  readonly debtors: readonly Debtor[];
  readonly transfers: readonly RunningTransfer[];
  readonly configureAccounts: readonly ConfigureAccount[];
  readonly finalizeTransfers: readonly FinalizeTransfer[];
}

/**
 * Whether the message can have an effect: account messages matter for the debtor's own account only, transfer messages
 * for issuing transfers only. Others are acknowledged and forgotten. Spec: messages, "What each does".
 */
export function canHaveEffect(message: IncomingMessage): boolean {
  if (isAboutTransfer(message)) return message.coordinatorType === "issuing";
  return message.type === "ActivateDebtor" || message.creditorId === ROOT_CREDITOR_ID;
}

/** Which records the messages are about. Each message must be such that `canHaveEffect`. */
export function keysOf(messages: readonly IncomingMessage[]): BatchKeys {
  const debtorIds = new Set<bigint>();
  const transferRequests = new Map<string, TransferRequest>();
  for (const message of messages) {
    if (isAboutTransfer(message)) transferRequests.set(requestKeyOf(message), message);
    else debtorIds.add(message.debtorId);
  }
  return { debtorIds: [...debtorIds], transferRequests: [...transferRequests.values()] };
}

/** Judges the messages on the records that `keysOf` names (those that exist). */
export function decideBatch(
  messages: readonly IncomingMessage[],
  records: { readonly debtors: readonly Debtor[]; readonly transfers: readonly RunningTransfer[] },
  now: Timestamp,
): BatchOutcome {
  const debtors = new Map(records.debtors.map((debtor) => [debtor.debtorId, debtor]));
  const transfers = new Map(records.transfers.map((transfer) => [keyOf(transfer), transfer]));
  const configureAccounts: ConfigureAccount[] = [];
  const finalizeTransfers: FinalizeTransfer[] = [];
  for (const message of messages) {
    if (isAboutTransfer(message)) {
      const key = requestKeyOf(message);
      const verdict = decideTransferMessage(transfers.get(key), message, now);
      if ("transfer" in verdict) transfers.set(key, verdict.transfer);
      if ("message" in verdict) finalizeTransfers.push(verdict.message);
    } else {
      const verdict = decideDebtorMessage(debtors.get(message.debtorId), message, now);
      if ("debtor" in verdict) debtors.set(message.debtorId, verdict.debtor);
      if ("message" in verdict) configureAccounts.push(verdict.message);
    }
  }
  return {
    debtors: changed(records.debtors, (debtor) => debtors.get(debtor.debtorId)!),
    transfers: changed(records.transfers, (transfer) => transfers.get(keyOf(transfer))!),
    configureAccounts,
    finalizeTransfers,
  };
}

/** What has become of those records that are not the same any more: a rule that changes nothing gives back its very record. */
const changed = <Record>(before: readonly Record[], now: (before: Record) => Record): Record[] =>
  before.map(now).filter((record, index) => record !== before[index]);

type TransferMessage = PreparedTransfer | RejectedTransfer | FinalizedTransfer;
type DebtorMessage = Exclude<IncomingMessage, TransferMessage>;

const isAboutTransfer = (message: IncomingMessage): message is TransferMessage => "coordinatorId" in message;

const requestKeyOf = ({ coordinatorId, coordinatorRequestId }: TransferRequest): string =>
  `${coordinatorId}/${coordinatorRequestId}`;

/** A debtor coordinates its own transfers. */
const keyOf = ({ debtorId: coordinatorId, coordinatorRequestId }: RunningTransfer): string =>
  requestKeyOf({ coordinatorId, coordinatorRequestId });

function decideDebtorMessage(debtor: Debtor | undefined, message: DebtorMessage, now: Timestamp) {
  switch (message.type) {
    case "ActivateDebtor":
      return decideActivation(debtor, message.reservationId, now);
    case "RejectedConfig":
      return decideRejectedConfig(debtor, message);
    case "AccountUpdate":
      return decideAccountUpdate(debtor, message, now);
    case "AccountPurge":
      return decideAccountPurge(debtor, message);
  }
}

function decideTransferMessage(transfer: RunningTransfer | undefined, message: TransferMessage, now: Timestamp) {
  switch (message.type) {
    case "PreparedTransfer":
      return decidePreparedTransfer(transfer, message, now);
    case "RejectedTransfer":
      return decideRejectedTransfer(transfer, message, now);
    case "FinalizedTransfer":
      return decideFinalizedTransfer(transfer, message, now);
  }
}
