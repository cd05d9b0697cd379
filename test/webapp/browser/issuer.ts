/** Sandboxes with their web client, browsers, and what an issuer does in them. */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Page } from "playwright-core";
import { type BrowserOptions, startBrowser, type TestBrowser } from "../../support/browser.ts";
import { findFreePort, type RunningCommand, startCommand } from "../../support/command.ts";

/** The sandbox, with the addresses that its summary names. */
export interface Sandbox {
  readonly url: string;
  readonly webapp: string;
  readonly holders: string;
  /** Ends the program as a crash would, and starts it again with the same data. */
  crash(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startSandbox(options: readonly string[] = []): Promise<Sandbox> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-webapp-"));
  const port = await findFreePort();
  let command: RunningCommand;
  const start = async (): Promise<void> => {
    command = startCommand(["sandbox", "--data-dir", folder, "--port", String(port), ...options]);
    await command.outputMatching(/Stop with Ctrl-C/);
  };
  await start();
  const [holders] = /http:\S+(?=\s+ask the issuer)/.exec(command!.standardOutput()) ?? [""];
  return {
    url: `http://127.0.0.1:${port}`,
    webapp: `http://127.0.0.1:${port}/debtors-webapp/`,
    holders,
    start,
    async crash() {
      command.kill("SIGKILL");
      await command.exit;
    },
    async close() {
      await command.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A sandbox and a browser, which are closed together. */
export interface SandboxInBrowser {
  readonly sandbox: Sandbox;
  readonly browser: TestBrowser;
  close(): Promise<void>;
}

export async function startSandboxInBrowser(options: BrowserOptions = {}): Promise<SandboxInBrowser> {
  const [starting, opening] = await Promise.allSettled([startSandbox(), startBrowser(options)]);
  const close = async (): Promise<void> => {
    if (opening.status === "fulfilled") await opening.value.close();
    if (starting.status === "fulfilled") await starting.value.close();
  };
  if (starting.status === "fulfilled" && opening.status === "fulfilled") {
    return { sandbox: starting.value, browser: opening.value, close };
  }
  await close();
  throw starting.status === "rejected" ? starting.reason : (opening as PromiseRejectedResult).reason;
}

/** An issuer who has signed up and described the currency "Seven". */
export interface Issuer extends SandboxInBrowser {
  readonly page: Page;
  /** Unsigned. */
  readonly debtorId: string;
}

export const EMAIL = "alice@example.com";

export async function startIssuer(options: BrowserOptions = {}): Promise<Issuer> {
  const started = await startSandboxInBrowser(options);
  try {
    const page = await started.browser.context.newPage();
    await signUp(page, started.sandbox, EMAIL);
    await describeCurrency(page);
    return { ...started, page, debtorId: await debtorIdOf(page) };
  } catch (error) {
    await started.close();
    throw error;
  }
}

/** Signs up from the first screen, and comes back signed in. */
export async function signUp(page: Page, { webapp }: Pick<Sandbox, "webapp">, email: string): Promise<void> {
  await page.goto(webapp);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Sign up" }).click();
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}

/** Signs in from the first screen with what was signed up with. */
export async function signIn(page: Page, email: string): Promise<void> {
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}

export const PASSWORD = "correct horse";

/** Goes through the form with a new currency that has no peg. */
export async function describeCurrency(page: Page, name = "Seven", unit = "SVN"): Promise<void> {
  await goTo(page, "/currency");
  await page.getByLabel("Name of the currency").fill(name);
  await page.getByLabel("Unit", { exact: true }).fill(unit);
  await page.getByRole("button", { name: "Save the currency" }).click();
  await page.getByRole("button", { name: "Save anyway" }).click();
  await page.getByText("In effect").first().waitFor();
}

/** Follows the menu of addresses, as a bookmark does. */
export async function goTo(page: Page, place: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(place)}`);
}

/** The unsigned debtor ID, from the coin. */
export async function debtorIdOf(page: Page): Promise<string> {
  await goTo(page, "/coin");
  const coin = (await page.locator(".coin-text").textContent()) ?? "";
  return coin.split("#swpt:")[1] ?? "";
}

export interface Asked {
  readonly holder?: number;
  readonly name?: string;
  /** Tokens; 0 leaves it to the payer. */
  readonly amount?: number;
  readonly reference?: string;
  readonly reason?: string;
}

/** A holder's page with a payment request. */
export async function openRequest(
  page: Page,
  { holders }: Sandbox,
  debtorId: string,
  asked: Asked = {},
): Promise<void> {
  const { holder = 17, name = "Corner Bakery", amount = 1000, reference = "INV-1", reason = "Bread" } = asked;
  const query = new URLSearchParams({ holder: `${holder}`, name, amount: `${amount}`, reference, reason });
  await page.goto(`${holders}${debtorId}/request?${query}`);
}

/** The text of a holder's payment request. */
export const requestText = (holder: Page): Promise<string> => holder.getByLabel("The request as text").inputValue();

/** Pastes a payment request, up to the confirmation. */
export async function pasteRequest(page: Page, text: string): Promise<void> {
  await goTo(page, "/pay");
  await page.getByRole("button", { name: "Paste" }).click();
  await page.getByLabel("Text of the request").fill(text);
  await page.getByRole("button", { name: "Use it" }).click();
}

/** A `PR0` without a checksum. */
export const paymentRequest = (account: string, amount: number | bigint, reference = "", name = "Shop"): string =>
  `PR0\n\n${account}\n${name}\n${amount}\n\n${reference}\n\n`;
