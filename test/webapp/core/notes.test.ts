import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readNote, writeNote } from "../../../webapp/core/notes.ts";
import { readPaymentRequestText, writePaymentRequest } from "../../../webapp/core/payment-request.ts";

const parts = { reference: "INV-1", name: "Shop", format: "", reason: "Bread" };

test("a note has the four parts, and says whether the amount was fixed", () => {
  assert.deepEqual(writeNote(parts, true, 500), { note: "INV-1\nShop\n\nBread", noteFormat: "PAYMENT0", cuts: [] });
  assert.equal(writeNote(parts, false, 500)!.noteFormat, "payment0");
});

test("a reason that is too long is cut at a code point, and the user is told", () => {
  assert.deepEqual(writeNote({ ...parts, reason: "Bread and butter" }, true, 20), {
    note: "INV-1\nShop\n\nBread an",
    noteFormat: "PAYMENT0",
    cuts: [{ kind: "reason-cut", kept: "Bread an" }],
  });
  const cyrillic = writeNote({ ...parts, name: "Хлебар", reason: "Бял хляб" }, true, 30)!;
  assert.equal(cyrillic.note, "INV-1\nХлебар\n\nБял х");
  assert.equal(Buffer.byteLength(cyrillic.note), 29);
});

test("then the reason is dropped, then the name; a reference that does not fit is refused", () => {
  assert.deepEqual(writeNote(parts, true, 10), {
    note: "INV-1\nShop",
    noteFormat: "PAYMENT0",
    cuts: [{ kind: "reason-dropped" }],
  });
  assert.deepEqual(writeNote(parts, true, 9), {
    note: "INV-1",
    noteFormat: "PAYMENT0",
    cuts: [{ kind: "reason-dropped" }, { kind: "name-dropped" }],
  });
  assert.equal(writeNote(parts, true, 4), undefined);
});

test("a note never has more bytes than allowed, and its parts are read again", () => {
  const text = fc
    .string({ unit: "grapheme", maxLength: 40 })
    .filter((value) => !/[\n\r\u2028\u2029]/.test(value) && value.isWellFormed());
  const note = fc.record(
    { reference: text, name: text, format: fc.constantFrom("", "-"), reason: text },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(note, fc.nat(200), (value, bytesMax) => {
      const written = writeNote(value, true, bytesMax);
      if (written === undefined) return assert.ok(Buffer.byteLength(value.reference) > bytesMax);
      assert.ok(Buffer.byteLength(written.note) <= bytesMax);
      const again = readNote(written.noteFormat, written.note);
      assert.equal(again.reference, value.reference);
      if (written.cuts.length === 0 && Buffer.byteLength(written.note) > 0 && written.note.split("\n").length === 4) {
        assert.deepEqual(again, value);
      }
    }),
  );
});

test("notes of other clients are read", () => {
  assert.deepEqual(readNote("", "Thanks to `Santa  Claus`!"), {
    reference: "",
    name: "Santa Claus",
    format: "",
    reason: "Thanks to `Santa  Claus`!",
  });
  assert.deepEqual(readNote("other", "REF\nmore"), {
    reference: "REF",
    name: "",
    format: "other",
    reason: "REF\nmore",
  });
  assert.deepEqual(readNote("-own", "REF\nmore"), { reference: "", name: "", format: "-own", reason: "REF\nmore" });
  assert.deepEqual(readNote("PAYMENT0", "REF"), { reference: "REF", name: "", format: "", reason: "" });
  const long = `REF\n${"x".repeat(201)}`;
  assert.deepEqual(readNote("payment0", long), { reference: "REF", name: "", format: "payment0", reason: long });
});

test("a payment can be saved as a file whatever its note, and the file is read again", () => {
  const anyNote = fc.oneof(
    fc.string({ unit: "binary", maxLength: 500 }),
    fc.string({ unit: fc.constantFrom("\n", "\r", "\u2028", "a", "`", "-"), maxLength: 500 }),
    fc.constant(`INV-1\nShop\n\n${"x".repeat(458)}`),
  );
  const format = fc.oneof(fc.stringMatching(/^[0-9A-Za-z.-]{0,8}$/), fc.constantFrom("", "payment0", "PAYMENT0", "-x"));
  fc.assert(
    fc.property(format, anyNote, fc.bigInt(0n, 2n ** 63n - 1n), (noteFormat, note, amount) => {
      fc.pre(note.isWellFormed());
      const order = { accountUri: "swpt:7/17", ...readNote(noteFormat, note), amount, deadline: "" };
      assert.deepEqual(readPaymentRequestText(writePaymentRequest(order), 7n), order);
    }),
  );
});
