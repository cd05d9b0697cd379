import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  destroyMoneyRequest,
  isLine,
  linkOf,
  type PaymentRequest,
  readPaymentRequest,
  readPaymentRequestText,
  writePaymentRequest,
} from "../../../webapp/core/payment-request.ts";
import { P0, utf8 } from "./cases.ts";

const bread: PaymentRequest = {
  accountUri: "swpt:7/17",
  name: "Shop",
  amount: 1000n,
  deadline: "",
  reference: "INV-1",
  format: "",
  reason: "Bread",
};
const read = (text: string) => readPaymentRequestText(text, 7n);
const lines = (change: Partial<Record<keyof PaymentRequest, string>>): string => {
  const line = { ...bread, amount: "1000", ...change };
  return [
    "PR0",
    "",
    line.accountUri,
    line.name,
    line.amount,
    line.deadline,
    line.reference,
    line.format,
    line.reason,
  ].join("\n");
};

test("a request is read with either end of line, with or without checksum, to the end or to the amount", () => {
  assert.deepEqual(read(P0), bread);
  assert.deepEqual(read(P0.replaceAll("\n", "\r\n").replace("3a3d2e62", "4c3d9171")), bread);
  assert.deepEqual(read(P0.replace("3a3d2e62", "")), bread);
  assert.deepEqual(read("PR0\n\nswpt:7/17\nShop\n1000"), { ...bread, reference: "", reason: "" });
  assert.deepEqual(read("PR0\n0a6d5112\nswpt:7/17\nShop\n21"), { ...bread, amount: 21n, reference: "", reason: "" });
});

test("a wrong checksum is rejected", () => {
  assert.deepEqual(read(P0.replace("3a3d2e62", "deadbeef")), { problem: "check-sum" });
  assert.deepEqual(read(P0.replace("3a3d2e62", "3A3D2E62")), { problem: "check-sum-form" });
  assert.deepEqual(read(P0.replace("3a3d2e62", "3a3d2e6")), { problem: "check-sum-form" });
  assert.deepEqual(read(P0.replace("Bread", "Breed")), { problem: "check-sum" });
});

test("a reason may be an address, which is a link only when it leads to the web", () => {
  const request = read(
    "PR0\n4bea420d\nswpt:7/17\nХлебар\n0\n2026-12-31T22:00:00Z\n\n-\nhttps://x.example/",
  ) as PaymentRequest;
  assert.deepEqual(request, {
    ...bread,
    name: "Хлебар",
    amount: 0n,
    deadline: "2026-12-31T22:00:00Z",
    reference: "",
    format: "-",
    reason: "https://x.example/",
  });
  assert.equal(linkOf(request), "https://x.example/");
  assert.equal(linkOf({ format: "-", reason: "javascript:alert(1)" }), undefined);
  assert.equal(linkOf({ format: "", reason: "https://x.example/" }), undefined);
  assert.equal(linkOf({ format: ".", reason: "http://x.example/" }), "http://x.example/");
});

test("the amount has 1 to 20 digits and at most 2^63-1", () => {
  const amountOf = (amount: string) => (read(lines({ amount })) as PaymentRequest).amount;
  assert.equal(amountOf("9223372036854775807"), 2n ** 63n - 1n);
  assert.equal(amountOf("0001000"), 1000n);
  for (const amount of ["9223372036854775808", "0".repeat(21), "1e3", "-1", "1.5", ""]) {
    assert.deepEqual(read(lines({ amount })), { problem: "line", line: 5, field: "amount" }, amount);
  }
});

test("the account is one of this debtor", () => {
  assert.deepEqual(read(lines({ accountUri: "swpt:8/17" })), { problem: "other-currency", debtorUri: "swpt:8" });
  for (const accountUri of ["swpt:7/", "swpt:7", "swpt:7/a.b", "swpt:7/!YS5j=", "SWPT:7/17"]) {
    assert.deepEqual(read(lines({ accountUri })), { problem: "line", line: 3, field: "accountUri" }, accountUri);
  }
  for (const accountUri of ["swpt:7/!YS5i", "swpt:07/17"]) {
    assert.equal((read(lines({ accountUri })) as PaymentRequest).accountUri, accountUri);
  }
});

test("each line has a maximum length and allowed characters", () => {
  const isRead = (change: Parameters<typeof lines>[0]): boolean => !("problem" in read(lines(change)));
  assert.ok(isRead({ name: "😀".repeat(200), reference: "x".repeat(200), format: "a.-Z9", reason: "😀".repeat(3000) }));
  assert.deepEqual(read(lines({ name: "x".repeat(201) })), { problem: "line", line: 4, field: "name" });
  assert.deepEqual(read(lines({ name: "a\u2028b" })), { problem: "line", line: 4, field: "name" });
  assert.deepEqual(read(lines({ name: "a\rb" })), { problem: "line", line: 4, field: "name" });
  assert.deepEqual(read(lines({ format: "a_b" })), { problem: "line", line: 8, field: "format" });
  assert.deepEqual(read(lines({ format: "123456789" })), { problem: "line", line: 8, field: "format" });
  assert.deepEqual(read(lines({ reason: "x".repeat(3001) })), { problem: "line", line: 9, field: "reason" });
  assert.deepEqual(read(lines({ deadline: "tomorrow" })), { problem: "line", line: 6, field: "deadline" });
  assert.deepEqual(read(lines({ deadline: "2026-02-30" })), { problem: "line", line: 6, field: "deadline" });
  for (const deadline of ["2026-12-31", "2026-12-31T22:00Z", "2026-12-31T22:00:00.123456789+02:00"])
    assert.ok(isRead({ deadline }));
});

test("a file is recognized by its content", () => {
  assert.deepEqual(readPaymentRequest(utf8(`\ufeff${P0}`), 7n), bread);
  assert.deepEqual(readPaymentRequest(new Uint8Array([...utf8(P0), 0xff]), 7n), { problem: "not-utf8" });
  assert.deepEqual(readPaymentRequest(new Uint8Array(20_481), 7n), { problem: "too-large" });
  assert.deepEqual(read("https://x.example/debtors/7/public#swpt:7"), { problem: "coin" });
  assert.deepEqual(read("hello"), { problem: "not-a-request" });
  assert.deepEqual(read("PR0\n\nswpt:7/17"), { problem: "line", line: 4, field: "name" });
});

test("a request to destroy money asks for no amount", () => {
  assert.equal(destroyMoneyRequest("swpt:7/0", "Seven"), "PR0\nc92aea7d\nswpt:7/0\nSeven\n0\n\n\n\n");
});

test("what is written can be read again", () => {
  const line = fc.string({ unit: "binary", maxLength: 100 }).filter((text) => isLine(text) && text.isWellFormed());
  const request = fc.record(
    {
      accountUri: fc.constantFrom("swpt:7/17", "swpt:07/!YS5i"),
      name: line,
      amount: fc.bigInt(0n, 2n ** 63n - 1n),
      deadline: fc.constantFrom("", "2026-12-31", "2026-12-31T22:00:00.5Z"),
      reference: line,
      format: fc.constantFrom("", "-", ".", "a.b"),
      reason: fc.string({ unit: "binary", maxLength: 300 }).filter((text) => text.isWellFormed()),
    },
    { noNullPrototype: true },
  );
  fc.assert(fc.property(request, (value) => assert.deepEqual(read(writePaymentRequest(value)), value)));
});

test("a name with several lines asks for no other amount", () => {
  const asked = { accountUri: "swpt:7/17", amount: 1n, deadline: "", format: "", reason: "" };
  for (const end of ["\n", "\r\n", "\u2028", "\u2029"]) {
    const request = writePaymentRequest({ ...asked, name: `Shop${end}1000000`, reference: `A${end}B` });
    assert.deepEqual(read(request), { ...asked, name: "Shop 1000000", reference: "A B" });
  }
});

/** Requests with something wrong or strange in any line. */
const strangeRequest = fc
  .record({
    eol: fc.constantFrom("\n", "\r\n", "\r", "\n\r", "\u2028"),
    checkSum: fc.constantFrom("", "3a3d2e62", "00000000", "3A3D2E62", " "),
    lines: fc.array(
      fc.oneof(
        fc.constantFrom("", "swpt:7/17", "swpt:8/17", "Shop", "1000", "9223372036854775808", "2026-12-31", "-", "a b"),
        fc.string({ unit: "binary", maxLength: 250 }),
      ),
      { maxLength: 9 },
    ),
    prefix: fc.constantFrom("PR0", "PR1", "\ufeffPR0", " PR0", "pr0", ""),
  })
  .map(({ prefix, eol, checkSum, lines }) => [prefix, checkSum, ...lines].join(eol));

test("any bytes are rejected with a reason, or are a request that obeys every rule", () => {
  const bytes = fc.oneof(
    strangeRequest.map(utf8),
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 100 }).map((tail) => new Uint8Array([...utf8("PR0\n\nswpt:7/17\n"), ...tail])),
    fc.tuple(fc.nat(50), fc.nat(255)).map(([place, byte]) => utf8(P0).with(place % utf8(P0).length, byte)),
  );
  fc.assert(
    fc.property(bytes, (value) => {
      const request = readPaymentRequest(value, 7n);
      if ("problem" in request) return;
      assert.match(request.accountUri, /^swpt:0*7\/./);
      assert.ok(request.amount >= 0n && request.amount < 2n ** 63n);
      assert.ok(isLine(request.name) && isLine(request.reference));
      assert.deepEqual(read(writePaymentRequest(request)), request);
    }),
    { numRuns: 500 },
  );
});
