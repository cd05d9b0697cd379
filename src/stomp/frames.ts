/** Frames of STOMP 1.2: what a frame is, and how it is written. Spec: stomp, "Frames". */

/** A frame. Names and values of the headers are as meant, not as escaped. */
export interface Frame {
  readonly command: string;
  /** Of repeated headers the first one. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Maximum size of a body in bytes, received or sent. */
export const BODY_BYTES_MAX = 8192;

/** A heart-beat. */
export const HEART_BEAT = Buffer.from("\n");

/** The other side has broken the protocol; the message is what an `ERROR` frame tells it. */
export class StompProtocolError extends Error {
  override readonly name = "StompProtocolError";
}

/** Writes a frame with the headers in the given order, and `content-length` after them when there is a body. */
export function writeFrame(
  command: string,
  headers: readonly (readonly [name: string, value: string])[],
  body?: Buffer | string,
): Buffer {
  let head = `${command}\n`;
  for (const [name, value] of headers) head += `${escapeHeader(name)}:${escapeHeader(value)}\n`;
  const bodyBytes = body === undefined ? 0 : Buffer.byteLength(body);
  if (body === undefined || bodyBytes === 0) return Buffer.from(`${head}\n\0`);
  head += `content-length:${bodyBytes}\n\n`;
  if (typeof body === "string") return Buffer.from(`${head}${body}\0`);
  return Buffer.concat([Buffer.from(head), body, NUL]);
}

const NUL = Buffer.from("\0");

const escapeSequences: Readonly<Record<string, string>> = { "\r": "\\r", "\n": "\\n", ":": "\\c", "\\": "\\\\" };

const escapeHeader = (text: string): string => text.replace(/[\r\n:\\]/g, (character) => escapeSequences[character]!);

const unescapes: Readonly<Record<string, string>> = { "\\r": "\r", "\\n": "\n", "\\c": ":", "\\\\": "\\" };

/** Throws StompProtocolError for an unknown escape. */
export function unescapeHeader(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\[\s\S]?/g, (sequence) => {
    const character = unescapes[sequence];
    if (character === undefined) throw new StompProtocolError("Invalid header.");
    return character;
  });
}
