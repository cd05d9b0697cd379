/** The command line: finds the command, reads its options, runs it, and says how it ended. Spec: operations, "Commands". */
import cluster from "node:cluster";
import { readFileSync } from "node:fs";
import { type Command, formatColumns, formatHelp, parseCommandLine, UsageError } from "./commands/command.ts";
import { commandLoaders, DEFAULT_COMMAND, splitCommandName } from "./commands/list.ts";
import { ConfigError } from "./config.ts";
import type { Environment } from "./environment.ts";
import { runProcess } from "./processes/run-process.ts";
import { CommandError } from "./runtime/command-error.ts";
import { type HandleSignals, stopOnSignals } from "./runtime/lifetime.ts";
import { printError, printResult } from "./runtime/output.ts";

/** What the command line is given by the entry file. */
export interface EntryOptions {
  /** Loads the commands of the sandbox, which nothing in `src` may import. */
  readonly loadSandbox: LoadSandbox;
  readonly handleSignals: HandleSignals;
}

type LoadSandbox = () => Promise<{ readonly commands: readonly Command[] }>;

/**
 * Runs one command to its end and resolves to the exit code: 0 only on success, 2 when the command line is wrong, 1 for
 * everything else. The first SIGTERM or SIGINT asks the command to stop, the second ends the process. In a child of the
 * supervisor the only argument is the type of the process.
 */
export async function runCommandLine(
  args: readonly string[],
  environment: Environment,
  { loadSandbox, handleSignals }: EntryOptions,
): Promise<number> {
  try {
    if (cluster.isWorker) return await runProcess(args[0]!, environment, handleSignals);
    const [first, ...rest] = args;
    if (first === "--help") return print(await formatOverview(loadSandbox));
    if (first === "--version") return print(readVersion());
    const isNamed = first !== undefined && !first.startsWith("-");
    const [name, commandArgs] = isNamed ? splitCommandName(first, rest) : [DEFAULT_COMMAND, args];
    const command = await findCommand(name, loadSandbox);
    const { helpWanted, ...input } = parseCommandLine(command, commandArgs, environment);
    if (helpWanted) return print(formatHelp(command));
    return await command.run({ ...input, signal: stopOnSignals(handleSignals) });
  } catch (error) {
    return reportError(error);
  }
}

async function findCommand(name: string, loadSandbox: LoadSandbox): Promise<Command> {
  const command = Object.hasOwn(commandLoaders, name)
    ? await commandLoaders[name]!()
    : (await loadSandbox()).commands.find((candidate) => candidate.name === name);
  if (command === undefined) throw new UsageError(`Unknown command "${name}". See \`swpt-debtors --help\`.`);
  return command;
}

async function formatOverview(loadSandbox: LoadSandbox): Promise<string> {
  const commands = await Promise.all(Object.values(commandLoaders).map((load) => load()));
  const all = [...commands, ...(await loadSandbox()).commands];
  return [
    "Usage: swpt-debtors [COMMAND] [options]",
    "A Swaptacular debtors agent.",
    `Commands (without one: ${DEFAULT_COMMAND}):\n${formatColumns(all.map(({ name, summary }) => [name, summary]))}`,
    `Options:\n${formatColumns([
      ["--help", "Show this help; after a command, the help of that command"],
      ["--version", "Show the version"],
    ])}`,
    "Settings are environment variables; docs/settings.md lists them.",
  ].join("\n\n");
}

function readVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function print(text: string): number {
  printResult(`${text}\n`);
  return 0;
}

/** Writes what went wrong to standard error; with a stack only for a bug. */
function reportError(error: unknown): number {
  const isExplained = [UsageError, ConfigError, CommandError].some((kind) => error instanceof kind);
  const text = error instanceof Error ? (isExplained ? error.message : error.stack) : String(error);
  printError(`${text}\n`);
  return error instanceof UsageError ? 2 : 1;
}
