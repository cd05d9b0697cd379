import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parsePathUuid, parseUuid } from "../../src/values/uuid.ts";

const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) =>
  Buffer.from(bytes)
    .toString("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
);

test("a UUID is normalized to lower case with hyphens", () => {
  fc.assert(
    fc.property(uuid, (text) => {
      for (const spelling of [text, text.toUpperCase()]) {
        assert.equal(parseUuid(spelling), text);
        assert.equal(parsePathUuid(spelling), text);
        assert.equal(parseUuid(spelling.replaceAll("-", "")), text);
        assert.equal(parsePathUuid(spelling.replaceAll("-", "")), undefined, "a path has the hyphens");
      }
    }),
  );
});

test("a UUID has all hyphens or none, and nothing around it", () => {
  fc.assert(
    fc.property(uuid, fc.constantFrom(0, 1, 2, 3), (text, kept) => {
      const parts = text.split("-");
      const some = `${parts.slice(0, kept + 1).join("-")}${parts.slice(kept + 1).join("")}`;
      assert.equal(parseUuid(some), kept === 0 ? text : undefined);
      for (const other of [`{${text}}`, `urn:uuid:${text}`, `${text}\n`, ` ${text}`, text.slice(1), `${text}0`]) {
        assert.equal(parseUuid(other), undefined);
        assert.equal(parsePathUuid(other), undefined);
      }
    }),
  );
});
