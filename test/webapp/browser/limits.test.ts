/** What keeps an issuer from issuing: a limit of the operator, a server that is busy, an account that is not active. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { startBrowser, type TestBrowser } from "../../support/browser.ts";
import { goTo, pasteRequest } from "./issuer.ts";
import { type StandInPage, startStandInPage } from "./stand-in-page.ts";

let stand: StandInPage;
let browser: TestBrowser;
let page: Page;
before(async () => {
  [stand, browser] = await Promise.all([startStandInPage(), startBrowser({ serviceWorkers: "block" })]);
  stand.node.minBalance = -5000n;
  stand.node.balance = -1000n;
  stand.publishCoin({ debtorName: "Seven", unit: "SVN" });
  page = await stand.open(browser.context);
  page.setDefaultTimeout(10_000);
  await page.getByText("SVN").first().waitFor();
});
after(async () => {
  await browser?.close();
  await stand?.close();
});

test("a limit that the operator has set is shown on the overview and next to the issuer's own limit", async () => {
  await page.getByText("Limit set by the operator").waitFor();
  await page.getByText("50.00 SVN").waitFor();
  await goTo(page, "/currency");
  await page.getByText("In circulation now: 10.00 SVN (may lag by hours).").waitFor();
  await page.getByText("allows at most 50.00 SVN. You can still issue 40.00 SVN.").waitFor();
});

test("a batch of more than can be issued is pointed out before it starts", async () => {
  for (const [amount, isPointedOut] of [
    ["20", false],
    ["20.01", true],
  ] as const) {
    await goTo(page, "/batch");
    const buffer = Buffer.from(`recipient,amount\nswpt:7/17,20\nswpt:7/18,${amount}\n`);
    await page.locator("input[type=file]").setInputFiles({ name: "wages.csv", mimeType: "text/csv", buffer });
    await page.getByRole("button", { name: "Make 2 payments" }).waitFor();
    assert.equal(await page.getByText("This is more than you can issue now (40.00 SVN)").count(), isPointedOut ? 1 : 0);
    await page.getByRole("button", { name: "Discard" }).click();
  }
});

test("a server that is busy is not called a missing connection", async () => {
  await pasteRequest(page, "PR0\n\nswpt:7/17\nShop\n1000\n\nINV-1\n\n");
  await page.getByRole("heading", { name: "Check and pay" }).waitFor();
  stand.node.fault = () => ({ status: 429, retryAfter: "3600" });
  await page.getByRole("button", { name: /^Pay / }).click();
  await page.getByText("Too many requests. Try again in a while.").waitFor();
  await page.getByText("The server is busy", { exact: true }).waitFor();
  assert.equal(await page.getByText("No connection").count(), 0);
});

test("an issuer who is not active is not told that the account is being opened", async () => {
  stand.node.fault = () => ({ status: 404 });
  const other = await browser.newStranger();
  const tab = await stand.open(other);
  await tab.getByText("This issuer is not active").waitFor();
  await tab.getByText("Ask the operator of this server.").waitFor();
  assert.equal(await tab.getByText("Your account is being opened").count(), 0);
  await other.close();
});
