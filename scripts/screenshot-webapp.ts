/**
 * Makes the README's picture of the web client, docs/webapp.png: signs up in a sandbox of its own, describes a currency, pays
 * some holders, and looks at the overview. The chart's earlier values are made up, as if the client had been used for months.
 * `node bin/node.js scripts/screenshot-webapp.ts`
 */
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { startBrowser } from "../test/support/browser.ts";
import { waitFor } from "../test/support/wait.ts";
import { debtorIdOf, goTo, pasteRequest, signUp, startSandbox } from "../test/webapp/browser/issuer.ts";

const picture = fileURLToPath(new URL("../docs/webapp.png", import.meta.url));
/** Name, tokens, reference. */
const payments: readonly (readonly [string, number, string])[] = [
  ["Kindergarten", 124_000, "Lunches, October"],
  ["Town library", 86_250, "New shelves"],
  ["Bike repair", 1_550, "INV-204"],
  ["Green grocer", 42_075, "INV-77"],
  ["Choir", 12_000, "Summer concert"],
  ["Corner bakery", 9_480, "INV-1"],
];

const sandbox = await startSandbox();
const browser = await startBrowser();
try {
  const page = await browser.context.newPage();
  await page.setViewportSize({ width: 1240, height: 850 });
  await signUp(page, sandbox, "alice@example.com");
  await describe(page);
  const debtorId = await debtorIdOf(page);
  for (const [index, [name, tokens, reference]] of payments.entries()) {
    await pasteRequest(page, `PR0\n\nswpt:${debtorId}/${17 + index}\n${name}\n${tokens}\n\n${reference}\n\n`);
    await page.getByRole("button", { name: /^Pay \d/ }).click();
    await page.getByText("Done", { exact: true }).waitFor();
  }
  await goTo(page, "/");
  await waitFor(async () => {
    await page.getByRole("button", { name: "Reload" }).click();
    return (await page.locator(".big-amount", { hasText: "2,753.55" }).count()) > 0;
  });
  await pretendMonths(page, `swpt:${debtorId}`);
  await page.reload();
  await page.locator(".chart-end").waitFor();
  await page.mouse.move(300, 400);
  await page.evaluate("document.activeElement.blur()");
  await page.screenshot({ path: picture });
  console.error(`The picture is ${picture}.`);
} finally {
  await browser.close();
  await sandbox.close();
}

async function describe(page: Page): Promise<void> {
  await goTo(page, "/currency");
  await page.getByLabel("Name of the currency").fill("Sevenoaks Hours");
  await page.getByLabel("Unit", { exact: true }).fill("h");
  await page.getByLabel("Limit on money in circulation").fill("5000");
  await page.getByRole("button", { name: "Save the currency" }).click();
  await page.getByRole("button", { name: "Save anyway" }).click();
  await page.getByText("In effect").first().waitFor();
}

/** Puts a value for each week of the last months in the place of what this minute has brought. */
async function pretendMonths(page: Page, debtor: string): Promise<void> {
  const units = [0, 90, 120, 310, 480, 455, 700, 880, 860, 1010, 1290, 1350, 1320, 1480, 1720, 1690, 1910, 2080];
  units.push(2060, 2240, 2410, 2390, 2530, 2650, 2753.55);
  const weeks = units.map((unit, index) => [units.length - 1 - index, Math.round(-unit * 100)]);
  await page.evaluate(`(async () => {
    const database = await new Promise((resolve) => {
      const opening = indexedDB.open("swpt-debtors-webapp");
      opening.onsuccess = () => resolve(opening.result);
    });
    const transaction = database.transaction("samples", "readwrite");
    const samples = transaction.objectStore("samples");
    samples.clear();
    for (const [week, balance] of ${JSON.stringify(weeks)}) {
      const record = { debtor: ${JSON.stringify(debtor)}, at: Date.now() - week * 7 * 86_400_000, balance: BigInt(balance) };
      samples.put(record, [record.debtor, record.at]);
    }
    await new Promise((resolve) => { transaction.oncomplete = resolve; });
    database.close();
  })()`);
}
