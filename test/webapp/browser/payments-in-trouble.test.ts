/** No payment is made twice or lost when an answer, a tab or the node fails. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { BrowserContext, Page, Route } from "playwright-core";
import { parseJson, stringifyJson } from "../../../src/values/json.ts";
import { waitFor } from "../../support/wait.ts";
import { goTo, type Issuer, pasteRequest, paymentRequest, startIssuer } from "./issuer.ts";
import { nodeApiOf } from "./node-api.ts";

let issuer: Issuer;
let context: BrowserContext;
let page: Page;
before(async () => {
  // Requests of a page under a service worker could not be intercepted.
  issuer = await startIssuer({ serviceWorkers: "block" });
  page = issuer.page;
  context = page.context();
});
afterEach(() => context.unrouteAll({ behavior: "ignoreErrors" }));
after(() => issuer?.close());

const POSTS = (url: URL): boolean => /\/debtors\/\d+\/transfers\/$/.test(url.pathname);

/** Calls `onPost` for each POST of a transfer, with its number. */
async function interceptPosts(onPost: (route: Route, count: number) => Promise<unknown>): Promise<() => number> {
  let count = 0;
  await context.route(POSTS, (route) =>
    route.request().method() === "POST" ? onPost(route, ++count) : route.continue(),
  );
  return () => count;
}

/** The references of the transfers that the node has, in order. */
async function referencesAt(from: Page): Promise<string[]> {
  const api = await nodeApiOf(from, issuer.sandbox.url);
  return (await api.transfers()).map(({ note }) => note.split("\n")[0]!).sort();
}

test("a lost answer results in one transfer, which the client finds by itself", async () => {
  const posts = await interceptPosts(async (route, count) => {
    if (count > 1) return route.continue();
    await route.fetch();
    return route.abort();
  });
  await pasteRequest(page, paymentRequest(`swpt:${issuer.debtorId}/17`, 1000, "LOST"));
  await page.getByRole("button", { name: "Pay 10.00" }).click();
  await page.getByText("Done", { exact: true }).waitFor();

  assert.equal(posts(), 2);
  assert.deepEqual(await referencesAt(page), ["LOST"]);
});

test("two tabs in which one draft is sent at the same moment send it once, and both show it as done", async () => {
  await pasteRequest(page, paymentRequest(`swpt:${issuer.debtorId}/17`, 1000, "TWICE"));
  await page.getByRole("heading", { name: "Check and pay" }).waitFor();
  const other = await context.newPage();
  await other.goto(page.url());
  const posts = await interceptPosts((route) => route.continue());
  const buttons = [page, other].map((tab) => tab.getByRole("button", { name: "Pay 10.00" }));
  await Promise.all(buttons.map((button) => button.waitFor()));
  await Promise.all(buttons.map((button) => button.evaluate((element) => (element as HTMLElement).click())));
  for (const tab of [page, other]) {
    await goTo(tab, `/payments/${(await paymentUuid("TWICE"))!}`);
    await tab.getByText("Done", { exact: true }).waitFor();
  }
  await other.close();

  assert.equal(posts(), 1);
  assert.deepEqual(await referencesAt(page), ["LOST", "TWICE"]);
});

const ONE_TRANSFER = (url: URL): boolean => /\/debtors\/\d+\/transfers\/[0-9a-f-]{36}$/.test(url.pathname);

/** Answers about transfers look as if the accounting authority were slow: they have no result yet, and may be canceled. */
async function hideResults(): Promise<void> {
  await context.route(
    (url) => POSTS(url) || ONE_TRANSFER(url),
    async (route) => {
      const response = await route.fetch();
      const { result: _, ...transfer } = parseJson(await response.text()) as Record<string, unknown>;
      const body = stringifyJson({ ...transfer, checkupAt: "2026-01-01T00:00:00Z" });
      return route.fulfill({ response, body });
    },
  );
}

const cancelOnScreen = async (): Promise<void> => {
  await page.getByRole("button", { name: "Cancel the payment" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel the payment" }).click();
};

test("canceling ends as not known while the answer is lost, and as too late when the node says so", async () => {
  await hideResults();
  await pasteRequest(page, paymentRequest(`swpt:${issuer.debtorId}/17`, 1000, "LATE"));
  await page.getByRole("button", { name: "Pay 10.00" }).click();
  await page.getByText("Under way", { exact: true }).waitFor();
  await context.route(ONE_TRANSFER, (route) =>
    route.request().method() === "POST" ? route.abort() : route.fallback(),
  );
  await cancelOnScreen();
  await page.getByText(/it is not known whether the payment is canceled/).waitFor();
  await page.getByText("Under way", { exact: true }).waitFor();

  // The answers are still without a result; otherwise the button might be gone before it is clicked.
  await context.unroute(ONE_TRANSFER);
  await cancelOnScreen();
  await page.getByText("Too late: the payment can no longer be canceled.").waitFor();
  await context.unrouteAll({ behavior: "ignoreErrors" });
  await page.getByText("Done", { exact: true }).waitFor();
});

test("canceling in time ends the payment without money", async () => {
  await hideResults();
  await pasteRequest(page, paymentRequest(`swpt:${issuer.debtorId}/17`, 1000, "IN-TIME"));
  await page.getByRole("button", { name: "Pay 10.00" }).click();
  await page.getByText("Under way", { exact: true }).waitFor();
  await context.route(ONE_TRANSFER, async (route) => {
    if (route.request().method() !== "POST") return route.fallback();
    const response = await fetch(route.request().url(), { headers: await route.request().allHeaders() });
    const transfer = parseJson(await response.text()) as Record<string, unknown>;
    const error = { type: "TransferError", errorCode: "CANCELED_BY_THE_SENDER", totalLockedAmount: 0n };
    const result = { type: "TransferResult", finalizedAt: "2026-01-01T00:00:00Z", committedAmount: 0n, error };
    return route.fulfill({
      status: 200,
      contentType: "application/json",
      body: stringifyJson({ ...transfer, result }),
    });
  });
  await cancelOnScreen();
  await page.getByText("You have canceled it.").waitFor();
  await page.getByText("Failed", { exact: true }).waitFor();
});

const paymentUuid = (reference: string): Promise<string | undefined> =>
  waitFor(async () => {
    const transfers = await (await nodeApiOf(page, issuer.sandbox.url)).transfers();
    return transfers.find(({ note }) => note.startsWith(`${reference}\n`))?.transferUuid;
  });

const batchFile = (name: string, rows: number): string =>
  `recipient,amount,reference\n${Array.from({ length: rows }, (_, row) => `swpt:${issuer.debtorId}/17,0.01,${name}-${row + 10}\n`).join("")}`;

async function startBatch(name: string, rows: number): Promise<void> {
  await goTo(page, "/batch");
  const buffer = Buffer.from(batchFile(name, rows));
  await page.locator("input[type=file]").setInputFiles({ name: `${name}.csv`, mimeType: "text/csv", buffer });
  await page.getByRole("button", { name: `Make ${rows} payments` }).click();
}

const rowsOf = (name: string, rows: number): string[] =>
  Array.from({ length: rows }, (_, row) => `${name}-${row + 10}`);

test("a batch whose tab is closed halfway continues in the next tab, and pays no row twice", async () => {
  const closed = Promise.withResolvers<void>();
  await interceptPosts(async (route, count) => {
    await route.continue();
    if (count === 5) closed.resolve(page.close());
  });
  await startBatch("TAB", 10);
  await closed.promise;
  await context.unrouteAll({ behavior: "ignoreErrors" });
  page = await context.newPage();
  await signInAgain();
  await goTo(page, "/batch");
  await page.getByText("Finished").waitFor();

  assert.deepEqual(
    (await referencesAt(page)).filter((reference) => reference.startsWith("TAB-")),
    rowsOf("TAB", 10),
  );
});

test("a batch survives when the node is killed halfway, and pays no row twice", async () => {
  const killed = Promise.withResolvers<void>();
  await interceptPosts(async (route, count) => {
    if (count === 5) killed.resolve(issuer.sandbox.crash());
    await route.continue();
  });
  await startBatch("NODE", 10);
  await killed.promise;
  await context.unrouteAll({ behavior: "ignoreErrors" });
  await issuer.sandbox.start();
  await goTo(page, "/");
  await page.getByRole("button", { name: "Reload" }).click();
  await goTo(page, "/batch");
  await waitFor(async () => (await page.getByText("Finished").count()) === 2, {
    what: "the end of the batch",
    timeoutSeconds: 60,
  });

  assert.deepEqual(
    (await referencesAt(page)).filter((reference) => reference.startsWith("NODE-")),
    rowsOf("NODE", 10),
  );
});

/** A new tab of a browser whose other tabs are closed has no token. */
async function signInAgain(): Promise<void> {
  await page.goto(issuer.sandbox.webapp);
  await page
    .getByRole("button", { name: /^Sign in/ })
    .first()
    .click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}
