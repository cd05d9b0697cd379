/** What holders do with their money. Spec: sandbox-accounting-authority, "Money coming back", "Sandbox extras". */
import { ROOT_CREDITOR_ID } from "../../src/domain/debtor.ts";
import { isInt64 } from "../../src/values/int64.ts";
import type { Ledger } from "./ledger.ts";
import { changePrincipal, type StepContext } from "./principal.ts";
import { createAccount } from "./records.ts";
import type { SentMessage } from "./sent-messages.ts";

/** A payment between two accounts of one currency; recipient 0 is the issuer. */
export interface Payment {
  readonly debtorId: bigint;
  readonly sender: bigint;
  readonly recipient: bigint;
  /** Positive. */
  readonly amount: bigint;
}

/** Interest of one holder: positive is paid by the issuer, negative goes back to the issuer. */
export interface Interest {
  readonly debtorId: bigint;
  readonly creditorId: bigint;
  readonly amount: bigint;
}

/** An impossible request of a holder. Nothing has changed. */
export class HolderError extends Error {
  override readonly name = "HolderError";
}

/** Opens a holder's account. Throws HolderError when there is one, or for the creditor ID 0. */
export function createHolder(ledger: Ledger, debtorId: bigint, creditorId: bigint, stepContext: StepContext): void {
  if (creditorId === ROOT_CREDITOR_ID) throw new HolderError("Creditor 0 is the issuer, not a holder");
  if (ledger.findAccount(debtorId, creditorId)) throw new HolderError("The holder already exists");
  ledger.saveAccount(createAccount(debtorId, creditorId, stepContext.now));
}

/** Pays from a holder to another one, or back to the issuer. Throws HolderError when the holder has less. */
export function pay(ledger: Ledger, payment: Payment, stepContext: StepContext): SentMessage[] {
  const { debtorId, sender, recipient, amount } = payment;
  if (amount <= 0n) throw new HolderError("The amount of a payment must be positive");
  if (sender === ROOT_CREDITOR_ID) throw new HolderError("The issuer pays by an issuing transfer");
  if (sender === recipient) throw new HolderError("The sender and the recipient are the same");
  const balance = ledger.findAccount(debtorId, sender)?.principal;
  if (balance === undefined) throw new HolderError("There is no such sender");
  if (balance < amount) throw new HolderError(`The sender has only ${balance}`);
  if (recipient !== ROOT_CREDITOR_ID && !ledger.findAccount(debtorId, recipient)) {
    throw new HolderError("There is no such recipient");
  }
  return [
    ...addToPrincipal(ledger, debtorId, sender, -amount, stepContext),
    ...addToPrincipal(ledger, debtorId, recipient, amount, stepContext),
  ];
}

/** Capitalizes interest. Throws HolderError when the holder has less than it loses, or a balance leaves 64 bits. */
export function capitalizeInterest(ledger: Ledger, interest: Interest, stepContext: StepContext): SentMessage[] {
  const { debtorId, creditorId, amount } = interest;
  const balance = creditorId === ROOT_CREDITOR_ID ? undefined : ledger.findAccount(debtorId, creditorId)?.principal;
  if (balance === undefined) throw new HolderError("There is no such holder");
  const rootPrincipal = ledger.findAccount(debtorId, ROOT_CREDITOR_ID)?.principal ?? 0n;
  if (balance + amount < 0n) throw new HolderError(`The holder has only ${balance}`);
  if (!isInt64(balance + amount) || !isInt64(rootPrincipal - amount))
    throw new HolderError("A balance would not fit 64 bits");
  return [
    ...addToPrincipal(ledger, debtorId, creditorId, amount, stepContext),
    ...addToPrincipal(ledger, debtorId, ROOT_CREDITOR_ID, -amount, stepContext),
  ];
}

/** Adds an amount to the account's principal in the ledger, and returns the messages to send at once. */
export function addToPrincipal(
  ledger: Ledger,
  debtorId: bigint,
  creditorId: bigint,
  amount: bigint,
  stepContext: StepContext,
): readonly SentMessage[] {
  const former = ledger.findAccount(debtorId, creditorId);
  const { account, messages } = changePrincipal(former, { debtorId, creditorId }, amount, stepContext);
  ledger.saveAccount(account);
  return messages;
}
