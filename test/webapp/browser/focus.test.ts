/** By keyboard alone: what disappears under the focus passes it on to what follows, and never to what pays or deletes. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { startBrowser, type TestBrowser } from "../../support/browser.ts";
import { waitFor } from "../../support/wait.ts";
import { foreignTransfer } from "../model/stand-in-node.ts";
import { goTo } from "./issuer.ts";
import { type StandInPage, startStandInPage } from "./stand-in-page.ts";

let stand: StandInPage;
let browser: TestBrowser;
let page: Page;
before(async () => {
  [stand, browser] = await Promise.all([startStandInPage(), startBrowser({ serviceWorkers: "block" })]);
  page = await stand.open(browser.context);
  page.setDefaultTimeout(10_000);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
});
after(async () => {
  await browser?.close();
  await stand?.close();
});

async function press(control: Locator): Promise<void> {
  await control.focus();
  await page.keyboard.press("Enter");
}

const focusedText = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");

const focusIsOn = (text: string): Promise<unknown> =>
  waitFor(async () => (await focusedText()) === text, { what: `the focus on ${text}` });

const addAccount = async (name: string, accountUri: string): Promise<void> => {
  await page.getByRole("button", { name: "Add an account" }).click();
  await page.getByLabel("Your name for it").fill(name);
  await page.getByRole("textbox", { name: "Account" }).fill(accountUri);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
};

const removeAccount = async (name: string): Promise<void> => {
  await press(page.getByRole("button", { name: `Remove ${name}` }));
  await press(page.getByRole("dialog").getByRole("button", { name: "Remove" }));
};

test("the focus of a row that is removed goes to the next row, and from the last one to what is left", async () => {
  await goTo(page, "/contacts");
  await addAccount("Anna", "swpt:7/1");
  await addAccount("Berta", "swpt:7/2");
  await removeAccount("Anna");
  await focusIsOn("Pay Berta");
  await removeAccount("Berta");
  await focusIsOn("Add an account");
});

test("a button that has done its work passes the focus on, unless it would be to one that pays", async () => {
  const failed = foreignTransfer({ note: "INV-1\nShop\n\n", noteFormat: "PAYMENT0", initiatedAt: stand.node.isoNow() });
  stand.node.transfers.set(failed.transferUuid, failed);
  stand.node.finalize(failed.transferUuid, { type: "TransferError", errorCode: "TIMEOUT", totalLockedAmount: 0n });
  await page.getByRole("button", { name: "Reload" }).click();
  await goTo(page, `/payments/${failed.transferUuid}`);
  await press(page.getByRole("button", { name: "Mark as seen" }));
  await focusIsOn("Save as file");

  await goTo(page, "/payments");
  await page.getByLabel("Search").fill("INV");
  await press(page.getByRole("button", { name: "Clear the filter" }));
  await waitFor(async () => (await focusedText()).startsWith("Shop"), { what: "the focus on the first payment" });
});

test("the focus is left alone where the user has left it, and a new screen has it on its heading", async () => {
  await goTo(page, "/contacts");
  await addAccount("Anna", "swpt:7/1");
  await page.getByRole("link", { name: "Pay Anna" }).focus();
  await page.locator("main").click({ position: { x: 1, y: 1 } });
  await page.keyboard.press("Escape");
  await goTo(page, "/templates");
  await focusIsOn("Templates");
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
});
