/** The holders and the journal on the command line: each option does one thing and ends. */
import { type CommandInput, type CommandOption, formatColumns, UsageError } from "../../src/commands/command.ts";
import type { Pool } from "../../src/database/database.ts";
import { CommandError } from "../../src/runtime/command-error.ts";
import { formatUnsigned, INT64_MAX, parsePathId } from "../../src/values/int64.ts";
import { formatTimestamp } from "../../src/values/timestamp.ts";
import type { Balances, HolderBook } from "./holder-book.ts";
import { HolderError } from "./holders.ts";
import { type JournalEntry, listJournal } from "./journal.ts";

type Action = (arguments_: {
  readonly text: string;
  readonly book: HolderBook;
  readonly pool: Pool;
}) => Promise<string>;

/** The options, which exclude each other. IDs are unsigned decimals, as in URLs. */
export const actionOptions = {
  holders: { type: "string", valueName: "DEBTOR", meaning: "Show the holders of a currency and their balances" },
  "create-holder": { type: "string", valueName: "DEBTOR/HOLDER", meaning: "Open a holder's account" },
  pay: { type: "string", valueName: "DEBTOR/HOLDER/HOLDER/AMOUNT", meaning: "Pay from a holder to another one" },
  "pay-back": { type: "string", valueName: "DEBTOR/HOLDER/AMOUNT", meaning: "Pay from a holder back to the issuer" },
  interest: {
    type: "string",
    valueName: "DEBTOR/HOLDER/AMOUNT",
    meaning: "Give a holder interest; a negative amount takes it",
  },
  journal: { type: "string", valueName: "COUNT", meaning: "Show the last messages in and out" },
} as const satisfies Record<string, CommandOption>;

/** The action that the options ask for; `undefined` when none of them is given. Throws a UsageError. */
export function findAction(
  values: CommandInput["values"],
): ((book: HolderBook, pool: Pool) => Promise<string>) | undefined {
  const wanted = Object.keys(actions).filter((name) => values[name] !== undefined);
  if (wanted.length > 1) throw new UsageError(`One thing at a time: ${wanted.map((name) => `--${name}`).join(", ")}.`);
  const [name] = wanted;
  if (name === undefined) return undefined;
  const text = String(values[name]);
  return async (book, pool) => {
    try {
      return await actions[name as keyof typeof actions]({ text, book, pool });
    } catch (error) {
      throw error instanceof HolderError ? new CommandError(`${error.message}.`) : error;
    }
  };
}

const actions: Record<keyof typeof actionOptions, Action> = {
  holders: async ({ text, book }) => {
    const [debtorId] = readNumbers("holders", text);
    return formatBalances(await book.balances(debtorId));
  },
  "create-holder": async ({ text, book }) => {
    const [debtorId, creditorId] = readNumbers("create-holder", text);
    await book.createHolder(debtorId, creditorId);
    return formatBalances(await book.balances(debtorId));
  },
  pay: async ({ text, book }) => {
    const [debtorId, sender, recipient, amount] = readNumbers("pay", text);
    await book.pay({ debtorId, sender, recipient, amount });
    return formatBalances(await book.balances(debtorId));
  },
  "pay-back": async ({ text, book }) => {
    const [debtorId, sender, amount] = readNumbers("pay-back", text);
    await book.pay({ debtorId, sender, recipient: 0n, amount });
    return formatBalances(await book.balances(debtorId));
  },
  interest: async ({ text, book }) => {
    const [debtorId, creditorId, amount] = readNumbers("interest", text);
    await book.capitalizeInterest({ debtorId, creditorId, amount });
    return formatBalances(await book.balances(debtorId));
  },
  journal: async ({ text, pool }) => {
    if (!/^[0-9]{1,6}$/.test(text)) throw new UsageError(`--journal: "${text}" is not valid; expected an integer.`);
    return (await listJournal(pool, Number(text))).map(formatEntry).join("\n");
  },
};

type Numbers = [bigint, bigint, bigint, bigint];

/** Reads `ID/ID/…/AMOUNT` in the form that the option's help describes. */
function readNumbers(name: keyof typeof actionOptions, text: string): Numbers {
  const forms = actionOptions[name].valueName.split("/");
  const parts = text.split("/");
  const numbers = forms.map((form, index) =>
    form === "AMOUNT" ? parseAmount(parts[index] ?? "") : parsePathId(parts[index] ?? ""),
  );
  if (parts.length !== forms.length || numbers.includes(undefined)) {
    throw new UsageError(`--${name}: "${text}" is not valid; expected ${forms.join("/")}, in decimal.`);
  }
  return numbers as Numbers;
}

function parseAmount(text: string): bigint | undefined {
  if (!/^-?[0-9]{1,19}$/.test(text)) return undefined;
  const amount = BigInt(text);
  return amount <= INT64_MAX && amount >= -INT64_MAX ? amount : undefined;
}

function formatBalances({ circulation, holders }: Balances): string {
  const rows = holders.map(({ creditorId, balance }) => [formatUnsigned(creditorId), String(balance)]);
  return formatColumns([["HOLDER", "BALANCE"], ...rows, ["in circulation", String(circulation)]]);
}

const formatEntry = ({ at, direction, type, body }: JournalEntry): string =>
  `${formatTimestamp(at)} ${direction.padEnd(3)} ${type} ${body.toString()}`;
