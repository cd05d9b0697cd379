import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { pino } from "pino";
import { changeBooks } from "../../sandbox/accounting-authority/books.ts";
import { createFaultInjector } from "../../sandbox/accounting-authority/faults.ts";
import { createHolderBook, type HolderBook } from "../../sandbox/accounting-authority/holder-book.ts";
import { addToPrincipal } from "../../sandbox/accounting-authority/holders.ts";
import { createTables } from "../../sandbox/accounting-authority/store.ts";
import { type HoldersPage, startHoldersPage } from "../../sandbox/holders-page/server.ts";
import { now } from "../../src/values/timestamp.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

const settings = { balanceUpdateDelaySeconds: 0, faults: createFaultInjector(), paceMillis: 0 };

let database: TestDatabase;
let book: HolderBook;
let page: HoldersPage;
before(async () => {
  database = await createTestDatabase();
  await createTables(database.pool);
  book = createHolderBook(database.pool, settings, now);
  page = await startHoldersPage({ pool: database.pool, book, port: 0, log: pino({}, { write: () => {} }) });
});
after(async () => {
  await page?.close();
  await database?.close();
});

/** Lets a holder have issued money. */
async function issue(debtorId: bigint, creditorId: bigint, amount: bigint): Promise<void> {
  await book.createHolder(debtorId, creditorId);
  const keys = [0n, creditorId].map((creditorId) => ({ debtorId, creditorId }));
  await changeBooks(database.pool, settings, keys, now(), (ledger, stepContext) => [
    ...addToPrincipal(ledger, debtorId, 0n, -amount, stepContext),
    ...addToPrincipal(ledger, debtorId, creditorId, amount, stepContext),
  ]);
}

const get = (path: string): Promise<Response> => fetch(new URL(path, page.url));

/** Sends a form as a browser does after it has shown the page of this debtor. */
async function submit(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
  const html = await (await get(`/${path.split("/")[1]}`)).text();
  const csrf_token = /name="csrf_token" value="([^"]+)"/.exec(html)![1]!;
  const body = new URLSearchParams({ csrf_token, ...fields });
  return fetch(new URL(path, page.url), { method: "POST", body, headers, redirect: "manual" });
}

test("the page lists the currencies, and the holders of each with their balances", async () => {
  await issue(-1n, 17n, 9007199254740993n);

  assert.match(await (await get("/")).text(), /href="\/18446744073709551615"/);
  const html = await (await get("/18446744073709551615")).text();
  assert.match(html, /<td>17<\/td><td class="amount">9007199254740993<\/td>/);
  assert.match(html, /<strong id="circulation">9007199254740993</);
});

test("a holder is created, and money is paid to it and back to the issuer", async () => {
  await issue(1n, 17n, 100n);

  for (const [path, fields] of [
    ["/1/holders", { holder: "18" }],
    ["/1/payments", { sender: "17", recipient: "18", amount: "40" }],
    ["/1/payments", { sender: "18", recipient: "0", amount: "15" }],
  ] as const) {
    const response = await submit(path, fields);
    assert.deepEqual([response.status, response.headers.get("location")], [303, "/1"]);
  }

  assert.deepEqual(await book.balances(1n), {
    circulation: 85n,
    holders: [
      { creditorId: 17n, balance: 60n },
      { creditorId: 18n, balance: 25n },
    ],
  });
});

test("an impossible payment is rejected with a message, and changes nothing", async () => {
  await issue(2n, 17n, 100n);
  const before = await book.balances(2n);

  for (const [path, fields, problem] of [
    ["/2/payments", { sender: "17", recipient: "0", amount: "101" }, /The sender has only 100/],
    ["/2/payments", { sender: "17", recipient: "0", amount: "0" }, /must be positive/],
    ["/2/payments", { sender: "17", recipient: "0", amount: "1.5" }, /is an integer/],
    ["/2/payments", { sender: "17", recipient: "0", amount: "9223372036854775808" }, /is an integer/],
    ["/2/payments", { sender: "0", recipient: "17", amount: "1" }, /issuing transfer/],
    ["/2/payments", { sender: "17", recipient: "99", amount: "1" }, /no such recipient/],
    ["/2/payments", { sender: "<b>", recipient: "17", amount: "1" }, /no such holder/],
    ["/2/holders", { holder: "17" }, /The holder already exists/],
    ["/2/holders", { holder: "18446744073709551616" }, /below 2\^64/],
  ] as const) {
    const response = await submit(path, fields);
    assert.equal(response.status, 422);
    assert.match(await response.text(), problem);
  }

  assert.deepEqual(await book.balances(2n), before);
});

test("a form of another site, one without its token, and another host name are rejected", async () => {
  await issue(3n, 17n, 100n);
  const fields = { sender: "17", recipient: "0", amount: "1" };

  assert.equal((await submit("/3/payments", fields, { origin: "http://evil.example" })).status, 403);
  assert.equal((await submit("/3/payments", { ...fields, csrf_token: "x" })).status, 403);
  const bare = await fetch(new URL("/3/payments", page.url), { method: "POST", body: new URLSearchParams(fields) });
  assert.equal(bare.status, 403);
  assert.equal((await submit("/3/payments", { ...fields, filler: "x".repeat(10_000) })).status, 403);
  assert.equal(await statusByName("evil.example"), 421);
  assert.equal((await book.balances(3n)).circulation, 100n);
});

test("there are no other pages", async () => {
  for (const path of ["/x", "/01", "/1/x", "/1/holders", "/1/holders/x"])
    assert.equal((await get(path)).status, 404, path);
});

/** `fetch` does not let a `Host` be chosen. */
async function statusByName(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(page.url, { headers: { host } }, (incoming) => {
      incoming.resume();
      resolve(incoming.statusCode!);
    });
    outgoing.on("error", reject).end();
  });
}

test("a payment request is shown as a QR code, a text and a file, and its page shows what has arrived", async () => {
  const asked = await get("/7/request?holder=17&name=Shop&amount=1000&reference=INV-1&reason=Bread");
  const html = await asked.text();
  assert.match(asked.url, /before=0$/);
  assert.match(html, /<svg class="qr" role="img"/);
  assert.match(html, />PR0\n3a3d2e62\nswpt:7\/17\nShop\n1000\n\nINV-1\n\nBread<\/textarea>/);
  assert.match(html, /Waiting for the money…/);
  const file = await get(asked.url.replace(page.url, "/").replace("/request?", "/request.pr0?"));
  assert.equal(file.headers.get("content-type"), "application/vnd.swaptacular.pr0");
  assert.equal(await file.text(), "PR0\n3a3d2e62\nswpt:7/17\nShop\n1000\n\nINV-1\n\nBread");

  await issue(7n, 17n, 1000n);

  assert.match(await (await get(asked.url)).text(), /1000 tokens have arrived/);
});

test("a payment request with an invalid amount is rejected", async () => {
  for (const query of ["holder=x", "holder=17&amount=1.5", "holder=17&amount=9223372036854775808"]) {
    assert.equal((await get(`/7/request?${query}`)).status, 403, query);
  }
});
