/** What this device cannot store is not sent; what happens to the database or to the page's surroundings is said. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { Page } from "playwright-core";
import { startBrowser, type TestBrowser } from "../../support/browser.ts";
import { waitFor } from "../../support/wait.ts";
import { foreignTransfer } from "../model/stand-in-node.ts";
import { goTo, pasteRequest } from "./issuer.ts";
import { type StandInPage, startStandInPage } from "./stand-in-page.ts";

let stand: StandInPage;
let browser: TestBrowser;
before(async () => {
  browser = await startBrowser({ serviceWorkers: "block" });
});
beforeEach(async () => {
  for (const page of browser.context.pages().slice(1)) await page.close();
  await stand?.close();
  // A port of its own, and so an empty storage.
  stand = await startStandInPage();
});
after(async () => {
  await browser?.close();
  await stand?.close();
});

const POSTS = ["POST", /transfers\/$/] as const;
const request = "PR0\n\nswpt:7/17\nShop\n1000\n\nINV-1\n\nBread";

async function open(place?: string): Promise<Page> {
  const page = await stand.open(browser.context, place);
  page.setDefaultTimeout(10_000);
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  return page;
}

/** From now on the database of the page fails so. */
const breakDatabase = (page: Page, name: string): Promise<void> =>
  page.evaluate((errorName) => {
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (...args) {
      if (errorName === "abort") {
        const made = put.apply(this, args);
        this.transaction.abort();
        return made;
      }
      throw new DOMException("", errorName);
    };
  }, name);

for (const [what, errorName] of [
  ["a full storage", "QuotaExceededError"],
  ["a transaction that the browser aborts", "abort"],
] as const) {
  test(`with ${what} a confirmed payment is not sent, and the user is told`, async () => {
    const page = await open();
    await pasteRequest(page, request);
    const pay = page.getByRole("button", { name: /^Pay / });
    await pay.waitFor();
    await breakDatabase(page, errorName);
    await pay.click();
    await page.getByText("Nothing was sent, because this device could not store it.").waitFor();
    assert.equal(stand.node.count(...POSTS), 0);

    await page.reload();
    await pay.click();
    await page.getByText("Under way").first().waitFor();
    assert.equal(stand.node.count(...POSTS), 1);
  });
}

test("a template and a failed payment that cannot become drafts say so", async () => {
  const failed = foreignTransfer({ note: "INV-1\nShop\n\n", noteFormat: "PAYMENT0", initiatedAt: stand.node.isoNow() });
  stand.node.transfers.set(failed.transferUuid, failed);
  stand.node.finalize(failed.transferUuid, { type: "TransferError", errorCode: "TIMEOUT", totalLockedAmount: 0n });
  const page = await open("/templates");
  await page.getByRole("button", { name: "New template" }).first().click();
  await page.getByLabel("Title").fill("Rent");
  await page.getByLabel("Account", { exact: true }).fill("swpt:7/18");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Pay now Rent" }).waitFor();
  await breakDatabase(page, "QuotaExceededError");
  for (const [place, button] of [
    ["/pay", "Rent"],
    [`/payments/${failed.transferUuid}`, "Try again as a new payment"],
  ] as const) {
    await goTo(page, place);
    await page.getByRole("button", { name: button }).click();
    await page.getByText("Nothing was sent, because this device could not store it.").waitFor();
    await page.getByText("Nothing was sent, because this device could not store it.").waitFor({ state: "detached" });
  }
});

test("when the database is deleted under the page nothing is sent any more, and a reload finds the payments again", async () => {
  const page = await open();
  await pasteRequest(page, request);
  await page.getByRole("button", { name: /^Pay / }).click();
  await waitFor(() => stand.node.transfers.size === 1);
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        indexedDB.deleteDatabase("swpt-debtors-webapp").onsuccess = resolve;
      }),
  );
  await page.getByRole("button", { name: "Reload" }).click();
  await goTo(page, "/payments");
  await page.getByText("1 payment").waitFor();
  assert.equal(stand.node.count(...POSTS), 1);
});

test("where storing is forbidden the page says so, and sends nothing", async () => {
  const page = await browser.context.newPage();
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException("", "SecurityError");
    };
    sessionStorage.setItem("issuer tokens", '{"accessToken":"T"}');
  });
  await page.goto(`${stand.origin}/debtors-webapp/`);
  await page.getByText("cannot store").first().waitFor();
  assert.equal(stand.node.count(...POSTS), 0);
});

test("where cookies are blocked, and so all storage, the page says so", async () => {
  const page = await browser.context.newPage();
  await page.addInitScript(() => {
    const get = (): never => {
      throw new DOMException("", "SecurityError");
    };
    for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { get });
  });
  for (const query of ["", "?code=x&state=y"]) {
    await page.goto(`${stand.origin}/debtors-webapp/${query}`);
    await page.getByRole("alert").getByText("Allow it to store data (cookies)").waitFor();
  }
});

test("over plain http the page says that it needs https", async () => {
  const page = await browser.context.newPage();
  // The same files at an address that is not of this machine.
  await page.route("http://node.example/**", async (route) => {
    const response = await route.fetch({ url: route.request().url().replace("http://node.example", stand.origin) });
    await route.fulfill({ response });
  });
  await page.goto("http://node.example/debtors-webapp/");
  await page.getByRole("alert").getByText("This address is not secure").waitFor();
  await page.getByText("begins with https").waitFor();
});

test("a browser that would get digits wrong is turned away", async () => {
  const page = await browser.context.newPage();
  await page.addInitScript(() => {
    const { format } = Object.getOwnPropertyDescriptors(Intl.NumberFormat.prototype);
    Object.defineProperty(Intl.NumberFormat.prototype, "format", {
      get() {
        const exact = format.get!.call(this) as (value: unknown) => string;
        return (value: unknown) => exact(typeof value === "string" ? Number(value) : value);
      },
    });
  });
  await page.goto(`${stand.origin}/debtors-webapp/`);
  await page.getByRole("alert").getByText("This browser is too old").waitFor();
});

test("what is typed into a dialog is there again after signing in again", async () => {
  const page = await open("/contacts");
  await page.getByRole("button", { name: "Add an account" }).first().click();
  await page.getByLabel("Your name for it").fill("Baker");
  await page.getByRole("textbox", { name: "Account" }).fill("swpt:7/18");
  stand.node.fault = () => ({ status: 401 });
  // As coming back from the authorization server does.
  await page.reload();
  await page.getByText("You have been signed out").waitFor();
  stand.node.fault = () => undefined;
  await page.reload();
  assert.equal(await page.getByRole("dialog").getByLabel("Your name for it").inputValue(), "Baker");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("swpt:7/18").waitFor();

  await goTo(page, "/templates");
  await page.getByRole("button", { name: "New template" }).first().click();
  await page.getByLabel("Title").fill("Rent");
  await page.getByLabel("Recipient").fill("swpt:7/18");
  await page.reload();
  const dialog = page.getByRole("dialog");
  assert.equal(await dialog.getByLabel("Title").inputValue(), "Rent");
  assert.equal(await dialog.getByLabel("Recipient").inputValue(), "swpt:7/18");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.reload();
  await page.getByRole("heading", { name: "Templates", exact: true }).waitFor();
  assert.equal(await dialog.count(), 0);
});
