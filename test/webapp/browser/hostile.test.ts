/** What strangers write is text on every screen: no markup, no turned text, no screen that becomes too wide. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { startBrowser, type TestBrowser } from "../../support/browser.ts";
import { foreignTransfer } from "../model/stand-in-node.ts";
import { goTo, pasteRequest } from "./issuer.ts";
import { type StandInPage, startStandInPage } from "./stand-in-page.ts";

const TURNED = "\u202e\u2066evil\u2069\u202d";
const MARKUP = "<img src=x onerror=alert(1)><script>alert(1)</script>";
const LONG = "W".repeat(120);
const NAMES = [`${TURNED}Shop`, MARKUP.slice(0, 200), LONG, "$1{{x}}'\"`", "\u0000\u0007"];

let stand: StandInPage;
let browser: TestBrowser;
let page: Page;
before(async () => {
  stand = await startStandInPage();
  browser = await startBrowser();
  const coin = {
    debtorName: `${TURNED}<b>${"W".repeat(20)}`,
    unit: `\u202e<i>${"W".repeat(30)}`,
    summary: `${MARKUP}${TURNED}`,
    peg: {
      type: "Peg",
      exchangeRate: 0,
      debtorIdentity: { type: "DebtorIdentity", uri: `${TURNED}${"W".repeat(80)}` },
      latestDebtorInfo: { uri: `https://x.example/${TURNED}` },
      display: { type: "PegDisplay", amountDivisor: 1, decimalPlaces: 0, unit: `${TURNED}${"W".repeat(30)}` },
    },
  };
  stand.publishCoin(coin, { [`${MARKUP}${TURNED}`]: TURNED });
  stand.node.configError = `${MARKUP}${TURNED}`;
  for (const name of NAMES) {
    const note = `${name}\n${name}\n\n${name}${MARKUP}`;
    const error = { type: "TransferError", errorCode: `${name}`.slice(0, 30), totalLockedAmount: 1n };
    const failed = foreignTransfer({ note, noteFormat: "PAYMENT0", initiatedAt: stand.node.isoNow() });
    stand.node.transfers.set(failed.transferUuid, failed);
    stand.node.finalize(failed.transferUuid, error);
    const waiting = foreignTransfer({
      note,
      noteFormat: "payment0",
      amount: 2n ** 63n - 1n,
      initiatedAt: stand.node.isoNow(),
    });
    stand.node.transfers.set(waiting.transferUuid, waiting);
  }
  page = await stand.open(browser.context);
  page.setDefaultTimeout(10_000);
  page.on("dialog", (dialog) => assert.fail(dialog.message()));
  await page.setViewportSize({ width: 320, height: 800 });
  await page.getByRole("heading", { name: "Overview" }).waitFor();
});
after(async () => {
  await browser?.close();
  await stand?.close();
});

/** What is wrong with what the page shows now. */
const findFaults = (): Promise<string[]> =>
  page.evaluate(() => {
    const faults: string[] = [];
    for (const element of document.querySelectorAll("img[src=x], script:not([src]), b, i"))
      faults.push(element.outerHTML);
    const turned = /[\u202a-\u202e\u2066-\u2069]/;
    if (turned.test(document.title)) faults.push(`title: ${document.title}`);
    for (const element of document.querySelectorAll("*:not(.long-text)")) {
      const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
      const texts = own.map((node) => node.nodeValue ?? "");
      for (const name of ["aria-label", "title", "alt"]) texts.push(element.getAttribute(name) ?? "");
      if (texts.some((text) => turned.test(text))) faults.push(`turned: ${element.outerHTML.slice(0, 200)}`);
    }
    const { scrollWidth } = document.documentElement;
    if (scrollWidth > innerWidth) {
      const wide = [...document.querySelectorAll("main *")].filter(
        (element) => element.getBoundingClientRect().right > innerWidth,
      );
      faults.push(`${scrollWidth} px wide: ${wide.at(-1)?.outerHTML.slice(0, 200)}`);
    }
    return faults;
  });

async function assertHarmless(place: string): Promise<void> {
  await goTo(page, place);
  await page.locator("main h1").first().waitFor();
  assert.deepEqual(await findFaults(), [], place);
}

test("names, notes, error codes and configurations of others are text on every screen", async () => {
  for (const place of ["/", "/payments", "/coin", "/currency", "/journal", "/settings", "/pay", "/batch", "/guide"])
    await assertHarmless(place);
  for (const uuid of stand.node.transfers.keys()) await assertHarmless(`/payments/${uuid}`);
});

test("a payment request, its template and its account in the address book are text", async () => {
  for (const [index, name] of NAMES.slice(0, 4).entries()) {
    await pasteRequest(page, `PR0\n\nswpt:7/${index + 100}\n${name}\n${2n ** 63n - 1n}\n\n${name}\n\n${name}${MARKUP}`);
    await page.getByRole("heading", { name: "Check and pay" }).waitFor();
    const draft = new URL(page.url()).hash.slice(1);
    await assertHarmless(draft);
    await page.getByRole("button", { name: /^Pay / }).click();
    await page.getByRole("heading", { name: "Check and pay" }).waitFor({ state: "hidden" });
    await assertHarmless(draft);
    await goTo(page, `/templates?from=${draft.split("/").at(-1)}`);
    await page.getByRole("dialog").waitFor();
    assert.deepEqual(
      (await findFaults()).filter((fault) => !fault.startsWith("turned")),
      [],
    );
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  }
  for (const place of ["/templates", "/contacts", "/journal", "/"]) await assertHarmless(place);
});

test("a batch with such cells is text before and after it is sent", async () => {
  await goTo(page, "/batch");
  await page.getByRole("heading", { name: "Batch payments" }).waitFor();
  const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const rows = NAMES.slice(0, 4).map(
    (name, index) => `swpt:7/${index + 200},0.01,${cell(name)},${cell(name)},${cell(name)}`,
  );
  const buffer = Buffer.from(
    ["recipient,amount,name,reference,description", ...rows, `${cell(`<i>${MARKUP}`)},1,,,`].join("\n"),
  );
  await page.locator("input[type=file]").setInputFiles({ name: "<b>evil.csv", mimeType: "text/csv", buffer });
  await page.getByText("nor a name in the address book").waitFor();
  await assertHarmless("/batch");
});
