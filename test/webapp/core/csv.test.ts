import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readBatchFile } from "../../../webapp/core/batch-file.ts";
import { CsvError, parseCsv, writeCsv } from "../../../webapp/core/csv.ts";
import { writeHistoryCsv } from "../../../webapp/core/history-csv.ts";
import { utf8 } from "./cases.ts";

test("cells are separated as in the first row, and quoted as in RFC 4180", () => {
  assert.deepEqual(parseCsv('a;b\r\n"1;""2""";x,y\r\n'), [
    ["a", "b"],
    ['1;"2"', "x,y"],
  ]);
  assert.deepEqual(parseCsv("\ufeffa\tb\n\n1\t2"), [
    ["a", "b"],
    ["1", "2"],
  ]);
  assert.deepEqual(parseCsv('"a,b",c\n1,"x\ny"'), [
    ["a,b", "c"],
    ["1", "x\ny"],
  ]);
  assert.throws(() => parseCsv('a,b\n1,"2'), new CsvError(2));
  assert.throws(() => parseCsv('a,b\n1,2"3'), new CsvError(2));
});

test("what is written can be read again", () => {
  const cell = fc.string({ unit: "binary" }).filter((text) => !/^[=+\-@\t]/.test(text));
  const rows = fc.array(fc.array(cell, { minLength: 2, maxLength: 2 }), { minLength: 1 });
  fc.assert(
    fc.property(rows, (value) => {
      const header = ["a", "b"];
      assert.deepEqual(parseCsv(writeCsv([header, ...value])), [
        header,
        ...value.filter((row) => row.some((text) => text !== "")),
      ]);
    }),
  );
});

const order = { accountUri: "swpt:7/17", name: "=1+1", reference: "-5", reason: "@x" };

test("text that a spreadsheet would run as a formula is escaped; numbers are not", () => {
  const row = {
    uuid: "u",
    state: "done",
    origin: "here",
    amount: 12345n,
    order,
    request: { noteFormat: "-1" },
    transfer: undefined,
  };
  const scale = { amountDivisor: "100", decimalPlaces: 2, unit: "+SVN" };
  assert.equal(
    writeHistoryCsv([row], scale),
    "initiatedAt,finalizedAt,status,errorCode,tokens,amount,unit,recipient,name,reference,description,noteFormat,transferUuid,origin\r\n" +
      ",,done,,12345,123.45,'+SVN,swpt:7/17,'=1+1,'-5,'@x,'-1,u,here\r\n",
  );
});

const context = {
  debtorId: 7n,
  scale: { amountDivisor: "100", decimalPlaces: 2, unit: "SVN" },
  addressBook: [
    { name: "Shop", accountUri: "swpt:7/17" },
    { name: "Twin", accountUri: "swpt:7/1" },
    { name: "Twin", accountUri: "swpt:7/2" },
  ],
};

test("the rows of a batch name a recipient by account or by its name in the address book", () => {
  const read = readBatchFile(
    utf8("recipient;amount;description\nswpt:7/17;10;Bread\nShop;90071992547409.93;\n"),
    context,
  );
  assert.ok("rows" in read);
  assert.deepEqual(
    read.rows.map(({ order }) => order && [order.accountUri, order.name, order.amount, order.reason]),
    [
      ["swpt:7/17", "", 1000n, "Bread"],
      ["swpt:7/17", "Shop", 9007199254740993n, ""],
    ],
  );
});

test("each wrong cell of a batch is named with its row, and repeated rows are pointed out", () => {
  const file = `Recipient,Amount,Reference\nswpt:8/1,1,\nNobody,0,\nTwin,"1,5",\nswpt:7/1,1.005,${"x".repeat(201)}\nswpt:7/1,1,A\nswpt:07/1,1.00,A\n,,B\nswpt:7/1,1,"C\nD"`;
  const read = readBatchFile(file, context);
  assert.ok("rows" in read);
  assert.deepEqual(
    read.rows.map(({ row, problems, repeatsRow }) => [
      row,
      ...problems.map(({ column, problem }) => `${column} ${problem}`),
      repeatsRow,
    ]),
    [
      [1, "recipient other-currency", undefined],
      [2, "recipient unknown-recipient", "amount zero", undefined],
      [3, "recipient ambiguous-recipient", "amount format", undefined],
      [4, "amount not-whole", "reference too-long", undefined],
      [5, undefined],
      [6, 5],
      [7, "recipient missing", "amount empty", undefined],
      [8, "reference line-break", undefined],
    ],
  );
});

test("a file that is not a batch is rejected as a whole", () => {
  assert.deepEqual(readBatchFile("recipient,sum\n", context), { problem: "no-column", column: "amount" });
  assert.deepEqual(readBatchFile("recipient,amount,x\n", context), { problem: "unknown-column", column: "x" });
  assert.deepEqual(readBatchFile("amount,recipient,Amount\n", context), {
    problem: "repeated-column",
    column: "amount",
  });
  assert.deepEqual(readBatchFile("recipient,amount\n", context), { problem: "no-rows" });
  assert.deepEqual(readBatchFile(`recipient,amount\n${"a,1\n".repeat(1001)}`, context), { problem: "too-many-rows" });
  assert.deepEqual(readBatchFile(new Uint8Array([0xff]), context), { problem: "not-utf8" });
  for (const empty of ["", "\ufeff", "\r\n\r\n"])
    assert.deepEqual(readBatchFile(empty, context), { problem: "no-rows" });
  assert.deepEqual(readBatchFile('recipient,amount\n"a', context), { problem: "malformed", row: 1 });
  assert.deepEqual(readBatchFile('recipient,"amount\nswpt:7/17,1', context), { problem: "malformed", row: 0 });
});

test("an amount with a comma between cells separated by commas is not cut to its units", () => {
  for (const header of ["recipient,amount", "recipient,amount,"]) {
    const file = `${header}\nswpt:7/17,1.50,\nswpt:7/18,1,50\n`;
    assert.deepEqual(readBatchFile(file, context), { problem: "extra-cell", row: 2 }, header);
  }
  const read = readBatchFile("recipient,amount\nswpt:7/17,1.50,,\n", context);
  assert.ok("rows" in read && read.rows[0]!.order?.amount === 150n);
});
