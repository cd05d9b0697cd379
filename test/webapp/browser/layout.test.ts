/** Long units, the largest amounts and text of twice its size: everything can be read, and nothing lies over anything else. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { sidewaysScroll } from "../../browser/watched-page.ts";
import { startBrowser, type TestBrowser } from "../../support/browser.ts";
import { waitFor } from "../../support/wait.ts";
import { foreignTransfer } from "../model/stand-in-node.ts";
import { goTo } from "./issuer.ts";
import { type StandInPage, startStandInPage } from "./stand-in-page.ts";

const UNIT = "Gemeinschaftsstunden-Gutschein-Einheit-X";
let stand: StandInPage;
let browser: TestBrowser;
let page: Page;
before(async () => {
  [stand, browser] = await Promise.all([startStandInPage(), startBrowser({ serviceWorkers: "block" })]);
  stand.publishCoin({ debtorName: "Württembergische Gemeinschaftswährung eV", unit: UNIT });
  for (let index = 0; index < 40; index++) {
    // The largest one is not among the rows that are drawn first.
    const amount = index === 35 ? 2n ** 63n - 1n : 1000n;
    const initiatedAt = new Date(Date.now() - index * 60_000).toISOString();
    const transfer = foreignTransfer({
      amount,
      initiatedAt,
      note: `INV-${index}\nCorner Bakery\n\n`,
      noteFormat: "PAYMENT0",
    });
    stand.node.transfers.set(transfer.transferUuid, transfer);
    stand.node.finalize(transfer.transferUuid);
  }
  page = await stand.open(browser.context);
  page.setDefaultTimeout(10_000);
  await page.getByText(UNIT).first().waitFor();
});
after(async () => {
  await browser?.close();
  await stand?.close();
});

/** Rows of the history whose content does not fit into them. */
const overfullRows = (): Promise<string[]> =>
  page
    .locator(".long-list > li")
    .evaluateAll((rows) =>
      rows
        .filter((row) => row.scrollHeight > row.clientHeight || row.firstElementChild!.scrollWidth > row.clientWidth)
        .map((row) => row.textContent),
    );

test("no payment of the history lies over the next one, however long its amount and unit are", async () => {
  for (const width of [320, 360, 1280]) {
    await page.setViewportSize({ width, height: 600 });
    await goTo(page, "/");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await goTo(page, "/payments");
    await page.locator("[aria-posinset='1']").waitFor();
    await waitFor(async () => (await overfullRows()).length === 0, { what: `rows that fit at ${width} px` });
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await page.locator("[aria-posinset='40']").waitFor();
    await waitFor(async () => (await overfullRows()).length === 0, { what: `last rows that fit at ${width} px` });
    assert.equal(await sidewaysScroll(page), 0, `${width}`);
  }
});

test("on paper the history's rows are as high as they need to be", async () => {
  await page.setViewportSize({ width: 360, height: 600 });
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  assert.deepEqual(await overfullRows(), []);
  const heights = await page.locator(".long-list > li").evaluateAll((rows) => rows.map((row) => row.clientHeight));
  assert.ok(heights[35]! > heights[34]!, String(heights));
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  await page.emulateMedia({ media: null });
});

/** Texts that are cut off, or that another control of the same bar covers. */
const hiddenTexts = (): Promise<string[]> =>
  page.evaluate(() => {
    const overlaps = (a: DOMRect, b: DOMRect): boolean =>
      a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    const boxes = (selector: string): DOMRect[] =>
      [...document.querySelectorAll(selector)].map((element) => element.getBoundingClientRect());
    const faults: string[] = [];
    const items = boxes(".nav-bottom a > span");
    for (const [index, box] of items.entries())
      if (items.slice(index + 1).some((other) => overlaps(box, other))) faults.push(`the menu's part ${index}`);
    const [age] = boxes(".brand .data-age");
    if (boxes(".top-bar button").some((button) => overlaps(age!, button))) faults.push("the age of the data");
    for (const affix of document.querySelectorAll(".affix"))
      if (affix.textContent === "%" && affix.scrollWidth > affix.clientWidth) faults.push("the percent sign");
    return faults;
  });

test("with text of twice its size a phone's screens do not scroll sideways, and nothing covers or cuts off a text", async () => {
  await page.setViewportSize({ width: 360, height: 800 });
  await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
  for (const place of ["/", "/guide", "/pay", "/pay/by-hand", "/payments", "/coin", "/currency", "/settings"]) {
    await goTo(page, place);
    await page.locator("main h1").waitFor();
    assert.equal(await sidewaysScroll(page), 0, place);
    assert.deepEqual(await hiddenTexts(), [], place);
  }
  await page.evaluate(() => document.documentElement.style.removeProperty("font-size"));
});
