import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readZip, writeZip, ZipError } from "../../src/node-data/zip.ts";

/** `zip -r` of Info-ZIP 3.0: a.txt, the folder sub/, and sub/b.txt with its 200 letters packed. */
const INFO_ZIP = [
  "UEsDBAoAAAAAAAAAIVggMDo2BgAAAAYAAAAFABwAYS50eHRVVAkAA4AAkmWAAJJldXgLAAEEAAAAAAQAAAAAaGVsbG8KUEsDBAoAAAAAAAAAIV",
  "gAAAAAAAAAAAAAAAAEABwAc3ViL1VUCQADgACSZajjB2t1eAsAAQQAAAAABAAAAABQSwMEFAAAAAgAAAAhWKZry34GAAAAyAAAAAkAHABzdWIv",
  "Yi50eHRVVAkAA4AAkmWAAJJldXgLAAEEAAAAAAQAAAAAq6gYHgAAUEsBAh4DCgAAAAAAAAAhWCAwOjYGAAAABgAAAAUAGAAAAAAAAQAAAKSBAA",
  "AAAGEudHh0VVQFAAOAAJJldXgLAAEEAAAAAAQAAAAAUEsBAh4DCgAAAAAAAAAhWAAAAAAAAAAAAAAAAAQAGAAAAAAAAAAQAO1BRQAAAHN1Yi9V",
  "VAUAA4AAkmV1eAsAAQQAAAAABAAAAABQSwECHgMUAAAACAAAACFYpmvLfgYAAADIAAAACQAYAAAAAAABAAAApIGDAAAAc3ViL2IudHh0VVQFAA",
  "OAAJJldXgLAAEEAAAAAAQAAAAAUEsFBgAAAAADAAMA5AAAAMwAAAAAAA==",
].join("");

/** `zip -y` of a symbolic link to /etc/passwd. */
const SYMLINK = [
  "UEsDBAoAAAAAALY9el0KuR8pCwAAAAsAAAAHABwAemZfbGlua1VUCQADqOMHa6jjB2t1eAsAAQQAAAAABAAAAAAvZXRjL3Bhc3N3ZFBLAQIeAw",
  "oAAAAAALY9el0KuR8pCwAAAAsAAAAHABgAAAAAAAAAAAD/oQAAAAB6Zl9saW5rVVQFAAOo4wdrdXgLAAEEAAAAAAQAAAAAUEsFBgAAAAABAAEA",
  "TQAAAEwAAAAAAA==",
].join("");

/** `zip -P` of a.txt. */
const ENCRYPTED = [
  "UEsDBAoACQAAAAAAIVggMDo2EgAAAAYAAAAFABwAYS50eHRVVAkAA4AAkmWo4wdrdXgLAAEEAAAAAAQAAAAA7HY41TePu/7s5lBq84wRqLf0UE",
  "sHCCAwOjYSAAAABgAAAFBLAQIeAwoACQAAAAAAIVggMDo2EgAAAAYAAAAFABgAAAAAAAEAAACkgQAAAABhLnR4dFVUBQADgACSZXV4CwABBAAA",
  "AAAEAAAAAFBLBQYAAAAAAQABAEsAAABhAAAAAAA=",
].join("");

const archiveOf = (base64: string): Buffer => Buffer.from(base64, "base64");
const unpackAll = (archive: Buffer, entriesMax = 100): Map<string, Buffer> =>
  new Map(readZip(archive, entriesMax).map((entry) => [entry.name, entry.unpack()]));

test("an archive made by Info-ZIP is read, without its folders", () => {
  const files = unpackAll(archiveOf(INFO_ZIP));
  assert.deepEqual([...files.keys()], ["a.txt", "sub/b.txt"]);
  assert.equal(String(files.get("a.txt")), "hello\n");
  assert.equal(String(files.get("sub/b.txt")), "x".repeat(200));
});

test("a written archive is read back, with any names and sizes", () => {
  const name = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 50 })
    .filter((name) => !name.endsWith("/") && name.isWellFormed());
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
    fc.integer({ min: 0, max: 300_000 }).map((size) => Buffer.alloc(size, 65)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(name, content), { maxLength: 10 }), (files) => {
      const expected = new Map(files);
      assert.deepEqual(unpackAll(writeZip(expected)), expected);
    }),
    { numRuns: 50 },
  );
});

test("a comment at the end does no harm", () => {
  const comment = Buffer.from("PK\u0005\u0006 is no end record here");
  const archive = Buffer.concat([writeZip(new Map([["a", Buffer.from("1")]])), comment]);
  archive.writeUInt16LE(comment.length, archive.length - comment.length - 2);
  assert.deepEqual([...unpackAll(archive).keys()], ["a"]);
});

test("a damaged archive gives files or a ZipError, and no file is larger than declared", () => {
  const archive = writeZip(
    new Map([
      ["a.txt", Buffer.from("hello")],
      ["b.txt", Buffer.alloc(1000)],
    ]),
  );
  const change = fc.tuple(fc.nat(archive.length - 1), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), fc.nat(archive.length), (changes, length) => {
      const bytes = Buffer.from(archive);
      for (const [at, byte] of changes) bytes[at] = byte;
      try {
        for (const entry of readZip(bytes.subarray(bytes.length - length), 10)) {
          assert.equal(entry.unpack().length, entry.size);
        }
      } catch (error) {
        assert.ok(error instanceof ZipError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test("unpacking stops at the declared size of a file", () => {
  const bomb = writeZip(new Map([["bomb", Buffer.alloc(50 * 2 ** 20)]]));
  const central = bomb.lastIndexOf(Buffer.from("PK\u0001\u0002"));
  bomb.writeUInt32LE(1000, central + 24);
  const [entry] = readZip(bomb, 1);
  assert.equal(entry!.size, 1000);
  const before = process.memoryUsage().arrayBuffers;
  assert.throws(() => entry!.unpack(), /"bomb" is damaged/);
  assert.ok(process.memoryUsage().arrayBuffers - before < 10 * 2 ** 20);
});

for (const [what, archive, reason] of [
  ["a symbolic link", archiveOf(SYMLINK), /"zf_link" is not a file/],
  ["an encrypted file", archiveOf(ENCRYPTED), /"a.txt" is encrypted/],
  ["no archive", Buffer.from("hello"), /is not a zip archive/],
  ["an empty file", Buffer.alloc(0), /is not a zip archive/],
  [
    "more entries than allowed",
    writeZip(new Map(["a", "b", "c"].map((name) => [name, Buffer.alloc(0)]))),
    /more than 2 files/,
  ],
  [
    "a name that occurs twice",
    Buffer.from(
      writeZip(
        new Map([
          ["aa", Buffer.alloc(0)],
          ["ab", Buffer.alloc(0)],
        ]),
      )
        .toString("latin1")
        .replaceAll("ab", "aa"),
      "latin1",
    ),
    /contains "aa" twice/,
  ],
  [
    "a name that is not UTF-8",
    Buffer.from(
      writeZip(new Map([["aa", Buffer.alloc(0)]]))
        .toString("latin1")
        .replaceAll("aa", "\xff\xfe"),
      "latin1",
    ),
    /not UTF-8/,
  ],
] as const) {
  test(`${what} is rejected`, () => assert.throws(() => readZip(archive, 2), reason));
}

test("an unknown compression method, a wrong checksum and a wrong file offset are rejected", () => {
  const make = (change: (archive: Buffer, central: number) => void): Buffer => {
    const archive = writeZip(new Map([["a", Buffer.from("hello")]]));
    change(archive, archive.indexOf(Buffer.from("PK\u0001\u0002")));
    return archive;
  };
  assert.throws(() => unpackAll(make((archive, at) => archive.writeUInt16LE(12, at + 10))), /unknown way/);
  assert.throws(() => unpackAll(make((archive, at) => archive.writeUInt32LE(1, at + 16))), /damaged/);
  assert.throws(() => unpackAll(make((archive, at) => archive.writeUInt32LE(7, at + 42))), /not where/);
  assert.throws(() => unpackAll(make((archive, at) => archive.writeUInt32LE(0xfffffff0, at + 42))), /not where/);
  assert.throws(() => unpackAll(make((archive, at) => archive.writeUInt32LE(0xfffffff0, at + 20))), /cut off/);
});
