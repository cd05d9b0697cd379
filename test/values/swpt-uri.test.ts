import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatUnsigned } from "../../src/values/int64.ts";
import { formatAccountUri, formatDebtorUri, parseAccountUri, parseDebtorUri } from "../../src/values/swpt-uri.ts";
import { anyText, int64 } from "./arbitraries.ts";

const PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=-";
const asciiCharacter = fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code));
const accountId = fc.oneof(
  fc.string({ unit: asciiCharacter, minLength: 1, maxLength: 100 }),
  fc.string({ unit: fc.constantFrom(...PLAIN), minLength: 1, maxLength: 100 }),
);

test("a debtor URI names its debtor", () => {
  fc.assert(fc.property(int64, (debtorId) => assert.equal(parseDebtorUri(formatDebtorUri(debtorId)), debtorId)));
});

test("an account URI names its account, and is plain when it can be", () => {
  fc.assert(
    fc.property(int64, accountId, (debtorId, id) => {
      const uri = formatAccountUri({ debtorId, accountId: id });
      assert.deepEqual(parseAccountUri(uri), { debtorId, accountId: id });
      assert.match(uri, /^swpt:[0-9]{1,20}\/!?[A-Za-z0-9_=-]+$/);
      assert.equal(uri.includes("!"), ![...id].every((character) => PLAIN.includes(character)));
    }),
  );
});

test("only the canonical base64 form is accepted", () => {
  fc.assert(
    fc.property(int64, accountId, fc.constantFrom("=", "==", "\n", " ", "A", "."), (debtorId, id, more) => {
      const canonical = Buffer.from(id).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
      const start = `swpt:${formatUnsigned(debtorId)}/!`;
      assert.deepEqual(parseAccountUri(start + canonical), { debtorId, accountId: id });
      const withoutPadding = canonical.replace(/=+$/, "");
      if (withoutPadding !== canonical) assert.equal(parseAccountUri(start + withoutPadding), undefined);
      const read = parseAccountUri(start + canonical + more);
      if (read !== undefined)
        assert.equal(Buffer.from(read.accountId).toString("base64url"), (canonical + more).replace(/=+$/, ""));
    }),
  );
  // The last character of the second one has bits that no byte takes.
  assert.deepEqual(parseAccountUri("swpt:1/!YQ=="), { debtorId: 1n, accountId: "a" });
  assert.equal(parseAccountUri("swpt:1/!YR=="), undefined);
  assert.equal(parseAccountUri("swpt:1/!+A=="), undefined, "the other alphabet");
});

test("an account ID has 1 to 100 ASCII characters", () => {
  for (const id of ["", "a".repeat(101), "é", "\u0080", "漢"]) {
    assert.throws(() => formatAccountUri({ debtorId: 1n, accountId: id }), RangeError);
    assert.equal(parseAccountUri(`swpt:1/!${Buffer.from(id).toString("base64url")}`), undefined);
  }
  const longest = "~".repeat(100);
  assert.equal(parseAccountUri(formatAccountUri({ debtorId: 1n, accountId: longest }))?.accountId, longest);
});

test("any other text is not a Swaptacular URI", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.equal(parseDebtorUri(text), undefined);
      assert.equal(parseAccountUri(text), undefined);
      if (!/^[0-9]+$/.test(text)) assert.equal(parseDebtorUri(`swpt:${text}`), undefined);
    }),
  );
  for (const uri of [
    "swpt:1/",
    "swpt:/a",
    "SWPT:1/a",
    "swpt:1/a/b",
    "swpt:1/a\n",
    "swpt:1 /a",
    "swpt:18446744073709551616/a",
  ]) {
    assert.equal(parseAccountUri(uri), undefined);
  }
});
