/**
 * Standard output. A log line that cannot be written is counted and dropped: it neither ends the process nor holds it up.
 * The result of a command must be written; otherwise the command has failed.
 */
import { constants, fstatSync, openSync, type Stats, writeSync } from "node:fs";
import { CommandError } from "./command-error.ts";

/** Writes lines to a file, a pipe or a terminal. Never waits and never throws. */
export interface LineWriter {
  write(line: string): void;
  /** The number of lines lost so far: the disk was full, or the reader of a pipe was gone or did not keep up. */
  lostLines(): number;
}

/** How much a pipe's reader may fall behind before lines are lost. */
const BUFFER_BYTES_MAX = 1_048_576;
const RETRY_MILLIS = 20;
const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;

/**
 * Makes a writer to a file descriptor, which must be non-blocking unless it is a file; `unblock` is called before each
 * write to make it so.
 */
export function createLineWriter(fd: number, unblock = (): void => {}): LineWriter {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let isCut = false;
  let lost = 0;
  let timer: NodeJS.Timeout | undefined;

  function drain(): void {
    timer = undefined;
    try {
      while (waiting.length > 0) {
        unblock();
        const written = writeSync(fd, waiting[0]!);
        waitingBytes -= written;
        isCut = written < waiting[0]!.length;
        if (isCut) waiting[0] = waiting[0]!.subarray(written);
        else waiting.shift();
      }
    } catch (error) {
      if (isFull(error)) timer = setTimeout(drain, RETRY_MILLIS).unref();
      else dropWaiting();
    }
  }

  function dropWaiting(): void {
    lost += waiting.length;
    waiting = [];
    waitingBytes = 0;
  }

  return {
    write(line) {
      const bytes = Buffer.from(isCut && waiting.length === 0 ? `\n${line}` : line);
      if (waitingBytes + bytes.length > BUFFER_BYTES_MAX) lost++;
      else {
        waiting.push(bytes);
        waitingBytes += bytes.length;
        if (timer === undefined) drain();
      }
    },
    lostLines: () => lost,
  };
}

let opened: LineWriter | undefined;

/** Log lines go here. It is opened when the first line is written. */
export const standardOutput: LineWriter = {
  write(line) {
    opened ??= openLineWriter();
    opened.write(line);
  },
  lostLines: () => opened?.lostLines() ?? 0,
};

/** Writes the result of a command to standard output. Throws a CommandError when that is impossible. */
export function printResult(text: string): void {
  try {
    writeAll(STANDARD_OUTPUT, text);
  } catch (error) {
    throw new CommandError(`Cannot write to standard output: ${(error as Error).message}.`, { cause: error });
  }
}

/** Writes to standard error, if possible. */
export function printError(text: string): void {
  try {
    writeAll(STANDARD_ERROR, text);
  } catch {
    // The exit code still reports the failure.
  }
}

/**
 * Opens a writer to standard output that never blocks, so that a reader that does not read never holds up the process.
 * A pipe or a terminal is opened once more: the mode is then not changed for other processes that write to it. That is
 * impossible for a socket, which is what systemd gives a service, and for the pipe of another user: there the mode is
 * changed, again and again, since Node.js changes it back whenever it starts a child process.
 */
function openLineWriter(): LineWriter {
  const status = statOf(STANDARD_OUTPUT);
  if (!status?.isFIFO() && !status?.isSocket() && !status?.isCharacterDevice())
    return createLineWriter(STANDARD_OUTPUT);
  try {
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    return createLineWriter(openSync(`/proc/self/fd/${STANDARD_OUTPUT}`, flags));
  } catch {
    process.stdout.on("error", () => {});
    const { _handle: handle } = process.stdout as { _handle?: { setBlocking?(isBlocking: boolean): void } };
    return createLineWriter(STANDARD_OUTPUT, () => handle?.setBlocking?.(false));
  }
}

function statOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd);
  } catch {
    return undefined;
  }
}

function writeAll(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (!isFull(error)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MILLIS);
    }
  }
}

const isFull = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "EAGAIN";
