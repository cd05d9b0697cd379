/** Structured logs on standard output, one line an event. Spec: operations, "Life and death of processes". */
import { type Logger, pino } from "pino";
import { parseJson, stringifyJson } from "../values/json.ts";
import { type LineWriter, standardOutput } from "./output.ts";

export type { Logger } from "pino";

export interface LogOptions {
  readonly level: "debug" | "info" | "warning" | "error";
  readonly format: "text" | "json";
  /** The command or the type of process that logs. */
  readonly command: string;
  /** Where the lines go; standard output when not given. */
  readonly write?: LineWriter["write"] | undefined;
  /** The number of lines that `write` has lost. */
  readonly lostLines?: LineWriter["lostLines"] | undefined;
}

/**
 * Makes the logger of a process. A `bigint` is written as an exact integer; tokens, passwords, and what stands before
 * the `@` of a URL never are, wherever in the event they are. Whatever an event says, it is one line, and does nothing to
 * the terminal.
 */
export function createLogger({
  level,
  format,
  command,
  write = standardOutput.write,
  lostLines = standardOutput.lostLines,
}: LogOptions): Logger {
  const formatLine = format === "json" ? (line: string) => line : formatAsText;
  let reportedLines = lostLines();
  const log = pino(
    {
      level: level === "warning" ? "warn" : level,
      base: { pid: process.pid, command },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label === "warn" ? "warning" : label }) },
      serializers: { err: describeError },
    },
    {
      write: (line: string) => {
        const lostBefore = lostLines();
        write(`${escapeUnprintable(redact(formatLine(line).trimEnd()))}\n`);
        const lines = lostBefore - reportedLines;
        if (lines === 0 || lostLines() > lostBefore) return;
        reportedLines = lostBefore;
        log.error({ lines }, "Log lines could not be written and are lost");
      },
    },
  );
  return log;
}

/**
 * Removes credentials from text: URLs with a user, tokens and passwords of HTTP headers, and values that are named as
 * secrets, be it in a form, in JSON or in a line of text. Takes time in proportion to the length.
 */
export function redact(text: string): string {
  return text
    .replace(/:\/\/(?:[^\s"\\]|\\["\\]){0,500}@/g, "://***@")
    .replace(/\b(Bearer|Basic)\s+[^\s"'\\,]+/gi, "$1 ***")
    .replace(/((?:password|passwd|secret|token|authorization)(?:=|\\?":)\\?")[^"\\]+/gi, "$1***")
    .replace(/((?:password|passwd|secret|token)=)[^\s"'\\&]+/gi, "$1***");
}

/** Line ends of any kind, commands to a terminal, and marks that turn the direction of writing, as JSON escapes. */
const escapeUnprintable = (line: string): string =>
  line.replace(
    /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** Only what is known to be safe: some errors carry the URL or the request that they are about. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack, cause } = error;
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: name,
    message: error instanceof AggregateError && message === "" ? error.errors.map(String).join("; ") : message,
    code,
    cause: cause instanceof Error ? cause.message || codeOf(cause) : cause && String(cause),
    stack,
  };
}

const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.name;

/** `2026-11-24T10:00:00.000Z warning [consumer 123] Message rejected reason="…"` */
function formatAsText(line: string): string {
  const { time, level, pid, command, msg, err, ...rest } = parseJson(line) as Record<string, unknown>;
  // What was thrown may not be an Error.
  const { stack, ...error } = (typeof (err ?? {}) === "object" ? (err ?? {}) : { error: err }) as Record<
    string,
    unknown
  >;
  // A stack helps with a bug; for an outage or a rejection the message is enough.
  const all = { ...rest, ...error };
  if (level === "error" && stack !== undefined) all.stack = stack;
  const members = Object.entries(all).map(([name, value]) => ` ${name}=${stringifyJson(value)}`);
  const text = String(msg ?? "").replace(/[\r\n]+/g, " ");
  return `${String(time)} ${String(level)} [${String(command)} ${String(pid)}] ${text}${members.join("")}\n`;
}
