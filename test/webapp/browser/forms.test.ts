/** Forms: what is submitted twice, amounts that are shown rounded, and long lists that one comes back to. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { startBrowser, type TestBrowser } from "../../support/browser.ts";
import { waitFor } from "../../support/wait.ts";
import { C0 } from "../core/cases.ts";
import { foreignTransfer } from "../model/stand-in-node.ts";
import { goTo, pasteRequest, paymentRequest } from "./issuer.ts";
import { type StandInPage, startStandInPage } from "./stand-in-page.ts";

let stand: StandInPage;
let browser: TestBrowser;
let page: Page;
before(async () => {
  [browser, stand] = await Promise.all([startBrowser({ serviceWorkers: "block" }), startStandInPage()]);
  const thirds = C0.replace('"amountDivisor":100,"decimalPlaces":2', '"amountDivisor":300,"decimalPlaces":0');
  const info = { type: "DebtorInfo", ...stand.node.saveDocument(thirds) };
  stand.node.saveConfig(JSON.stringify({ type: "RootConfigData", rate: 0, info }));
  page = await stand.open(browser.context, "/pay");
  page.setDefaultTimeout(10_000);
  await page.getByRole("heading", { name: "New payment" }).waitFor();
});
after(async () => {
  await browser?.close();
  await stand?.close();
});

const drafts = () => page.locator("li a[href^='#/payments/']");

/** Discards the only draft. */
async function discardDraft(): Promise<void> {
  await page.getByRole("button", { name: "Discard" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await page.getByRole("heading", { name: "New payment" }).waitFor();
  assert.equal(await drafts().count(), 0);
}

test("Enter pressed twice in a payment that is typed makes one draft", async () => {
  await goTo(page, "/pay/by-hand");
  await page.getByLabel("Account").fill("swpt:7/17");
  await page.getByLabel("Amount").fill("1");
  // In one task, as when the page is busy while the keys are pressed.
  await page.evaluate(() => {
    const form = document.querySelector("form");
    form?.requestSubmit();
    form?.requestSubmit();
  });
  await page.getByRole("heading", { name: "Check and pay" }).waitFor();
  await discardDraft();
});

test("a template keeps tokens that its form shows rounded, and two clicks make one draft of it", async () => {
  await pasteRequest(page, paymentRequest("swpt:7/17", 10_000n));
  await page.getByRole("heading", { name: "Check and pay" }).waitFor();
  const [draft] = page.url().split("/").slice(-1);
  await goTo(page, `/templates?from=${draft}`);
  assert.equal(await page.getByLabel("Amount").inputValue(), "33");
  await page.getByLabel("Title").fill("Rent");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await goTo(page, `/payments/${draft}`);
  await discardDraft();

  await goTo(page, "/templates");
  await page.getByRole("button", { name: "Pay now Rent" }).evaluate((button: HTMLElement) => {
    button.click();
    button.click();
  });
  await page.getByText("(10,000 tokens)").waitFor();
  await discardDraft();
});

test("a batch says the tokens of each row whose amount is shown rounded", async () => {
  await goTo(page, "/batch");
  const buffer = Buffer.from("recipient,amount\nswpt:7/17,0.5\nswpt:7/18,2\n");
  await page.locator("input[type=file]").setInputFiles({ name: "wages.csv", mimeType: "text/csv", buffer });
  await page.getByRole("row", { name: "1 swpt:7/17 1 SVN (150 tokens)" }).waitFor();
  await page.getByRole("row", { name: "2 swpt:7/18 2 SVN", exact: true }).waitFor();
});

test("what another tab pays while a batch is looked at is pointed out in it", async () => {
  const other = await stand.open(browser.context, "/pay");
  await pasteRequest(other, paymentRequest("swpt:7/18", 600n));
  await other.getByRole("button", { name: /^Pay 2/ }).click();
  await page.getByText("1 row looks like a repetition").waitFor();
});

test("a new screen begins at its top, and going back leads to where the list was left", async () => {
  for (let index = 0; index < 60; index++) {
    const transfer = foreignTransfer({ initiatedAt: stand.node.isoNow() });
    stand.node.transfers.set(transfer.transferUuid, transfer);
    stand.node.finalize(transfer.transferUuid);
  }
  await goTo(page, "/payments");
  await page.getByRole("button", { name: "Reload" }).click();
  await page.waitForFunction(() => document.documentElement.scrollHeight > 3000);
  const row = page.locator("li[aria-posinset='45'] a");
  await page.evaluate(() => scrollTo(0, 2200));
  await row.waitFor();
  const scrolled = await page.evaluate(() => scrollY);
  await row.evaluate((link: HTMLElement) => link.click());
  await page.getByRole("heading", { name: "Payment", exact: true }).waitFor();
  const isAt = (y: number) => async (): Promise<boolean> => (await page.evaluate(() => scrollY)) === y;
  await waitFor(isAt(0), { what: "the top of the payment" });
  await page.goBack();
  await waitFor(isAt(scrolled), { what: "the place in the list" });
});
