/** From a stream of bytes to frames. Spec: stomp, "Frames". */
import { BODY_BYTES_MAX, type Frame, StompProtocolError, unescapeHeader } from "./frames.ts";

const COMMAND_BYTES_MAX = 50;
const HEADERS_MAX = 50;
const HEADER_PART_BYTES_MAX = 500;
/** With the colon and a CR. */
const HEADER_LINE_BYTES_MAX = 2 * HEADER_PART_BYTES_MAX + 2;
const HEAD_BYTES_MAX = 4096;

/** Room grows in steps, so that single bytes are added cheaply. */
const ROOM_STEP = 16 * 1024;

const NUL = 0;
const LF = 10;
const CR = 13;
const COLON = 58;

/** A parser of one stream. It keeps incomplete input, and reads each byte once. */
export interface FrameParser {
  /** Adds bytes, which the parser may keep. */
  push(bytes: Buffer): void;
  /**
   * The next frame; `undefined` until more bytes have come. Throws StompProtocolError when the stream is broken; it must
   * not be called again then.
   */
  next(): Frame | undefined;
  /** The number of bytes that are kept. */
  bufferedBytes(): number;
}

/** Makes a parser at the start of a stream. */
export function createFrameParser(): FrameParser {
  let bytes: Buffer = Buffer.alloc(0);
  /** Where what is left of some bytes comes together with those that follow; used again and again. */
  let room: Buffer = Buffer.alloc(0);
  /** Where the part that is being read begins: a command, a header line or a body. */
  let start = 0;
  /** The input before this offset has been scanned. */
  let position = 0;
  let command: string | undefined;
  let headLines: Buffer[] = [];
  let headBytes = 0;
  let headers: ReadonlyMap<string, string> | undefined;
  let contentLength = 0;

  function push(added: Buffer): void {
    if (start === bytes.length) {
      bytes = added;
      position -= start;
      start = 0;
      return;
    }
    const rest = bytes.subarray(start);
    const length = rest.length + added.length;
    const offset = rest.buffer === room.buffer ? rest.byteOffset - room.byteOffset : room.length;
    if (offset + length <= room.length) {
      added.copy(room, offset + rest.length);
      bytes = room.subarray(offset, offset + length);
    } else {
      // Lines that are read already must not be written over.
      headLines = headLines.map((line) => Buffer.from(line));
      const target = length <= room.length ? room : Buffer.allocUnsafeSlow(Math.ceil(length / ROOM_STEP) * ROOM_STEP);
      rest.copy(target);
      added.copy(target, rest.length);
      room = target;
      bytes = room.subarray(0, length);
    }
    position -= start;
    start = 0;
  }

  function next(): Frame | undefined {
    if (command === undefined) {
      if (!skipHeartBeats()) return undefined;
      command = readCommand();
      if (command === undefined) return undefined;
    }
    if (headers === undefined) {
      headers = readHeaders();
      if (headers === undefined) return undefined;
      contentLength = readContentLength(headers);
      position = start + contentLength;
    }
    const body = readBody();
    if (body === undefined) return undefined;
    const frame = { command, headers, body };
    command = undefined;
    headers = undefined;
    return frame;
  }

  /** Whether something else follows. */
  function skipHeartBeats(): boolean {
    // Inside of a command nothing may be skipped.
    if (position !== start) return true;
    for (; start < bytes.length; start++) {
      const byte = bytes[start];
      if (byte === LF) continue;
      if (byte !== CR) break;
      if (start + 1 === bytes.length) {
        position = start;
        return false;
      }
      if (bytes[start + 1] !== LF) throw new StompProtocolError("Invalid frame.");
    }
    position = start;
    return start < bytes.length;
  }

  function readCommand(): string | undefined {
    for (; position < bytes.length; position++) {
      const byte = bytes[position]!;
      if (byte >= 65 && byte <= 90 && position - start < COMMAND_BYTES_MAX) continue;
      const length = position - start;
      if (byte === LF && length > 0) return takeCommand(length);
      if (byte === CR && length > 0) {
        if (position + 1 === bytes.length) return undefined;
        if (bytes[position + 1] === LF) return takeCommand(length);
      }
      throw new StompProtocolError("Invalid frame.");
    }
    return undefined;
  }

  function takeCommand(length: number): string {
    const text = bytes.toString("latin1", start, start + length);
    start = bytes.indexOf(LF, start + length) + 1;
    position = start;
    return text;
  }

  function readHeaders(): ReadonlyMap<string, string> | undefined {
    for (;;) {
      const end = bytes.indexOf(LF, position);
      if (end < 0) {
        if (bytes.length - start > HEADER_LINE_BYTES_MAX) throw new StompProtocolError("Invalid frame.");
        position = bytes.length;
        return undefined;
      }
      const line = bytes.subarray(start, end > start && bytes[end - 1] === CR ? end - 1 : end);
      const lineBytes = end + 1 - start;
      start = end + 1;
      position = start;
      if (line.length === 0) break;
      checkHeaderLine(line);
      if (headLines.length === HEADERS_MAX) throw new StompProtocolError("Invalid frame.");
      headBytes += lineBytes;
      if (headBytes > HEAD_BYTES_MAX) throw new StompProtocolError("The frame header is too big.");
      headLines.push(line);
    }
    const result = decodeHeaders(headLines);
    headLines = [];
    headBytes = 0;
    return result;
  }

  function readBody(): Buffer | undefined {
    if (position > bytes.length) return undefined;
    const end = bytes.indexOf(NUL, position);
    const length = (end < 0 ? bytes.length : end) - start;
    if (length > BODY_BYTES_MAX) throw new StompProtocolError("The body is too large.");
    if (end < 0) {
      position = bytes.length;
      return undefined;
    }
    // A copy: frames outlive the bytes that they came in, and must not keep all of them.
    const body = Buffer.from(bytes.subarray(start, end));
    start = end + 1;
    position = start;
    return body;
  }

  return { push, next, bufferedBytes: () => bytes.length - start };
}

function checkHeaderLine(line: Buffer): void {
  const colon = line.indexOf(COLON);
  const isValid =
    colon > 0 &&
    colon <= HEADER_PART_BYTES_MAX &&
    line.length - colon - 1 <= HEADER_PART_BYTES_MAX &&
    line.indexOf(COLON, colon + 1) < 0 &&
    line.indexOf(CR) < 0;
  if (!isValid) throw new StompProtocolError("Invalid frame.");
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeHeaders(lines: readonly Buffer[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const text = decode(line);
    const colon = text.indexOf(":");
    const name = unescapeHeader(text.slice(0, colon));
    const value = unescapeHeader(text.slice(colon + 1));
    if (!headers.has(name)) headers.set(name, value);
  }
  return headers;
}

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new StompProtocolError("UTF-8 decode error.", { cause });
  }
}

function readContentLength(headers: ReadonlyMap<string, string>): number {
  const text = headers.get("content-length");
  if (text === undefined) return 0;
  if (!/^[0-9]{1,5}$/.test(text)) throw new StompProtocolError("Invalid header.");
  const length = Number(text);
  if (length > BODY_BYTES_MAX) throw new StompProtocolError("Content-length is too large.");
  return length;
}
