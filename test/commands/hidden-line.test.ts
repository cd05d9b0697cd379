import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { readHiddenLine } from "../../src/commands/hidden-line.ts";
import { CommandError } from "../../src/runtime/command-error.ts";

/** A terminal that tells whether it echoes. */
function createTerminal() {
  const modes: boolean[] = [];
  const terminal = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (raw: boolean) => modes.push(raw) });
  return { terminal, modes };
}

const never = new AbortController().signal;

for (const [typed, line] of [
  ["secret\r", "secret"],
  ["secret\nmore", "secret"],
  ["größe 安全 🔑\r", "größe 安全 🔑"],
  ["secx\u007fr\bret\r", "secret"],
  ["wrong\u0015right\r", "right"],
  ["🔑\u007f\u007fx\r", "x"],
  ["\r", ""],
] as const) {
  test(`typing ${JSON.stringify(typed)} gives ${JSON.stringify(line)}, and nothing is shown meanwhile`, async () => {
    const { terminal, modes } = createTerminal();
    const reading = readHiddenLine("", never, terminal);
    for (const character of typed) terminal.write(character);
    assert.equal(await reading, line);
    assert.deepEqual(modes, [true, false]);
  });
}

test("Ctrl-C, Ctrl-D, the end of the input and a signal stop it, and the terminal echoes again", async () => {
  for (const stop of ["sec\u0003", "\u0004", null, "signal"] as const) {
    const { terminal, modes } = createTerminal();
    const controller = new AbortController();
    const reading = readHiddenLine("", controller.signal, terminal);
    if (stop === null) terminal.end();
    else if (stop === "signal") controller.abort();
    else terminal.write(stop);
    await assert.rejects(reading, CommandError);
    assert.deepEqual(modes, [true, false]);
  }
});

test("without a terminal it says what else to use", async () => {
  const { terminal } = createTerminal();
  const reading = readHiddenLine("", never, Object.assign(terminal, { isTTY: false }));
  await assert.rejects(reading, /use --passphrase-file or NODE_DATA_PASSPHRASE/);
});
