import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createFrameParser } from "../../src/stomp/frame-parser.ts";
import { type Frame, StompProtocolError, writeFrame } from "../../src/stomp/frames.ts";
import { bytesOf, readSessions } from "../golden-replay/stomp-sessions.ts";

/** What a parser makes of bytes that come in these pieces: frames, and the error at the end when there is one. */
function parse(...pieces: readonly (string | Buffer)[]): { frames: Frame[]; error: string | undefined } {
  const parser = createFrameParser();
  const frames: Frame[] = [];
  try {
    for (const piece of pieces) {
      parser.push(Buffer.from(piece));
      for (let frame = parser.next(); frame !== undefined; frame = parser.next()) frames.push(frame);
      assert.ok(parser.bufferedBytes() <= 64 * 1024);
    }
  } catch (error) {
    assert.ok(error instanceof StompProtocolError, String(error));
    return { frames, error: error.message };
  }
  return { frames, error: undefined };
}

const send = (headers: string, body = ""): string => `SEND\n${headers}\n${body}\0`;
const lines = (count: number): string => Array.from({ length: count }, (_, index) => `x${index}:1\n`).join("");
/** 4096 bytes. */
const HEADER_LINES = `a:${"v".repeat(253)}\n`.repeat(16);

for (const [what, bytes, error] of [
  ["a line without a colon", send("nocolon\n"), "Invalid frame."],
  ["a line with two colons", send("a:b:c\n"), "Invalid frame."],
  ["an empty header name", send(":v\n"), "Invalid frame."],
  ["a command in lower case", "send\n\n\0", "Invalid frame."],
  ["a command of 51 letters", "A".repeat(51), "Invalid frame."],
  ["a command that does not end", "HTTP/1.1 400", "Invalid frame."],
  ["a stray NUL between frames", "\n\n\0", "Invalid frame."],
  ["a stray CR between frames", "\rSEND\n", "Invalid frame."],
  ["a stray CR in a header", send("a:b\rc\n"), "Invalid frame."],
  ["51 headers", send(lines(51)), "Invalid frame."],
  ["a value of 501 bytes", send(`a:${"v".repeat(501)}\n`), "Invalid frame."],
  ["a name of 501 bytes", send(`${"n".repeat(501)}:v\n`), "Invalid frame."],
  ["nine headers of 480 bytes", send(`a:${"v".repeat(478)}\n`.repeat(9)), "The frame header is too big."],
  ["a header line that does not end", `SEND\n${"x".repeat(1003)}`, "Invalid frame."],
  ["a value that is longer than all headers may be", send(`a:${"v".repeat(5000)}\n`), "Invalid frame."],
  ["header lines of 4097 bytes", send(`n${HEADER_LINES}`), "The frame header is too big."],
  ["an unknown escape", send("a:b\\tc\n"), "Invalid header."],
  ["a backslash at the end", send("a:b\\\n"), "Invalid header."],
  ["a header that is not UTF-8", Buffer.from(send("a:\xff\n"), "latin1"), "UTF-8 decode error."],
  ...["abc", "+5", " 5", "5 ", "1_0", "٣", "-200", "", "123456", "0x10", "1e1"].map(
    (length) =>
      [`a content-length of "${length}"`, send(`content-length:${length}\n`, "12345"), "Invalid header."] as const,
  ),
  ["a content-length of 8193", send("content-length:8193\n", "x".repeat(8193)), "Content-length is too large."],
  ["a body of 8193 bytes", send("", "x".repeat(8193)), "The body is too large."],
  ["a body that goes on behind its length", send("content-length:10\n", "x".repeat(8193)), "The body is too large."],
] as const) {
  test(`${what} is refused, after the frames before it`, () => {
    const result = parse(Buffer.concat([Buffer.from("\nSTOMP\n\n\0"), Buffer.from(bytes)]));
    assert.deepEqual(
      result.frames.map(({ command }) => command),
      ["STOMP"],
    );
    assert.equal(result.error, error);
  });
}

for (const [what, bytes, headers, body] of [
  ["50 headers", send(lines(50)), { x49: "1" }, ""],
  ["a value of 500 bytes", send(`a:${"v".repeat(500)}\n`), { a: "v".repeat(500) }, ""],
  ["4096 bytes of header lines", `SEND\r\n${HEADER_LINES}\r\nbody\0`, { a: "v".repeat(253) }, "body"],
  ["escapes in names and values", send("a\\cb:\\r\\n\\c\\\\\n"), { "a:b": "\r\n:\\" }, ""],
  ["repeated headers, of which the first counts", send("a:1\na:2\n"), { a: "1" }, ""],
  ["blanks, which belong to the value", send("a: b \n"), { a: " b " }, ""],
  ["CRLF as the end of a line", "SEND\r\na:b\r\n\r\nbody\0", { a: "b" }, "body"],
  ["a body with NUL", send("content-length:3\n", "a\0b"), {}, "a\0b"],
  ["a length that is too small", send("content-length:2\n", "abcdef"), {}, "abcdef"],
  ["a length of 0", send("content-length:0\n", "abc"), {}, "abc"],
  ["a body of 8192 bytes", send("content-length:8192\n", "x".repeat(8192)), {}, "x".repeat(8192)],
  ["a body of 8192 bytes without a length", send("", "x".repeat(8192)), {}, "x".repeat(8192)],
] as const) {
  test(`${what} is read`, () => {
    const { frames, error } = parse("\r\n\n", bytes);
    assert.equal(error, undefined);
    assert.equal(frames.length, 1);
    for (const [name, value] of Object.entries(headers)) assert.equal(frames[0]!.headers.get(name), value);
    assert.equal(frames[0]!.body.toString("latin1"), body);
  });
}

test("a million heart-beats leave nothing behind", () => {
  const parser = createFrameParser();
  parser.push(Buffer.alloc(1_000_000, "\r\n"));
  assert.equal(parser.next(), undefined);
  assert.equal(parser.bufferedBytes(), 0);
});

test("what is written is read again, however it is cut", () => {
  const header = fc.tuple(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
    fc.string({ unit: "grapheme", maxLength: 20 }),
  );
  const frame = fc.record({
    command: fc.stringMatching(/^[A-Z]{1,50}$/),
    headers: fc.array(
      header.filter(([name]) => name !== "content-length"),
      { maxLength: 10 },
    ),
    body: fc.uint8Array({ maxLength: 300 }),
  });
  fc.assert(
    fc.property(
      fc.array(frame, { minLength: 1, maxLength: 5 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 99 })),
      (written, sizes) => {
        const bytes = Buffer.concat(
          written.map(({ command, headers, body }) => writeFrame(command, headers, Buffer.from(body))),
        );
        const { frames, error } = parse(...cut(bytes, sizes));
        assert.equal(error, undefined);
        assert.equal(frames.length, written.length);
        for (const [index, { command, headers, body }] of written.entries()) {
          const read = frames[index]!;
          const firsts = new Map([...headers].reverse());
          if (body.length > 0) firsts.set("content-length", String(body.length));
          assert.deepEqual(
            [read.command, new Map([...read.headers].sort()), Buffer.from(read.body)],
            [command, new Map([...firsts].sort()), Buffer.from(body)],
          );
        }
      },
    ),
    { numRuns: 300 },
  );
});

const recorded = (await readSessions("server")).flatMap(({ steps }) =>
  steps.flatMap((step) => (step.from === "client" ? (bytesOf(step) ?? []) : [])),
);

/** How many changed streams are tried. */
const STREAM_COUNT = Number(process.env.FUZZ_STREAMS ?? 3_000);

test("recorded bytes give the same frames however they are cut and changed, and nothing but protocol errors", () => {
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255), kind: fc.constantFrom("set", "insert", "delete") });
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...recorded), { minLength: 1, maxLength: 4 }),
      fc.array(change, { maxLength: 3 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 400 })),
      (originals, changes, sizes) => {
        const bytes = changes.reduce(applyChange, Buffer.concat(originals));
        assert.deepEqual(parse(...cut(bytes, sizes)), parse(bytes));
      },
    ),
    { numRuns: STREAM_COUNT },
  );
});

function applyChange(bytes: Buffer, { at, byte, kind }: { at: number; byte: number; kind: string }): Buffer {
  const place = at % bytes.length;
  const inserted = kind === "delete" ? [] : [byte];
  return Buffer.concat([
    bytes.subarray(0, place),
    Buffer.from(inserted),
    bytes.subarray(place + (kind === "insert" ? 0 : 1)),
  ]);
}

function cut(bytes: Buffer, sizes: Iterator<number>): Buffer[] {
  const pieces: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const size = sizes.next().value as number;
    pieces.push(bytes.subarray(from, from + size));
    from += size;
  }
  return pieces;
}
