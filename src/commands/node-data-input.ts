/** What the commands of `node_data` have in common: the directory, the pass phrase, questions, and errors in words. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { readConfig } from "../config.ts";
import type { Issuer } from "../node-data/certificate-writer.ts";
import { isRootKeyEncrypted, openIssuer } from "../node-data/keys.ts";
import { NodeDataError } from "../node-data/node-data-error.ts";
import { CommandError } from "../runtime/command-error.ts";
import { type Command, type CommandInput, UsageError } from "./command.ts";
import { readHiddenLine } from "./hidden-line.ts";

/** The option of every command. */
export const directoryOption = {
  dir: { type: "string", valueName: "DIR", meaning: "The node's directory (default: that of SWPT_NODEDATA_URL)" },
} as const;

/** Where the pass phrase of the root key may come from. */
export const passphraseOption = {
  "passphrase-file": {
    type: "string",
    valueName: "FILE",
    meaning: "The pass phrase is the first line of this file (otherwise NODE_DATA_PASSPHRASE, or asked for)",
  },
} as const;

/** Answers the question of a command. */
export const yesOption = { yes: { type: "boolean", meaning: "Do not ask" } } as const;

/** The directory that the command is about. */
export function readDirectory({ values, environment }: CommandInput): string {
  return values.dir === undefined ? readConfig(environment, []).nodeDataDirectory : path.resolve(String(values.dir));
}

/** A path that the command line has, or a default. */
export const readPath = (value: string | boolean | undefined, otherwise: string): string =>
  value === undefined ? otherwise : path.resolve(String(value));

/** A command whose NodeDataErrors, and errors of the file system, are reported in words. */
export function nodeDataCommand(command: Command): Command {
  return {
    ...command,
    async run(input) {
      try {
        return await command.run(input);
      } catch (error) {
        throw explain(error);
      }
    },
  };
}

function explain(error: unknown): unknown {
  if (error instanceof NodeDataError) return new CommandError(error.message, { cause: error });
  const { code, path: file, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined || file === undefined) return error;
  return new CommandError(`${file}: cannot be used (${syscall}: ${code}).`, { cause: error });
}

/** The root certificate with its private key, after asking for the pass phrase where one is needed. */
export async function unlockIssuer(input: CommandInput, directory: string): Promise<Issuer> {
  const passphrase = (await isRootKeyEncrypted(directory)) ? await readPassphrase(input) : undefined;
  return openIssuer(directory, passphrase);
}

/** The pass phrase of an existing key. Throws a CommandError when there is none. */
export async function readPassphrase(input: CommandInput): Promise<string> {
  return (await readGivenPassphrase(input)) ?? (await readHiddenLine("Pass phrase of the root key: ", input.signal));
}

/** The pass phrase of a new key, asked for twice. Throws a CommandError when the two differ. */
export async function readNewPassphrase(input: CommandInput): Promise<string> {
  const given = await readGivenPassphrase(input);
  if (given !== undefined) return given;
  const passphrase = await readHiddenLine("Pass phrase for the new root key: ", input.signal);
  const repeated = await readHiddenLine("Once more: ", input.signal);
  if (passphrase !== repeated) throw new CommandError("The two pass phrases differ.");
  return passphrase;
}

async function readGivenPassphrase({ values, environment }: CommandInput): Promise<string | undefined> {
  const file = values["passphrase-file"];
  if (typeof file !== "string") return environment.NODE_DATA_PASSPHRASE || undefined;
  const text = await readFile(file, "utf8");
  return text.split(/\r?\n/, 1)[0]!;
}

/** Asks whether to go on; `--yes` answers. Throws a CommandError when the answer is not yes. */
export async function confirm({ values, signal }: CommandInput, question: string): Promise<void> {
  if (values.yes === true) return;
  if (!process.stdin.isTTY) throw new CommandError(`${question} There is no terminal to ask; use --yes.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // Ctrl-D closes the terminal, and leaves the question unanswered.
    const closed = once(terminal, "close").then(() => "");
    const answer = await Promise.race([terminal.question(`${question} [y/N] `, { signal }), closed]);
    if (!/^\s*y(es)?\s*$/i.test(answer)) throw new CommandError("Nothing has been changed.");
  } catch (error) {
    throw (error as Error).name === "AbortError" ? new CommandError("Stopped; nothing has been changed.") : error;
  } finally {
    terminal.close();
  }
}

/** An integer of the command line. Throws a UsageError. */
export function readInteger(
  name: string,
  value: string | boolean | undefined,
  minimum: number,
  maximum: number,
): number {
  const number = Number(value);
  if (typeof value === "string" && /^[0-9]{1,9}$/.test(value) && number >= minimum && number <= maximum) return number;
  throw new UsageError(`--${name}: expected an integer from ${minimum} to ${maximum}.`);
}
