/** What a command of `swpt-debtors` is, how its options override the environment, and the text of its help. */
import { parseArgs } from "node:util";
import type { Environment, SettingName } from "../environment.ts";

/** An option; its shape is that of `parseArgs`, with what the help needs. */
export interface CommandOption {
  readonly type: "string" | "boolean";
  readonly meaning: string;
  /** One letter. */
  readonly short?: string;
  /** What stands for the value in the help: `SECONDS`. */
  readonly valueName?: string;
  /** The variable that this option overrides. */
  readonly variable?: SettingName;
}

/** A positional argument; all of them are required, in their order. */
export interface CommandArgument {
  /** As the help shows it: `PEER`. */
  readonly name: string;
  readonly meaning: string;
}

/** What a command is given. */
export interface CommandInput {
  /** The positional arguments, as many as the command has. */
  readonly positionals: readonly string[];
  /** The options by name, as `parseArgs` gives them. */
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  /** The environment, with the options that override a variable already put in. */
  readonly environment: Environment;
  /** Aborted by the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
}

/** A command of `swpt-debtors`. */
export interface Command {
  /** One word, or two with a space between: those that belong together begin with the same word. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` says below the summary; may be empty. */
  readonly help: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** None when not given. */
  readonly positionals?: readonly CommandArgument[];
  /** Does the work and resolves to the exit code. A ConfigError or CommandError is printed without a stack. */
  run(input: CommandInput): Promise<number>;
}

/** The command line is wrong: printed as one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const HELP_OPTION = { type: "boolean", meaning: "Show this help" } as const;

/** Reads the arguments after the command's name. Throws a UsageError. */
export function parseCommandLine(
  command: Command,
  args: readonly string[],
  environment: Environment,
): Pick<CommandInput, "positionals" | "values" | "environment"> & { readonly helpWanted: boolean } {
  const {
    positionals,
    values: { help: helpWanted = false, ...values },
  } = parseArguments(command, args);
  const { length } = command.positionals ?? [];
  if (helpWanted !== true && positionals.length !== length) {
    const names = (command.positionals ?? []).map(({ name }) => name).join(" ");
    const expected = length === 0 ? `takes no arguments` : `needs ${names}`;
    throw new UsageError(`${command.name} ${expected}. See \`swpt-debtors ${command.name} --help\`.`);
  }
  const overrides = Object.entries(command.options).flatMap(([name, { variable }]) =>
    variable === undefined || values[name] === undefined ? [] : [[variable, String(values[name])]],
  );
  return {
    helpWanted: helpWanted === true,
    positionals,
    values,
    environment: { ...environment, ...Object.fromEntries(overrides) },
  };
}

interface Arguments {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
}

function parseArguments(command: Command, args: readonly string[]): Arguments {
  try {
    const options = { ...command.options, help: HELP_OPTION };
    return parseArgs({ args: [...args], options, allowPositionals: command.positionals !== undefined });
  } catch (error) {
    if (!(error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS_")) throw error;
    // Node.js adds advice about "--", which does not apply here.
    const reason = (error as Error).message.split(/\.\s|\n/)[0]!.replace(/\.$/, "");
    throw new UsageError(`${reason}. See \`swpt-debtors ${command.name} --help\`.`);
  }
}

/** The text of `swpt-debtors COMMAND --help`. */
export function formatHelp(command: Command): string {
  const { name, summary, help, options, positionals = [] } = command;
  const rows = Object.entries({ ...options, help: HELP_OPTION }).map(
    ([optionName, option]: [string, CommandOption]) => [
      (option.short === undefined ? "" : `-${option.short}, `) +
        `--${optionName}${option.type === "string" ? ` ${option.valueName ?? "TEXT"}` : ""}`,
      option.meaning + (option.variable === undefined ? "" : ` (instead of ${option.variable})`),
    ],
  );
  return [
    `Usage: swpt-debtors ${[name, ...positionals.map((argument) => argument.name)].join(" ")} [options]`,
    `${summary}.`,
    ...(help === "" ? [] : [help.trim()]),
    ...(positionals.length === 0
      ? []
      : [`Arguments:\n${formatColumns(positionals.map((argument) => [argument.name, argument.meaning]))}`]),
    `Options:\n${formatColumns(rows)}`,
  ].join("\n\n");
}

/** Two columns, indented, the first one as wide as its longest text. */
export function formatColumns(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([first]) => first!.length));
  return rows.map(([first, second]) => `  ${first!.padEnd(width)}  ${second}`).join("\n");
}
