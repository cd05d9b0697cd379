/** Reading a line from the terminal without showing it. */
import { CommandError } from "../runtime/command-error.ts";

/** As much of a terminal as is needed. */
export interface Terminal {
  readonly isTTY?: boolean;
  setRawMode(raw: boolean): unknown;
  setEncoding(encoding: "utf8"): unknown;
  on(event: "data" | "end", listener: (text: string) => void): unknown;
  off(event: "data" | "end", listener: (text: string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

const CONTROL = { interrupt: "\u0003", endOfInput: "\u0004", backspace: "\b", deletion: "\u007f", eraseLine: "\u0015" };

/**
 * Shows the question on standard error, and reads what is typed up to the end of the line. Throws a CommandError when there is no
 * terminal, and on Ctrl-C, Ctrl-D and the end of the input.
 */
export async function readHiddenLine(
  question: string,
  signal: AbortSignal,
  terminal: Terminal = process.stdin,
): Promise<string> {
  if (!terminal.isTTY) {
    throw new CommandError(
      "There is no terminal to ask for the pass phrase; use --passphrase-file or NODE_DATA_PASSPHRASE.",
    );
  }
  process.stderr.write(question);
  terminal.setRawMode(true);
  terminal.setEncoding("utf8");
  try {
    return await new Promise<string>((resolve, reject) => {
      const line: string[] = [];
      const stop = (): void => finish(() => reject(new CommandError("Stopped; nothing has been changed.")));
      const finish = (settle: () => void): void => {
        terminal.off("data", read);
        terminal.off("end", stop);
        signal.removeEventListener("abort", stop);
        settle();
      };
      const read = (text: string): void => {
        for (const character of text) {
          if (character === "\r" || character === "\n") finish(() => resolve(line.join("")));
          else if (character === CONTROL.interrupt || character === CONTROL.endOfInput) stop();
          else if (character === CONTROL.backspace || character === CONTROL.deletion) line.pop();
          else if (character === CONTROL.eraseLine) line.length = 0;
          else line.push(character);
        }
      };
      terminal.on("data", read);
      terminal.on("end", stop);
      signal.addEventListener("abort", stop, { once: true });
      terminal.resume();
    });
  } finally {
    terminal.setRawMode(false);
    terminal.pause();
    process.stderr.write("\n");
  }
}
