/** Files that cannot be read: the user is told on every screen that takes one. */
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { startBrowser, type TestBrowser } from "../../support/browser.ts";
import { goTo } from "./issuer.ts";
import { type StandInPage, startStandInPage } from "./stand-in-page.ts";

let stand: StandInPage;
let browser: TestBrowser;
let page: Page;
let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-webapp-files-"));
  [stand, browser] = await Promise.all([startStandInPage(), startBrowser({ serviceWorkers: "block" })]);
  page = await stand.open(browser.context);
  page.setDefaultTimeout(10_000);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
});
after(async () => {
  await browser?.close();
  await stand?.close();
  await rm(folder, { recursive: true, force: true });
});

/** The file is removed after it was chosen, and before the page reads it. */
async function chooseRemovedFile(): Promise<void> {
  const file = path.join(folder, "removed.csv");
  await writeFile(file, "recipient,amount\nswpt:7/17,1\n");
  const input = page.locator("input[type=file]").first();
  await input.evaluate((element) =>
    element.addEventListener("change", (event) => event.stopImmediatePropagation(), { capture: true, once: true }),
  );
  await input.setInputFiles(file);
  await rm(file);
  await input.dispatchEvent("change");
}

const SCREENS = { "/pay": "New payment", "/pay/scan": "Scan", "/batch": "Batch payments", "/settings": "Settings" };

test("a file that was removed since it was chosen is said to be unreadable, wherever one is opened", async () => {
  for (const [place, heading] of Object.entries(SCREENS)) {
    await goTo(page, place);
    await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
    await chooseRemovedFile();
    await page.getByRole("alert").getByText("This file cannot be read").waitFor();
  }
});

test("a file of gigabytes is said to be unreadable", async () => {
  const file = path.join(folder, "large.csv");
  await writeFile(file, "");
  // It has a size, but takes no place on the disk.
  await truncate(file, 3_000_000_000);
  for (const place of ["/batch", "/settings"]) {
    await goTo(page, place);
    await page.getByRole("heading", { name: SCREENS[place as keyof typeof SCREENS], level: 1 }).waitFor();
    await page.locator("input[type=file]").first().setInputFiles(file);
    await page.getByRole("alert").getByText("This file cannot be read").waitFor();
  }
});

test("a folder that is dropped is said to be unreadable", async () => {
  await goTo(page, "/pay");
  await page.getByRole("heading", { name: "New payment" }).waitFor();
  await page.evaluate(() => {
    const dropped = new File([], "folder");
    // As the browser's own files do when they are folders.
    Object.defineProperty(dropped, "arrayBuffer", {
      value: () => Promise.reject(new DOMException("", "NotFoundError")),
    });
    const event = new DragEvent("drop", { bubbles: true, cancelable: true });
    Object.defineProperty(event, "dataTransfer", { value: { files: [dropped], getData: () => "" } });
    dispatchEvent(event);
  });
  await page.getByRole("alert").getByText("This file cannot be read").waitFor();
});
