/**
 * The authority's operations: each is one transaction in which a step is done to the ledger, and what it has changed
 * and its messages are stored. Spec: sandbox-accounting-authority, "State".
 */
import type { Pool, Transaction } from "../../src/database/database.ts";
import type { Timestamp } from "../../src/values/timestamp.ts";
import type { FaultInjector } from "./faults.ts";
import { recordReceived } from "./journal.ts";
import type { AccountKey, Ledger } from "./ledger.ts";
import { recordOutboundMessages } from "./outbox.ts";
import type { StepContext } from "./principal.ts";
import type { ReceivedMessage } from "./received-messages.ts";
import { scanAccount, scanTransfer } from "./scan.ts";
import type { SentMessage } from "./sent-messages.ts";
import { accountKeysOf, type RecipientPolicy, takeStep, transferKeysOf } from "./step.ts";
import { findAccountsDue, findTransfersDue, loadLedger, lockBooks, saveLedger } from "./store.ts";

/** How the authority behaves. */
export interface AuthoritySettings {
  readonly policy: RecipientPolicy;
  /** Milliseconds until an answer is sent. */
  readonly paceMillis: number;
  /** Seconds until a new balance is reported; 8 hours with a real authority. */
  readonly balanceUpdateDelaySeconds: number;
  readonly faults: FaultInjector;
  /** About how many messages the journal keeps; 0 for none. */
  readonly journalEntriesMax: number;
}

/** A message with the bytes it came in. */
export interface DeliveredMessage {
  readonly message: ReceivedMessage;
  readonly body: Buffer;
}

/** Records that one scan looks at. */
const SCAN_COUNT = 1000;

/** Processes messages in order, all in one transaction. */
export function processMessages(
  pool: Pool,
  settings: AuthoritySettings,
  received: readonly DeliveredMessage[],
  now: Timestamp,
): Promise<void> {
  // Random faults are drawn before the transaction, which may be retried.
  const drawn = received.map(({ message }) => ({ message, ...settings.faults.onReceived(message) }));
  return pool.transaction(async (tx) => {
    const messages = received.map(({ message }) => message);
    const [, ledger] = await Promise.all([
      lockBooks(tx),
      loadLedger(tx, messages.flatMap(accountKeysOf), messages.flatMap(transferKeysOf)),
    ]);
    const answers = drawn.flatMap(({ message, copies, faults }) =>
      Array.from({ length: copies }, () =>
        takeStep(ledger, message, settings.policy, stepContextOf(settings, now), faults),
      ).flat(),
    );
    finishStep(tx, settings, ledger, answers, now);
    if (settings.journalEntriesMax > 0) {
      recordReceived(
        tx,
        received.map(({ message: { debtorId, type }, body }) => ({ debtorId, type, body })),
        now,
      );
    }
  });
}

/** Does once what is due: updates, heartbeats, reminders, deletions, purges. Returns how many records were touched. */
export function scanBooks(pool: Pool, settings: AuthoritySettings, now: Timestamp): Promise<number> {
  return pool.transaction(async (tx) => {
    const [, accounts, transfers] = await Promise.all([
      lockBooks(tx),
      findAccountsDue(tx, now, SCAN_COUNT),
      findTransfersDue(tx, now, SCAN_COUNT),
    ]);
    if (accounts.length + transfers.length === 0) return 0;
    const ledger = await loadLedger(tx, accounts, transfers);
    const messages: SentMessage[] = [];
    for (const account of accounts) {
      const decision = scanAccount(account, now);
      if (decision.account === "purged") ledger.removeAccount(account);
      else if (decision.account) ledger.saveAccount(decision.account);
      messages.push(...decision.messages);
    }
    for (const transfer of transfers) {
      const decision = scanTransfer(transfer, now);
      if (decision) ledger.saveTransfer(decision.transfer);
      messages.push(...(decision?.messages ?? []));
    }
    finishStep(tx, settings, ledger, messages, now);
    return accounts.length + transfers.length;
  });
}

/** Does what a holder requests. An error of `step` rolls it back. */
export function changeBooks(
  pool: Pool,
  settings: Pick<AuthoritySettings, "balanceUpdateDelaySeconds" | "faults" | "paceMillis">,
  accountKeys: readonly AccountKey[],
  now: Timestamp,
  step: (ledger: Ledger, stepContext: StepContext) => readonly SentMessage[],
): Promise<void> {
  return pool.transaction(async (tx) => {
    const [, ledger] = await Promise.all([lockBooks(tx), loadLedger(tx, accountKeys, [])]);
    finishStep(tx, settings, ledger, step(ledger, stepContextOf(settings, now)), now);
  });
}

/** Stores what the step has changed and its messages. Throws if it would create or lose money. */
function finishStep(
  tx: Transaction,
  { faults, paceMillis }: Pick<AuthoritySettings, "faults" | "paceMillis">,
  ledger: Ledger,
  messages: readonly SentMessage[],
  now: Timestamp,
): void {
  ledger.assertMoneyIsConserved();
  saveLedger(tx, ledger);
  recordOutboundMessages(
    tx,
    messages.flatMap((message) => faults.onSent(message)),
    now,
    paceMillis,
  );
}

const stepContextOf = (
  { balanceUpdateDelaySeconds }: Pick<AuthoritySettings, "balanceUpdateDelaySeconds">,
  now: Timestamp,
): StepContext => ({ now, balanceUpdateDelaySeconds });
