/** Structured logs on standard output, one line an event. Spec: operations, "Life and death of processes". */
import { type Logger, pino } from "pino";
import { parseJson, stringifyJson } from "../values/json.ts";

export type { Logger } from "pino";

export interface LogOptions {
  readonly level: "debug" | "info" | "warning" | "error";
  readonly format: "text" | "json";
  /** The command, or the part of it, that logs. */
  readonly command: string;
  /** Where the lines go; standard output when not given. */
  readonly write?: (line: string) => void;
}

/**
 * Makes the logger of a process. A `bigint` is written as an exact integer; tokens, passwords, and what stands before
 * the `@` of a URL never are, wherever in the event they are.
 */
export function createLogger({ level, format, command, write = writeToStandardOutput }: LogOptions): Logger {
  const formatLine = format === "json" ? (line: string) => line : formatAsText;
  return pino(
    {
      level: level === "warning" ? "warn" : level,
      base: { pid: process.pid, command },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label === "warn" ? "warning" : label }) },
      serializers: { err: describeError },
    },
    { write: (line: string) => write(redact(formatLine(line))) },
  );
}

/** Removes credentials from text: URLs with a user, bearer tokens, and values that are named as secrets. */
export function redact(text: string): string {
  return text
    .replace(/:\/\/[^\s"'\\]*@/g, "://***@")
    .replace(/\bBearer\s+[^\s"'\\,]+/gi, "Bearer ***")
    .replace(/\b(password|passwd|secret|token)=[^\s"'\\&]+/gi, "$1=***");
}

/** Only what is known to be safe: some errors carry the URL or the request that they are about. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack, cause } = error;
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: name,
    message: error instanceof AggregateError && message === "" ? error.errors.map(String).join("; ") : message,
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined ? {} : { cause: cause instanceof Error ? cause.message || codeOf(cause) : String(cause) }),
    stack,
  };
}

const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.name;

/** `2026-11-24T10:00:00.000Z warning [consumer 123] Message rejected reason="…"` */
function formatAsText(line: string): string {
  const { time, level, pid, command, msg, err, ...rest } = parseJson(line) as Record<string, unknown>;
  // What was thrown may be no error at all.
  const { stack, ...error } = (typeof (err ?? {}) === "object" ? (err ?? {}) : { error: err }) as Record<
    string,
    unknown
  >;
  // A stack helps with a bug; of what is away or was refused the message says all.
  const all = { ...rest, ...error, ...(level === "error" && stack !== undefined ? { stack } : {}) };
  const members = Object.entries(all).map(([name, value]) => ` ${name}=${stringifyJson(value)}`);
  const text = String(msg ?? "").replace(/[\r\n]+/g, " ");
  return `${String(time)} ${String(level)} [${String(command)} ${String(pid)}] ${text}${members.join("")}\n`;
}

function writeToStandardOutput(line: string): void {
  process.stdout.write(line);
}
