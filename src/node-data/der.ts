/** DER (ITU-T X.690): as much of it as certificates, requests and encrypted keys need. */

/** Universal tags, and the bit that marks a constructed value. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** A value with its tag and length; tags above 30 do not occur. */
export function encode(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), encodeLength(content.length), content]);
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const digits = length.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

/** SEQUENCE of values that are encoded already. */
export const sequence = (...members: readonly Uint8Array[]): Buffer => encode(TAG.sequence, ...members);

/** SET of one value, which needs no sorting. */
export const setOf = (member: Uint8Array): Buffer => encode(TAG.set, member);

/** INTEGER, two's complement in as few bytes as possible. */
export function integer(value: bigint | number): Buffer {
  let byteCount = 1;
  while (BigInt.asIntN(byteCount * 8, BigInt(value)) !== BigInt(value)) byteCount += 1;
  const digits = BigInt.asUintN(byteCount * 8, BigInt(value)).toString(16);
  return encode(TAG.integer, Buffer.from(digits.padStart(byteCount * 2, "0"), "hex"));
}

/** BOOLEAN. */
export const boolean = (value: boolean): Buffer => encode(TAG.boolean, Buffer.from([value ? 0xff : 0]));

/** BIT STRING of whole bytes, or with some bits unused at the end. */
export const bitString = (bytes: Uint8Array, unusedBits = 0): Buffer =>
  encode(TAG.bitString, Buffer.from([unusedBits]), bytes);

/** OCTET STRING. */
export const octetString = (...contents: readonly Uint8Array[]): Buffer => encode(TAG.octetString, ...contents);

/** NULL. */
export const nullValue = (): Buffer => encode(TAG.null);

/** OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split(".").map(BigInt);
  return encode(TAG.objectIdentifier, ...[first! * 40n + second!, ...rest].map(encodeBase128));
}

function encodeBase128(arc: bigint): Buffer {
  const bytes = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) bytes.unshift(Number(rest & 0x7fn) | 0x80);
  return Buffer.from(bytes);
}

/** A time in whole seconds, UTC: UTCTime before 2050, GeneralizedTime from then on. Years 1950 to 9999. */
export function time(date: Date): Buffer {
  const text = formatTime(date);
  return encode(text.length === 13 ? TAG.utcTime : TAG.generalizedTime, Buffer.from(text, "latin1"));
}

/** The text of such a time: `YYMMDDhhmmssZ` before 2050, else `YYYYMMDDhhmmssZ`. */
export function formatTime(date: Date): string {
  const digits = date.toISOString().replace(/\.\d+Z$|\D/g, "");
  return `${date.getUTCFullYear() < 2050 ? digits.slice(2) : digits}Z`;
}

/** A value that has been read. */
export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly raw: Buffer;
}

/** The bytes are not what was expected. */
export class DerError extends Error {
  override readonly name = "DerError";
}

/** Reads exactly one value. Throws a DerError when the bytes are no DER value, or when some are left over. */
export function decode(bytes: Buffer): DerValue {
  const values = decodeAll(bytes);
  if (values.length !== 1) throw new DerError(`${values.length} values in place of one`);
  return values[0]!;
}

/** Reads the values that follow one another, for instance the members of a SEQUENCE. Throws a DerError. */
export function decodeAll(bytes: Buffer): readonly DerValue[] {
  const values: DerValue[] = [];
  for (let from = 0; from < bytes.length; ) {
    const value = decodeFirst(bytes.subarray(from));
    values.push(value);
    from += value.raw.length;
  }
  return values;
}

function decodeFirst(bytes: Buffer): DerValue {
  const [tag, lengthByte] = bytes;
  if (tag === undefined || lengthByte === undefined) throw new DerError("truncated");
  if ((tag & 0x1f) === 0x1f) throw new DerError("a tag of several bytes");
  const lengthBytes = lengthByte < 0x80 ? 0 : lengthByte & 0x7f;
  if (lengthByte >= 0x80 && (lengthBytes === 0 || lengthBytes > 4)) throw new DerError("a length that is not allowed");
  if (bytes.length < 2 + lengthBytes) throw new DerError("truncated");
  const length = lengthBytes === 0 ? lengthByte : bytes.readUIntBE(2, lengthBytes);
  if (lengthBytes > 0 && (length < 0x80 || bytes[2] === 0)) throw new DerError("a length that is too long");
  const from = 2 + lengthBytes;
  if (bytes.length < from + length) throw new DerError("truncated");
  return { tag, content: bytes.subarray(from, from + length), raw: bytes.subarray(0, from + length) };
}

/** Reads the members of a value of that tag. Throws a DerError for another tag. */
export function membersOf(value: DerValue | undefined, tag: number = TAG.sequence): readonly DerValue[] {
  if (value?.tag !== tag) throw new DerError(`tag ${value?.tag} in place of ${tag}`);
  return decodeAll(value.content);
}

/** The dotted form of an OBJECT IDENTIFIER. Throws a DerError. */
export function readObjectIdentifier(value: DerValue | undefined): string {
  if (value?.tag !== TAG.objectIdentifier) throw new DerError("no object identifier");
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of value.content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  if (arcs.length === 0 || value.content.at(-1)! >= 0x80) throw new DerError("no object identifier");
  const top = arcs[0]! < 80n ? arcs[0]! / 40n : 2n;
  return [top, arcs[0]! - top * 40n, ...arcs.slice(1)].join(".");
}
