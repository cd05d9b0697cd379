/** What an issuer does over the years: a peg, an address book, templates, files, a backup, and leaving. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Download, Page } from "playwright-core";
import type { TestBrowser } from "../../support/browser.ts";
import { waitFor } from "../../support/wait.ts";
import {
  debtorIdOf,
  describeCurrency,
  EMAIL,
  goTo,
  openRequest,
  pasteRequest,
  paymentRequest,
  requestText,
  type Sandbox,
  type SandboxInBrowser,
  signIn,
  signUp,
  startSandboxInBrowser,
} from "./issuer.ts";

let started: SandboxInBrowser;
let sandbox: Sandbox;
let browser: TestBrowser;
let page: Page;
let debtorId: string;
let peg: string;
before(async () => {
  started = await startSandboxInBrowser();
  ({ sandbox, browser } = started);
  const stranger = await browser.newStranger();
  const bob = await stranger.newPage();
  await signUp(bob, sandbox, "bob@example.com");
  await describeCurrency(bob, "Euro of Bob", "BOB");
  await goTo(bob, "/coin");
  peg = (await bob.locator(".coin-text").textContent()) ?? "";
  await stranger.close();
  page = await browser.context.newPage();
  page.setDefaultTimeout(20_000);
  await signUp(page, sandbox, EMAIL);
  debtorId = await debtorIdOf(page);
});
after(() => started?.close());

async function textOf(download: Promise<Download>): Promise<string> {
  return (await (await (await download).createReadStream()).toArray()).join("");
}

test("a currency is pegged to another one by its coin, and anything that cannot be a peg is rejected with an explanation", async () => {
  await goTo(page, "/currency");
  await page.getByLabel("Name of the currency").fill("Seven");
  await page.getByLabel("Unit", { exact: true }).fill("SVN");
  await page.getByRole("button", { name: "Choose a peg" }).click();
  const refusals: [coin: string, words: RegExp][] = [
    ["hello", /not the text of a coin/],
    ["PR0\n", /not the text of a coin|payment request/],
    [`${sandbox.url}/debtors/${debtorId}/public#swpt:${debtorId}`, /your own coin/],
    [`${sandbox.url}/debtors/1/public#swpt:1`, /cannot be read/],
  ];
  for (const [coin, words] of refusals) {
    await page.getByLabel("Coin of the other currency").fill(coin);
    await page.getByRole("button", { name: "Read the coin" }).click();
    await page.getByRole("dialog").getByText(words).waitFor();
  }
  await page.getByLabel("Coin of the other currency").fill(peg);
  await page.getByRole("button", { name: "Read the coin" }).click();
  await page.getByText("Euro of Bob").waitFor();
  await page.getByRole("button", { name: "Save the currency" }).click();
  await page.getByText("A number above zero").waitFor();
  await page.getByLabel("1 SVN is worth").fill("1.1");
  await page.getByRole("button", { name: "Save the currency" }).click();
  await page.getByText("In effect").first().waitFor();

  const response = await fetch(`${sandbox.url}/debtors/${debtorId}/public`);
  const document = (await response.json()) as { peg: object };
  assert.deepEqual(document.peg, {
    type: "Peg",
    exchangeRate: 1.1,
    debtorIdentity: { type: "DebtorIdentity", uri: peg.split("#")[1] },
    latestDebtorInfo: { uri: peg.split("#")[0] },
    display: { type: "PegDisplay", amountDivisor: 100, decimalPlaces: 2, unit: "BOB" },
  });
});

test("a request whose name is known with another account is pointed out", async () => {
  await pasteRequest(page, paymentRequest(`swpt:${debtorId}/17`, 1000, "A", "Shop"));
  await page.getByRole("button", { name: /^Pay 10/ }).click();
  await page.getByText("Done", { exact: true }).waitFor();

  await pasteRequest(page, paymentRequest(`swpt:${debtorId}/18`, 1000, "B", "Shop"));
  await page.getByText(`You know this name with another account: swpt:${debtorId}/17`).waitFor();
  await pasteRequest(page, paymentRequest(`swpt:${debtorId}/17`, 1000, "A", "Shop"));
  await page.getByText(/You have made the same payment/).waitFor();
});

test("an account that is typed is paid, and nobody who is called so in the address book", async () => {
  await goTo(page, "/contacts");
  await page.getByRole("button", { name: "Add an account" }).click();
  await page.getByLabel("Your name for it").fill(`swpt:${debtorId}/19`);
  await page.getByRole("dialog").getByLabel("Account").fill(`swpt:${debtorId}/666`);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(`swpt:${debtorId}/666`).waitFor();
  await goTo(page, "/pay/by-hand");
  await page.getByLabel("Account").fill(`swpt:${debtorId}/19`);
  await page.getByLabel("Amount").fill("1");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("heading", { name: "Check and pay" }).waitFor();
  assert.equal(await page.locator("dd code").textContent(), `swpt:${debtorId}/19`);
  await page.getByRole("button", { name: "Discard" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await page.getByRole("heading", { name: "New payment" }).waitFor();
});

test("a payment becomes a template with a date, which reminds and moves on when it is paid", async () => {
  await goTo(page, "/payments");
  await page.getByRole("link", { name: /Shop.*Done/ }).click();
  await page.getByRole("button", { name: "Make a template" }).click();
  await page.getByLabel("Title").fill("Rent");
  await page.getByLabel("Due on (optional)").fill("2026-01-31");
  await page.getByLabel("Repeats").selectOption({ label: "Every month" });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Rent", { exact: true }).first().waitFor();
  await goTo(page, "/");
  await page.getByText("“Rent” was due on Jan 31, 2026").waitFor();
  await page.getByRole("button", { name: "Make the payment" }).click();
  await page.getByRole("button", { name: /^Pay 10/ }).click();
  await page.getByText("Done", { exact: true }).waitFor();
  await goTo(page, "/templates");
  await page.getByText("Rent", { exact: true }).first().waitFor();
  assert.equal(await page.getByText("Due Jan 31, 2026").count(), 0);
  await goTo(page, "/");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  assert.equal(await page.getByText(/“Rent” was due/).count(), 0);
});

test("the coin is saved as a PNG of 1,000 pixels and as an SVG; a request to return money is saved as a file", async () => {
  await goTo(page, "/coin");
  const drawing = page.waitForEvent("download");
  await page.getByRole("button", { name: "SVG image" }).click();
  assert.match(await textOf(drawing), /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  const picture = page.waitForEvent("download");
  await page.getByRole("button", { name: "PNG image" }).click();
  const png = Buffer.concat(await (await (await picture).createReadStream()).toArray());
  assert.ok(png.readUInt32BE(16) >= 1000 && png.readUInt32BE(20) >= 1000, "width and height of the image");
  const request = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as file" }).click();
  assert.match(await textOf(request), new RegExp(`^PR0\\n[0-9a-f]{8}\\nswpt:${debtorId}/\\S+\\nSeven\\n0\\n`));
});

test("a backup brings history, address book, templates and drafts to another browser, and no token", async () => {
  await goTo(page, "/settings");
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save a backup" }).click();
  const backup = await textOf(saving);
  assert.doesNotMatch(backup, /access_?token|refresh_?token|Bearer/i);

  await using elsewhere = await browser.newStranger();
  const tab = await elsewhere.newPage();
  await tab.goto(sandbox.webapp);
  await signIn(tab, EMAIL);
  await goTo(tab, "/settings");
  await tab
    .locator("input[type=file]")
    .setInputFiles({ name: "backup.json", mimeType: "application/json", buffer: Buffer.from(backup) });
  await tab.getByText(/\d+ added/).waitFor();
  await goTo(tab, "/templates");
  await tab.getByText("Rent", { exact: true }).first().waitFor();
  await goTo(tab, "/contacts");
  await tab.getByText("Shop").first().waitFor();
  await goTo(tab, "/pay");
  await tab.getByText("Unsent drafts").waitFor();
  await goTo(tab, "/settings");
  await tab
    .locator("input[type=file]")
    .setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from("{}") });
  await tab.getByText("It is not a backup, or it is damaged.").waitFor();
});

test("a failed payment says why, can be retried with a new UUID, and can be dismissed", async () => {
  await goTo(page, "/currency");
  await page.getByLabel("Limit on money in circulation").fill("21");
  await page.getByRole("button", { name: "Save the currency" }).click();
  await page.getByText("Accepted").or(page.getByText("In effect")).first().waitFor();
  const holder = await browser.context.newPage();
  await openRequest(holder, sandbox, debtorId, { amount: 500_000, reference: "TOO-MUCH" });
  const text = await requestText(holder);
  await holder.close();
  await pasteRequest(page, text);
  await page.getByText(/more than you can issue now/).waitFor();
  await page.getByRole("button", { name: /^Pay 5,000/ }).click();
  await page.getByText("Failed", { exact: true }).waitFor();
  await page.getByText("The limit on money in circulation does not allow this amount.").waitFor();
  const failed = page.url();
  await page.getByRole("button", { name: "Try again as a new payment" }).click();
  await page.getByRole("heading", { name: "Check and pay" }).waitFor();
  assert.notEqual(page.url(), failed);
  await page.goto(failed);
  const seen = page.getByRole("button", { name: "Mark as seen" });
  await seen.click();
  await seen.waitFor({ state: "detached" });
  await goTo(page, "/");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const attention = page.locator("section", { has: page.getByRole("heading", { name: "Needs your attention" }) });
  assert.equal(await attention.getByText("TOO-MUCH").count(), 0);
});

test("signing out lists what exists only here; forgetting leaves nothing", async () => {
  await goTo(page, "/settings");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText(/exists? only on this device/).waitFor();
  await page.getByRole("button", { name: "Sign out and forget everything" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  const countRecords = () =>
    page.evaluate(async () => {
      const db = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open("swpt-debtors-webapp");
        request.onsuccess = () => resolve(request.result);
      });
      const counts: number[] = [];
      for (const name of [...db.objectStoreNames].filter((table) => table !== "settings")) {
        counts.push(
          await new Promise((resolve) => {
            const request = db.transaction(name).objectStore(name).count();
            request.onsuccess = () => resolve(request.result);
          }),
        );
      }
      db.close();
      return counts.reduce((sum, count) => sum + count, 0);
    });
  // The page loads anew when it has forgotten everything, which ends what runs in it.
  const left = await waitFor(() =>
    countRecords().then(
      (count) => ({ count }),
      () => undefined,
    ),
  );
  assert.equal(left.count, 0);
});
