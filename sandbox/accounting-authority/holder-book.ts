/** The holders' side, for people and tests: accounts, balances, payments. Every step checks that the money adds up. */
import type { Pool } from "../../src/database/database.ts";
import { ROOT_CREDITOR_ID } from "../../src/domain/debtor.ts";
import type { Timestamp } from "../../src/values/timestamp.ts";
import { type AuthoritySettings, changeBooks } from "./books.ts";
import { capitalizeInterest, createHolder, type Interest, type Payment, pay } from "./holders.ts";
import { listAccounts } from "./store.ts";

/** What is in circulation, and who has it. */
export interface Balances {
  readonly circulation: bigint;
  readonly holders: readonly { readonly creditorId: bigint; readonly balance: bigint }[];
}

/** What holders can do. The writing functions throw HolderError. */
export interface HolderBook {
  createHolder(debtorId: bigint, creditorId: bigint): Promise<void>;
  /** Pays to another holder, or with recipient 0 back to the issuer. */
  pay(payment: Payment): Promise<void>;
  capitalizeInterest(interest: Interest): Promise<void>;
  balances(debtorId: bigint): Promise<Balances>;
}

type HolderSettings = Pick<AuthoritySettings, "balanceUpdateDelaySeconds" | "faults" | "paceMillis">;

/** Opens the holders' book. The authority on the same database reports the changes to the agent. */
export function createHolderBook(pool: Pool, settings: HolderSettings, clock: () => Timestamp): HolderBook {
  const change = async (
    debtorId: bigint,
    creditorIds: readonly bigint[],
    step: Parameters<typeof changeBooks>[4],
  ): Promise<void> => {
    const keys = creditorIds.map((creditorId) => ({ debtorId, creditorId }));
    await changeBooks(pool, settings, keys, clock(), step);
    await readBalances(pool, debtorId);
  };
  return {
    createHolder: (debtorId, creditorId) =>
      change(debtorId, [creditorId], (ledger, stepContext) => {
        createHolder(ledger, debtorId, creditorId, stepContext);
        return [];
      }),
    pay: (payment) =>
      change(payment.debtorId, [payment.sender, payment.recipient], (ledger, stepContext) =>
        pay(ledger, payment, stepContext),
      ),
    capitalizeInterest: (interest) =>
      change(interest.debtorId, [interest.creditorId, ROOT_CREDITOR_ID], (ledger, stepContext) =>
        capitalizeInterest(ledger, interest, stepContext),
      ),
    balances: (debtorId) => readBalances(pool, debtorId),
  };
}

/** Reads the balances of a currency. Throws when what is in circulation is not what the holders have. */
async function readBalances(pool: Pool, debtorId: bigint): Promise<Balances> {
  const accounts = await listAccounts(pool, debtorId);
  const holders = accounts
    .filter(({ creditorId }) => creditorId !== ROOT_CREDITOR_ID)
    .map(({ creditorId, principal }) => ({ creditorId, balance: principal }));
  const circulation = -(accounts.find(({ creditorId }) => creditorId === ROOT_CREDITOR_ID)?.principal ?? 0n);
  const held = holders.reduce((sum, { balance }) => sum + balance, 0n);
  if (held !== circulation) throw new Error(`${circulation} is in circulation, but the holders have ${held}`);
  return { circulation, holders };
}
