/** The fixtures of the authority's tests: one debtor, two holders, and an authority of rules only, whose clock stands still. */
import { Ledger } from "../../sandbox/accounting-authority/ledger.ts";
import type {
  ReceivedConfigureAccount,
  ReceivedFinalizeTransfer,
  ReceivedMessage,
  ReceivedPrepareTransfer,
} from "../../sandbox/accounting-authority/received-messages.ts";
import { type Account, createAccount } from "../../sandbox/accounting-authority/records.ts";
import { scanAccount, scanTransfer } from "../../sandbox/accounting-authority/scan.ts";
import type { SentMessage, SentPreparedTransfer } from "../../sandbox/accounting-authority/sent-messages.ts";
import { type RecipientPolicy, takeStep } from "../../sandbox/accounting-authority/step.ts";
import { parseTimestamp, plusSeconds, type Timestamp } from "../../src/values/timestamp.ts";

export const DEBTOR = -5n;
export const ALICE = 17n;
export const BOB = -1n;
export const START = parseTimestamp("2026-11-24T10:00:00.123456Z")!;
export const DAY = 86_400;

/** Above 2^53, so that a rounded ID is noticed. */
export const REQUEST = 9_007_199_254_740_993n;

export const configure = (changes: Partial<ReceivedConfigureAccount> = {}): ReceivedConfigureAccount => ({
  type: "ConfigureAccount",
  debtorId: DEBTOR,
  creditorId: 0n,
  ts: START,
  seqnum: 1,
  negligibleAmount: 9.223372e18,
  configData: "",
  configFlags: 0,
  ...changes,
});

export const prepare = (amount: bigint, changes: Partial<ReceivedPrepareTransfer> = {}): ReceivedPrepareTransfer => ({
  type: "PrepareTransfer",
  debtorId: DEBTOR,
  creditorId: 0n,
  coordinatorType: "issuing",
  coordinatorId: DEBTOR,
  coordinatorRequestId: REQUEST,
  minLockedAmount: amount,
  maxLockedAmount: amount,
  recipient: "17",
  ts: START,
  maxCommitDelay: 2_147_483_647,
  finalInterestRateTs: parseTimestamp("9999-12-31T23:59:59Z")!,
  ...changes,
});

/** What the agent answers to a prepared transfer. */
export const finalize = (
  prepared: SentPreparedTransfer,
  committedAmount: bigint,
  changes: Partial<ReceivedFinalizeTransfer> = {},
): ReceivedFinalizeTransfer => ({
  type: "FinalizeTransfer",
  debtorId: prepared.debtorId,
  creditorId: prepared.creditorId,
  transferId: prepared.transferId,
  coordinatorType: prepared.coordinatorType,
  coordinatorId: prepared.coordinatorId,
  coordinatorRequestId: prepared.coordinatorRequestId,
  committedAmount,
  transferNoteFormat: "",
  transferNote: "",
  ts: START,
  ...changes,
});

/** An authority without tables and queues. */
export class BareAuthority {
  now: Timestamp = START;
  policy: RecipientPolicy = "any";
  ledger = new Ledger();

  send(message: ReceivedMessage): readonly SentMessage[] {
    return takeStep(this.ledger, message, this.policy, this.stepContext());
  }

  /** Sends a request that must be granted. */
  lock(amount: bigint, changes: Partial<ReceivedPrepareTransfer> = {}): SentPreparedTransfer {
    const [answer] = this.send(prepare(amount, changes));
    if (answer?.type !== "PreparedTransfer") throw new Error(`Not prepared: ${answer?.type}`);
    return answer;
  }

  scan(): SentMessage[] {
    const messages: SentMessage[] = [];
    for (const account of this.ledger.accounts().filter(({ creditorId }) => creditorId === 0n)) {
      const decision = scanAccount(account, this.now);
      if (decision.account === "purged") this.ledger.removeAccount(account);
      else if (decision.account) this.ledger.saveAccount(decision.account);
      messages.push(...decision.messages);
    }
    for (const transfer of this.ledger.transfers()) {
      const decision = scanTransfer(transfer, this.now);
      if (decision) this.ledger.saveTransfer(decision.transfer);
      messages.push(...(decision?.messages ?? []));
    }
    return messages;
  }

  pass(seconds: number): void {
    this.now = plusSeconds(this.now, seconds);
  }

  stepContext() {
    return { now: this.now, balanceUpdateDelaySeconds: 1 };
  }

  root(): Account {
    return this.ledger.findAccount(DEBTOR, 0n)!;
  }

  balance(creditorId: bigint): bigint | undefined {
    return this.ledger.findAccount(DEBTOR, creditorId)?.principal;
  }

  /** Puts a root account there that is not as a new one. */
  givenRoot(changes: Partial<Account>): void {
    this.ledger.saveAccount({ ...createAccount(DEBTOR, 0n, this.now), ...changes });
  }
}
