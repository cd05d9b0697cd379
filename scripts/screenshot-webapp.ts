/**
 * Makes the README's picture of the web client, docs/webapp.png: signs up in a sandbox of its own, describes a currency, pays
 * some holders, and looks at the overview. `node scripts/screenshot-webapp.ts`
 */
import { fileURLToPath } from "node:url";
import { startBrowser } from "../test/support/browser.ts";
import { debtorIdOf, goTo, pasteRequest, signUp, startSandbox } from "../test/webapp/browser/issuer.ts";

const picture = fileURLToPath(new URL("../docs/webapp.png", import.meta.url));
/** Name, tokens, reference. */
const payments: readonly (readonly [string, number, string])[] = [
  ["Kindergarten", 24_000, "2026-11"],
  ["Bike repair", 1_550, "INV-204"],
  ["Green grocer", 4_200, "INV-77"],
  ["Choir", 12_000, "Concert"],
  ["Corner bakery", 1_000, "INV-1"],
];

const sandbox = await startSandbox();
const browser = await startBrowser();
try {
  const page = await browser.context.newPage();
  await page.setViewportSize({ width: 1240, height: 800 });
  await signUp(page, sandbox, "alice@example.com");
  await goTo(page, "/currency");
  await page.getByLabel("Name of the currency").fill("Sevenoaks Hours");
  await page.getByLabel("Unit").fill("h");
  await page.getByLabel("Limit of the money in circulation").fill("5000");
  await page.getByRole("button", { name: "Save the currency" }).click();
  await page.getByRole("button", { name: "Save anyway" }).click();
  await page.getByText("In effect").first().waitFor();
  const debtorId = await debtorIdOf(page);
  for (const [index, [name, tokens, reference]] of payments.entries()) {
    await pasteRequest(page, `PR0\n\nswpt:${debtorId}/${17 + index}\n${name}\n${tokens}\n\n${reference}\n\n`);
    await page.getByRole("button", { name: /^Pay \d/ }).click();
    await page.getByText("Done", { exact: true }).waitFor();
    await goTo(page, "/");
    await page.getByRole("button", { name: "Reload" }).click();
    await page.getByText("Up to date").waitFor();
  }
  await page.locator(".toast").first().waitFor({ state: "detached" });
  await page.mouse.move(700, 790);
  await page.screenshot({ path: picture });
  console.error(`The picture is ${picture}.`);
} finally {
  await browser.close();
  await sandbox.close();
}
