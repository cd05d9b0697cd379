import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "../../../webapp/core/crc32.ts";
import { parseMoment } from "../../../webapp/core/moments.ts";
import { cleanName, codePointLength, cutToBytes, nameKey } from "../../../webapp/core/text.ts";
import { utf8 } from "./cases.ts";

test("names lose bidirectional controls", () => {
  assert.equal(cleanName("a\u202eb\u2066c\u2069\u200fd"), "abc\u200fd");
});

test("names that look the same are the same, whatever is invisible in them", () => {
  for (const name of [
    "Shop",
    "shop ",
    "Sh\u200bop",
    "\u202eShop\u202c",
    "Sh\u00adop\ufeff",
    "\uff33hop",
    "Shop\u{e0041}",
  ]) {
    assert.equal(nameKey(name), "shop", JSON.stringify(name));
  }
  assert.equal(nameKey("The\u00a0 \tShop"), "the shop");
  assert.notEqual(nameKey("Shop 1"), nameKey("Shop1"));
  assert.equal(nameKey("\u200b\u2060\u3164"), "");
});

test("lengths are in code points, cuts are between them", () => {
  assert.equal(codePointLength("😀é"), 2);
  assert.equal(cutToBytes("😀é", 5), "😀");
  assert.equal(cutToBytes("abc", -1), "");
});

test("the checksum is that of ISO 3309", () => {
  assert.equal(crc32(utf8("123456789")), "cbf43926");
  assert.equal(crc32(utf8("")), "00000000");
});

test("times from other programs are read as ISO 8601 says", () => {
  assert.equal(parseMoment("2026-12-31T22:00:00Z"), Date.UTC(2026, 11, 31, 22));
  assert.equal(parseMoment("2026-12-31T22:00:00.123456+02:00"), Date.UTC(2026, 11, 31, 20, 0, 0, 123));
  assert.equal(parseMoment("2026-12-31t22:00+0230"), Date.UTC(2026, 11, 31, 19, 30));
  assert.equal(parseMoment("2026-12-31"), Date.UTC(2027, 0, 1));
  assert.equal(parseMoment("2026-12-31T22:00"), new Date(2026, 11, 31, 22).getTime());
  for (const text of ["", "INVALID", "2026-02-30", "2026-13-01T00:00Z", "2026-12-31T25:00Z", "12/31/2026"]) {
    assert.equal(parseMoment(text), undefined, text);
  }
});
