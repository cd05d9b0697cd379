/**
 * amqplib that receives 64-bit integers in headers exactly: they come as `bigint`, where the library itself rounds them to
 * `number`. The tests must see what was really sent.
 */
import { createRequire } from "node:module";
import path from "node:path";
import type * as amqplib from "amqplib";

type Fields = Record<string, unknown>;

const require = createRequire(import.meta.url);
const codec = require(path.join(path.dirname(require.resolve("amqplib")), "lib/codec.js")) as {
  decodeFields: (table: Buffer) => Fields;
};
const decodeRounded = codec.decodeFields;
codec.decodeFields = (table) => ({ ...decodeRounded(table), ...decodeLongs(table) });

// Loaded after the change: the library's other files take a copy of the function.
const library = require("amqplib") as typeof amqplib;

/** Connects to a broker. */
export const connect = (url: string): Promise<Connection> =>
  // Otherwise a small message waits 40 ms for the acknowledgement of the one before it.
  library.connect(url, { noDelay: true });
export type Connection = amqplib.ChannelModel;

const FIXED_SIZES: Record<string, number> = {
  t: 1,
  b: 1,
  B: 1,
  s: 2,
  u: 2,
  I: 4,
  i: 4,
  f: 4,
  D: 5,
  l: 8,
  d: 8,
  T: 8,
  L: 8,
  V: 0,
};

/** The members of a field table (AMQP 0-9-1) that are signed 64-bit integers. */
function decodeLongs(table: Buffer): Fields {
  const longs: Fields = {};
  for (let offset = 0; offset < table.length; ) {
    const nameLength = table[offset]!;
    const name = table.toString("utf8", offset + 1, offset + 1 + nameLength);
    const tag = String.fromCharCode(table[offset + 1 + nameLength]!);
    offset += nameLength + 2;
    if (tag === "l") longs[name] = table.readBigInt64BE(offset);
    // The other types begin with their length.
    offset += FIXED_SIZES[tag] ?? 4 + table.readUInt32BE(offset);
  }
  return longs;
}
