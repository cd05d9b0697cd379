import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, existsSync, openSync, readFileSync, readSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { createLogger } from "../../src/runtime/log.ts";
import { createLineWriter } from "../../src/runtime/output.ts";
import { waitFor } from "../support/wait.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-test-"));
after(() => rm(folder, { recursive: true, force: true }));

/** A named pipe, whose readers may come and go. */
function openPipe(name: string) {
  const file = path.join(folder, name);
  execFileSync("mkfifo", [file]);
  const openReader = (): number => openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const reader = openReader();
  return { writer: openSync(file, constants.O_WRONLY | constants.O_NONBLOCK), reader, openReader };
}

function readSome(fd: number): string {
  const bytes = Buffer.alloc(1_000_000);
  try {
    return bytes.toString("utf8", 0, readSync(fd, bytes));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "EAGAIN");
    return "";
  }
}

test("lines to a pipe without a reader are lost and counted, and the next line that is written reports it", () => {
  const { writer, reader, openReader } = openPipe("reader");
  const lines = createLineWriter(writer);
  const log = createLogger({ level: "error", format: "text", command: "test", ...lines });
  log.error("first");
  assert.match(readSome(reader), /first\n$/);
  closeSync(reader);
  for (let index = 0; index < 3; index++) log.error("lost");
  assert.equal(lines.lostLines(), 3);
  const nextReader = openReader();
  log.error("last");
  const [last, notice, end] = readSome(nextReader).split("\n");
  assert.match(last!, / last$/);
  assert.match(notice!, /error .*Log lines could not be written and are lost lines=3$/);
  assert.equal(end, "");
  assert.equal(lines.lostLines(), 3);
});

test("a slow reader gets only whole lines, up to a limit, and never blocks the writer", async () => {
  const { writer, reader } = openPipe("slow");
  const lines = createLineWriter(writer);
  const text = (index: number): string => `${String(index).padStart(6, "0")} ${"x".repeat(9_992)}\n`;
  let expected = "";
  for (let index = 0; index < 200; index++) {
    const lostBefore = lines.lostLines();
    lines.write(text(index));
    if (lines.lostLines() === lostBefore) expected += text(index);
  }
  assert.ok(lines.lostLines() > 0);
  let received = "";
  await waitFor(
    () => {
      received += readSome(reader);
      return received.length >= expected.length;
    },
    { what: () => `${expected.length} characters instead of ${received.length}` },
  );
  assert.equal(received, expected);
});

test("the line after one of which a reader has got only a part begins a line of its own", async () => {
  const { writer, reader, openReader } = openPipe("cut");
  const lines = createLineWriter(writer);
  lines.write(`${"x".repeat(500_000)}\n`);
  closeSync(reader);
  await waitFor(() => lines.lostLines() === 1);
  const nextReader = openReader();
  lines.write("last\n");
  let received = "";
  await waitFor(() => {
    received += readSome(nextReader);
    return received.endsWith("last\n");
  });
  assert.match(received, /^x+\nlast\n$/);
});

test("a full device loses lines, and nothing else", { skip: !existsSync("/dev/full") }, () => {
  const lines = createLineWriter(openSync("/dev/full", "w"));
  for (const line of ["a\n", "b\n"]) lines.write(line);
  assert.equal(lines.lostLines(), 2);
});

test("lines to a file are written in order", () => {
  const file = path.join(folder, "file");
  const lines = createLineWriter(openSync(file, "w"));
  for (const line of ["a\n", "ä\n", "c\n"]) lines.write(line);
  assert.equal(readFileSync(file, "utf8"), "a\nä\nc\n");
});
