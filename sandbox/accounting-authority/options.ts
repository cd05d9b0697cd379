/** The command-line options of the authority. */
import { type CommandInput, type CommandOption, UsageError } from "../../src/commands/command.ts";
import type { AuthoritySettings } from "./books.ts";
import { createFaultInjector, type Fault, parseFaults } from "./faults.ts";

type Values = CommandInput["values"];

const REALISTIC_UPDATE_DELAY_SECONDS = 8 * 3600;
const JOURNAL_ENTRIES_MAX = 100_000;

/** The options of a command with an authority in it; it answers after `paceMillis` by default. */
export const settingOptions = (paceMillis: number) =>
  ({
    policy: {
      type: "string",
      valueName: "any|listed",
      meaning: "Who may be paid: any account number, or holders made beforehand. Default: any",
    },
    pace: {
      type: "string",
      valueName: "MILLIS",
      meaning: `How long an answer of the accounting authority takes. Default: ${paceMillis}`,
    },
    "balance-update-delay": {
      type: "string",
      valueName: "SECONDS|realistic",
      meaning: "How long the agent waits for a new balance; realistic is 8 hours. Default: 1",
    },
    faults: {
      type: "string",
      valueName: "LIST",
      meaning: "What goes wrong, with commas between: TYPE:KIND@PROBABILITY, TYPE:KIND#COUNT or all@PROBABILITY",
    },
    seed: { type: "string", valueName: "NUMBER", meaning: "The same seed gives the same faults. Default: 1" },
    "journal-size": {
      type: "string",
      valueName: "COUNT",
      meaning: `How many messages the journal remembers. Default: ${JOURNAL_ENTRIES_MAX}`,
    },
  }) as const satisfies Record<string, CommandOption>;

/** The part of the help about the faults. */
export const faultsHelp = `
A fault names a message type, what happens to it, and how often: AccountUpdate:drop@0.1 loses every tenth update,
PrepareTransfer:reject:TIMEOUT#3 rejects the next three requests, all@0.05 injects each fault with a probability of 5 %. The kinds are
drop, repeat, delay[:SECONDS], reorder, reject[:CODE], late-commit, wrong-transfer-id, locked-short, another-amount,
older-change, expired-ttl, empty-account-id, no-note-bytes, extra-field and not-utf8.`;

/** Reads the options. Throws a UsageError. */
export function readSettings(values: Values, paceMillis: number): AuthoritySettings {
  const { policy = "any" } = values;
  if (policy !== "any" && policy !== "listed")
    throw new UsageError(`--policy: "${policy}" is not valid; expected any or listed.`);
  const delay = values["balance-update-delay"];
  return {
    policy,
    paceMillis: readNumber(values, "pace", paceMillis),
    balanceUpdateDelaySeconds:
      delay === "realistic" ? REALISTIC_UPDATE_DELAY_SECONDS : readNumber(values, "balance-update-delay", 1),
    faults: createFaultInjector(readFaults(values), readInteger(values, "seed", 1)),
    journalEntriesMax: readInteger(values, "journal-size", JOURNAL_ENTRIES_MAX),
  };
}

/** Reads an integer of zero or more. Throws a UsageError. */
export function readInteger(values: Values, name: string, otherwise: number): number {
  const number = readNumber(values, name, otherwise);
  if (!Number.isSafeInteger(number) || number > 2 ** 31 - 1) throw wrong(values, name, "an integer below 2147483648");
  return number;
}

function readNumber(values: Values, name: string, otherwise: number): number {
  const text = values[name];
  if (text === undefined) return otherwise;
  if (typeof text !== "string" || !/^[0-9]{1,10}(\.[0-9]+)?$/.test(text))
    throw wrong(values, name, "a number of zero or more");
  return Number(text);
}

function readFaults({ faults }: Values): Fault[] {
  if (typeof faults !== "string" || faults === "") return [];
  try {
    return faults.split(",").flatMap((fault) => parseFaults(fault.trim()));
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(`--faults: ${error.message}.`) : error;
  }
}

const wrong = (values: Values, name: string, allowed: string): UsageError =>
  new UsageError(`--${name}: "${values[name]}" is not valid; expected ${allowed}.`);
