/** Decides a batch of messages in order on records in memory: each sees the effects of those before it. */
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

/** The accounting authority's key of a transfer. */
export interface TransferRequest {
  readonly coordinatorId: bigint;
  readonly coordinatorRequestId: bigint;
}

/** What a batch has changed, to be stored in one transaction. */
export interface BatchOutcome {
  readonly debtors: readonly Debtor[];
  readonly transfers: readonly RunningTransfer[];
  readonly configureAccounts: readonly ConfigureAccount[];
  readonly finalizeTransfers: readonly FinalizeTransfer[];
}

/**
 * Whether the message can have an effect: account messages matter for the debtor's own account only, transfer messages
 * for issuing transfers only. Others are acknowledged without effect. Spec: messages, "What each does".
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

/** Decides the messages on the records that `keysOf` names (those that exist). */
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
      const decision = decideTransferMessage(transfers.get(key), message, now);
      if ("transfer" in decision) transfers.set(key, decision.transfer);
      if ("message" in decision) finalizeTransfers.push(decision.message);
    } else {
      const decision = decideDebtorMessage(debtors.get(message.debtorId), message, now);
      if ("debtor" in decision) debtors.set(message.debtorId, decision.debtor);
      if ("message" in decision) configureAccounts.push(decision.message);
    }
  }
  return {
    debtors: changed(records.debtors, (debtor) => debtors.get(debtor.debtorId)!),
    transfers: changed(records.transfers, (transfer) => transfers.get(keyOf(transfer))!),
    configureAccounts,
    finalizeTransfers,
  };
}

/** The records that have changed: a rule that changes nothing returns the same object. */
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
