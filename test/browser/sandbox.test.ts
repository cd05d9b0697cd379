/** What a newcomer does after `npm start`: reads about the API, signs up, issues money, and sees who has it. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, afterEach, before, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { startBrowser, type TestBrowser } from "../support/browser.ts";
import { findFreePort, type RunningCommand, startCommand } from "../support/command.ts";
import { paleTexts, sidewaysScroll, type Watch, watch } from "./watched-page.ts";

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 900 };
/** No `number` of JavaScript can hold it. */
const AMOUNT = "9007199254740993";

let folder: string;
let sandbox: RunningCommand;
let browser: TestBrowser;
let watched: Watch;
/** The pages that the summary of the sandbox names. */
let urls: { swaggerUi: string; reference: string; holders: string };

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-browser-"));
  sandbox = startCommand(["sandbox", "--data-dir", folder, "--port", String(await findFreePort())]);
  browser = await startBrowser();
  watched = watch(browser.context);
  await sandbox.outputMatching(/Stop with Ctrl-C/);
  const summary = sandbox.standardOutput();
  const [, webapp = "", swaggerUi = "", reference = "", holders = ""] =
    /With a browser:\s+(\S+) .*\n\s+(\S+) .*\n\s+(\S+) .*\n\s+(\S+) /.exec(summary) ?? [];
  assert.match(webapp, /\/debtors-webapp\/$/, "the web client comes first");
  urls = { swaggerUi, reference, holders };
});
afterEach(() => assert.deepEqual(watched.problems.splice(0), []));
after(async () => {
  await browser?.close();
  await sandbox?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("the reference is readable on a phone and on a desktop, and none of its links is broken", async () => {
  const page = await browser.context.newPage();
  for (const size of [PHONE, DESKTOP]) {
    await page.setViewportSize(size);
    await page.goto(urls.reference);
    assert.equal(await sidewaysScroll(page), 0);
  }
  assert.deepEqual(await paleTexts(page), []);
  const broken = await page.evaluate(
    `[...document.querySelectorAll('a[href^="#"]')].map((a) => a.hash).filter((hash) => !document.getElementById(hash.slice(1)))`,
  );
  assert.deepEqual(broken, []);

  await page.getByRole("link", { name: "Initiate a transfer that issues money" }).click();
  await page.getByRole("heading", { name: "Initiate a transfer that issues money" }).waitFor();
  await page.getByRole("link", { name: "Try it out" }).click();
  await page.getByRole("button", { name: "Authorize", exact: true }).waitFor();
  await page.close();
});

test("a new user signs up in Swagger UI, issues money, sees exact amounts, and pays some of it back", async () => {
  const page = await browser.context.newPage();
  await page.setViewportSize(DESKTOP);
  await page.goto(urls.swaggerUi);
  await signUp(page);

  const own = await execute(page, "debtors-redirectToDebtor");
  assert.match(own, /"minBalance": -9223372036854775808,/);
  const [, debtorId = ""] = /"uri": "swpt:(\d+)"/.exec(own) ?? [];

  const created = await execute(page, "transfers-createTransfer", async (operation) => {
    await operation.getByPlaceholder("debtorId").fill(debtorId);
    const body = operation.locator("textarea");
    const example = JSON.parse(await body.inputValue()) as { recipient: { uri: string } };
    const recipient = { uri: example.recipient.uri.replace("swpt:1/", `swpt:${debtorId}/`) };
    await body.fill(JSON.stringify({ ...example, recipient, amount: 0 }).replace('"amount":0', `"amount":${AMOUNT}`));
  });
  assert.match(created, new RegExp(`"amount": ${AMOUNT},`));

  await page.goto(urls.holders);
  await page.getByRole("link", { name: debtorId }).click();
  await page.getByRole("cell", { name: AMOUNT }).waitFor();
  await page.getByLabel("To", { exact: true }).selectOption({ label: "the issuer (pay back)" });
  await page.getByLabel("Amount", { exact: true }).fill("993");
  await page.getByRole("button", { name: "Pay", exact: true }).click();
  await page.getByRole("cell", { name: "9007199254740000" }).waitFor();
  await page.setViewportSize(PHONE);
  assert.equal(await sidewaysScroll(page), 0);
  assert.deepEqual(await paleTexts(page), []);
  await page.close();
});

test("Swagger UI fits on a phone", async () => {
  const page = await browser.context.newPage();
  await page.setViewportSize(PHONE);
  await page.goto(urls.swaggerUi);
  await page.getByText("/debtors/.list").first().waitFor();

  assert.equal(await sidewaysScroll(page), 0);
  await page.close();
});

/** Authorizes with what the dialog proposes, as somebody new. */
async function signUp(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Authorize", exact: true }).click();
  const form = page.locator(".auth-container").filter({ hasText: "oauth2AuthorizationCode" });
  const opened = page.waitForEvent("popup");
  await form.getByRole("button", { name: "Apply given OAuth2 credentials" }).click();
  const popup = await opened;
  await popup.setViewportSize(PHONE);
  await popup.getByRole("link", { name: "Sign up" }).click();
  await popup.getByLabel("E-mail address").fill("alice@example.com");
  await popup.getByLabel("Password").fill("correct horse");
  assert.deepEqual([await sidewaysScroll(popup), await paleTexts(popup)], [0, []]);
  await popup.getByRole("button", { name: "Sign up" }).click();
  await popup.getByRole("heading", { name: "Allow access" }).waitFor();
  assert.deepEqual([await sidewaysScroll(popup), await paleTexts(popup)], [0, []]);
  const closed = popup.waitForEvent("close");
  await popup.getByRole("button", { name: "Allow" }).click();
  await closed;
  await form.getByRole("button", { name: "Remove authorization" }).waitFor();
  await page.getByRole("button", { name: "Close" }).last().click();
}

/** Tries an operation out, and returns the answer as it is shown. */
async function execute(page: Page, id: string, fillIn?: (operation: Locator) => Promise<void>): Promise<string> {
  const operation = page.locator(`#operations-${id}`);
  await operation.getByRole("button").first().click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  await fillIn?.(operation);
  await operation.getByRole("button", { name: "Execute" }).click();
  return (await operation.locator(".live-responses-table .response-col_description pre").first().textContent()) ?? "";
}
