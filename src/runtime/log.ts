/** Structured logs on standard output, one line an event. Spec: operations, "Life and death of processes". */
import { type Logger, pino } from "pino";

export type { Logger } from "pino";

export interface LogOptions {
  readonly level: "debug" | "info" | "warning" | "error";
  readonly format: "text" | "json";
  /** The command that logs. */
  readonly command: string;
}

/** Makes the logger of a process. A `bigint` is written as an exact integer. */
export function createLogger({ level, format, command }: LogOptions): Logger {
  return pino(
    {
      level: level === "warning" ? "warn" : level,
      base: { pid: process.pid, command },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label === "warn" ? "warning" : label }) },
    },
    format === "json" ? process.stdout : { write: (line: string) => process.stdout.write(formatAsText(line)) },
  );
}

/** `2026-11-24T10:00:00.000Z warning [consume_messages 123] Message rejected reason="…"` */
function formatAsText(line: string): string {
  const { time, level, pid, command, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const { stack, ...error } = (rest.err ?? {}) as Record<string, unknown>;
  delete rest.err;
  const members = Object.entries({ ...error, ...rest }).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${time} ${level} [${command} ${pid}] ${msg ?? ""}${members.join("")}${stack ? `\n${stack}` : ""}\n`;
}
