/** Applies one received message to the ledger: the records, the rule that decides, the messages to send. */
import { ROOT_CREDITOR_ID } from "../../src/domain/debtor.ts";
import { plusSeconds } from "../../src/values/timestamp.ts";
import { decideConfigureAccount, rejectConfiguration } from "./configure-account.ts";
import { decideFinalizeTransfer } from "./finalize-transfer.ts";
import { addToPrincipal } from "./holders.ts";
import type { AccountKey, Ledger, PreparedTransferKey } from "./ledger.ts";
import { creditorIdOf, decidePrepareTransfer, rejectTransfer } from "./prepare-transfer.ts";
import type { StepContext } from "./principal.ts";
import type {
  ReceivedConfigureAccount,
  ReceivedFinalizeTransfer,
  ReceivedMessage,
  ReceivedPrepareTransfer,
} from "./received-messages.ts";
import { createAccount } from "./records.ts";
import type { SentMessage } from "./sent-messages.ts";

/** Who may be paid: `any` opens an account for every number that is paid, `listed` requires an existing one. */
export type RecipientPolicy = "any" | "listed";

/** Injected faults of a received message. */
export interface StepFaults {
  /** Reject it with this code. */
  readonly rejectionCode?: string | undefined;
  /** Decide as if the deadline had passed. */
  readonly isLate?: boolean | undefined;
}

/** Applies the message and returns the answers in order. */
export function takeStep(
  ledger: Ledger,
  message: ReceivedMessage,
  policy: RecipientPolicy,
  stepContext: StepContext,
  faults: StepFaults = {},
): readonly SentMessage[] {
  switch (message.type) {
    case "ConfigureAccount":
      return configureAccount(ledger, message, stepContext, faults);
    case "PrepareTransfer":
      return prepareTransfer(ledger, message, policy, stepContext, faults);
    case "FinalizeTransfer":
      return finalizeTransfer(ledger, message, stepContext, faults);
  }
}

/** The accounts that a message concerns for sure; the recipient of a finalized transfer is known by the transfer only. */
export function accountKeysOf(message: ReceivedMessage): AccountKey[] {
  const { debtorId, creditorId } = message;
  const recipient = message.type === "PrepareTransfer" ? creditorIdOf(message.recipient) : undefined;
  return [{ debtorId, creditorId }, ...(recipient === undefined ? [] : [{ debtorId, creditorId: recipient }])];
}

/** The prepared transfer that a message concerns. */
export const transferKeysOf = (message: ReceivedMessage): PreparedTransferKey[] =>
  message.type === "FinalizeTransfer" ? [{ debtorId: message.debtorId, transferId: message.transferId }] : [];

function configureAccount(
  ledger: Ledger,
  message: ReceivedConfigureAccount,
  { now }: StepContext,
  { rejectionCode }: StepFaults,
): readonly SentMessage[] {
  const decision = rejectionCode
    ? rejectConfiguration(message, rejectionCode, now)
    : decideConfigureAccount(ledger.findAccount(message.debtorId, message.creditorId), message, now);
  if (decision.account) ledger.saveAccount(decision.account);
  return decision.messages;
}

function prepareTransfer(
  ledger: Ledger,
  message: ReceivedPrepareTransfer,
  policy: RecipientPolicy,
  { now }: StepContext,
  { rejectionCode }: StepFaults,
): readonly SentMessage[] {
  const sender = ledger.findAccount(message.debtorId, message.creditorId);
  if (rejectionCode) return rejectTransfer(sender, message, rejectionCode, now).messages;
  if (policy === "any") openRecipientAccount(ledger, message, { now });
  const creditorId = creditorIdOf(message.recipient);
  const recipient = creditorId === undefined ? undefined : ledger.findAccount(message.debtorId, creditorId);
  const decision = decidePrepareTransfer(sender, recipient, message, now);
  if (decision.sender) ledger.saveAccount(decision.sender);
  if (decision.transfer) ledger.saveTransfer(decision.transfer);
  return decision.messages;
}

/** Opens the account of a recipient that does not exist yet. */
function openRecipientAccount(
  ledger: Ledger,
  message: ReceivedPrepareTransfer,
  { now }: Pick<StepContext, "now">,
): void {
  const creditorId = creditorIdOf(message.recipient);
  if (creditorId === undefined || creditorId === ROOT_CREDITOR_ID) return;
  if (ledger.findAccount(message.debtorId, creditorId)) return;
  ledger.saveAccount(createAccount(message.debtorId, creditorId, now));
}

function finalizeTransfer(
  ledger: Ledger,
  message: ReceivedFinalizeTransfer,
  stepContext: StepContext,
  { rejectionCode, isLate }: StepFaults,
): readonly SentMessage[] {
  const sender = ledger.findAccount(message.debtorId, message.creditorId);
  const transfer = ledger.findTransfer(message.debtorId, message.transferId);
  const decided = isLate && transfer ? { ...transfer, deadline: plusSeconds(transfer.preparedAt, -1) } : transfer;
  const recipient = transfer && ledger.findAccount(transfer.debtorId, transfer.recipientCreditorId);
  const decision = decideFinalizeTransfer(sender, recipient, decided, message, stepContext, rejectionCode);
  if (!decision || !transfer) return [];
  ledger.saveAccount(decision.sender);
  ledger.removeTransfer(transfer);
  if (decision.committedAmount === 0n) return decision.messages;
  const { debtorId, recipientCreditorId } = transfer;
  const paid = addToPrincipal(ledger, debtorId, recipientCreditorId, decision.committedAmount, stepContext);
  return [...decision.messages, ...paid];
}
