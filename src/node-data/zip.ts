/**
 * The zip container (PKWARE APPNOTE 6.3): as much of it as info bundles need, and strict, because archives come from others.
 * Archives over 4 GiB, several volumes and encryption are not supported.
 */
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { decodeUtf8 } from "../values/utf8.ts";

/** The archive is broken, or has something that is not allowed. */
export class ZipError extends Error {
  override readonly name = "ZipError";
}

/** A file in an archive. */
export interface ZipEntry {
  /** With `/` between folders; nothing has been checked. */
  readonly name: string;
  /** Size of the content, as the archive claims. */
  readonly size: number;
  /** Unpacks the content. Throws a ZipError when it is not what the archive claims. */
  unpack(): Buffer;
}

const SIGNATURE = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50 } as const;
const HEADER_BYTES = { local: 30, central: 46, end: 22 } as const;
const METHOD = { stored: 0, deflated: 8 } as const;
const UTF8_FLAG = 0x0800;
const ENCRYPTED_FLAGS = 0x2041;
const COMMENT_BYTES_MAX = 0xffff;
const UNIX = 3;
const FILE_TYPE_MASK = 0o170000;
const REGULAR_FILE = 0o100000;

/**
 * The files of an archive, in its order; folders are left out. Throws a ZipError, for instance for more than `entriesMax`
 * entries, a name that occurs twice, a symbolic link, an encrypted file.
 */
export function readZip(archive: Buffer, entriesMax: number): readonly ZipEntry[] {
  const end = findEnd(archive);
  const count = archive.readUInt16LE(end + 10);
  if (count > entriesMax) throw new ZipError(`contains more than ${entriesMax} files`);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let from = archive.readUInt32LE(end + 16);
  for (let index = 0; index < count; index += 1) {
    const header = readCentralHeader(archive, from, end);
    from += header.byteCount;
    if (names.has(header.name)) throw new ZipError(`contains ${JSON.stringify(header.name)} twice`);
    names.add(header.name);
    if (!header.isFolder) entries.push({ ...header, unpack: () => unpack(archive, header) });
  }
  if (from !== end) throw new ZipError("is not a valid zip archive (its directory has another length)");
  return entries;
}

/** The end record is the last thing in the file, save a comment of the length that it states itself. */
function findEnd(archive: Buffer): number {
  const first = Math.max(0, archive.length - HEADER_BYTES.end - COMMENT_BYTES_MAX);
  for (let at = archive.length - HEADER_BYTES.end; at >= first; at -= 1) {
    const isEnd = archive.readUInt32LE(at) === SIGNATURE.end;
    if (isEnd && archive.readUInt16LE(at + 20) === archive.length - at - HEADER_BYTES.end) return at;
  }
  throw new ZipError("is not a zip archive");
}

interface CentralHeader {
  readonly name: string;
  readonly isFolder: boolean;
  readonly method: number;
  readonly checksum: number;
  readonly packedSize: number;
  readonly size: number;
  readonly localHeader: number;
  /** The length of this header itself. */
  readonly byteCount: number;
}

function readCentralHeader(archive: Buffer, at: number, end: number): CentralHeader {
  const nameFrom = at + HEADER_BYTES.central;
  if (nameFrom > end || archive.readUInt32LE(at) !== SIGNATURE.central) {
    throw new ZipError("is not a valid zip archive (its directory is broken)");
  }
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset));
  const name = decodeName(archive.subarray(nameFrom, nameFrom + nameBytes!));
  const method = archive.readUInt16LE(at + 10);
  if ((archive.readUInt16LE(at + 8) & ENCRYPTED_FLAGS) !== 0)
    throw new ZipError(`${JSON.stringify(name)} is encrypted`);
  if (method !== METHOD.stored && method !== METHOD.deflated)
    throw new ZipError(`${JSON.stringify(name)} is packed in an unknown way`);
  const isFolder = name.endsWith("/");
  const fileType = (archive.readUInt32LE(at + 38) >>> 16) & FILE_TYPE_MASK;
  const isUnix = archive.readUInt8(at + 5) === UNIX;
  if (isUnix && !isFolder && fileType !== 0 && fileType !== REGULAR_FILE)
    throw new ZipError(`${JSON.stringify(name)} is not a file`);
  return {
    name,
    isFolder,
    method,
    checksum: archive.readUInt32LE(at + 16),
    packedSize: archive.readUInt32LE(at + 20),
    size: archive.readUInt32LE(at + 24),
    localHeader: archive.readUInt32LE(at + 42),
    byteCount: HEADER_BYTES.central + nameBytes! + extraBytes! + commentBytes!,
  };
}

/** Names are read as UTF-8 regardless of their flag: Info-ZIP does not set it where the locale is UTF-8. */
function decodeName(bytes: Buffer): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new ZipError("contains a file whose name is not UTF-8");
  }
}

function unpack(archive: Buffer, { name, method, checksum, packedSize, size, localHeader }: CentralHeader): Buffer {
  const isLocal =
    localHeader + HEADER_BYTES.local <= archive.length && archive.readUInt32LE(localHeader) === SIGNATURE.local;
  if (!isLocal) throw new ZipError(`${JSON.stringify(name)} is not where the archive says`);
  const [nameBytes, extraBytes] = [26, 28].map((offset) => archive.readUInt16LE(localHeader + offset));
  const from = localHeader + HEADER_BYTES.local + nameBytes! + extraBytes!;
  const packed = archive.subarray(from, from + packedSize);
  if (packed.length !== packedSize) throw new ZipError(`${JSON.stringify(name)} is cut off`);
  const content = method === METHOD.stored ? packed : inflate(packed, name, size);
  if (content.length !== size || crc32(content) !== checksum) throw new ZipError(`${JSON.stringify(name)} is damaged`);
  return content;
}

/** Never makes more than the size that the archive claims, which the caller has checked. */
function inflate(packed: Buffer, name: string, size: number): Buffer {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch (error) {
    throw new ZipError(`${JSON.stringify(name)} is damaged`, { cause: error });
  }
}

/** An archive of these files, with names as given. The time of all is 1980-01-01, so that equal files give equal bytes. */
export function writeZip(files: ReadonlyMap<string, Buffer>): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const nameBytes = Buffer.from(name);
    const packed = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version needed: 2.0
    common.writeUInt16LE(UTF8_FLAG, 2);
    common.writeUInt16LE(METHOD.deflated, 4);
    common.writeUInt16LE(0x0021, 8); // 1980-01-01
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const body = Buffer.concat([uint32(SIGNATURE.local), common, nameBytes, packed]);
    const rest = Buffer.alloc(14); // comment, volume, attributes, offset
    rest.writeUInt32LE(((REGULAR_FILE | 0o644) << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    const madeBy = Buffer.from([20, UNIX]);
    directory.push(Buffer.concat([uint32(SIGNATURE.central), madeBy, common, rest, nameBytes]));
    bodies.push(body);
    offset += body.length;
  }
  const end = Buffer.alloc(HEADER_BYTES.end);
  end.writeUInt32LE(SIGNATURE.end, 0);
  end.writeUInt16LE(files.size, 8);
  end.writeUInt16LE(files.size, 10);
  end.writeUInt32LE(
    directory.reduce((sum, { length }) => sum + length, 0),
    12,
  );
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, ...directory, end]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
