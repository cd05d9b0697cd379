/** Signing in: refusals, what comes back with a wrong state, where the token is and is not, other tabs, and an expired token. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { waitFor } from "../../support/wait.ts";
import { goTo, PASSWORD, type Sandbox, type SandboxInBrowser, signUp, startSandboxInBrowser } from "./issuer.ts";

let started: SandboxInBrowser;
let sandbox: Sandbox;
let context: BrowserContext;
let page: Page;
before(async () => {
  // All requests must be intercepted, those to the token endpoint included.
  started = await startSandboxInBrowser({ serviceWorkers: "block" });
  sandbox = started.sandbox;
  context = started.browser.context;
});
after(() => started?.close());
beforeEach(async () => {
  for (const other of context.pages().slice(1)) await other.close();
  await context.unrouteAll();
  page = await context.newPage();
  page.setDefaultTimeout(10_000);
});

/** The requests to the token endpoint from now on. */
function watchTokenRequests(): string[] {
  const bodies: string[] = [];
  context.on("request", (request) => {
    if (request.url().endsWith("/oauth2/token")) bodies.push(request.postData() ?? "");
  });
  return bodies;
}

const isApi = (url: URL): boolean => url.pathname.startsWith("/debtors/");
const accessToken = (of: Page): Promise<string> =>
  of.evaluate(() => JSON.parse(sessionStorage.getItem("issuer tokens") ?? "{}").accessToken);

test("a response with a wrong state, a wrong issuer or an error exchanges no code, and is explained", async () => {
  const requests = watchTokenRequests();
  const answers: [query: string, words: RegExp][] = [
    ["code=x&state=y", /does not belong to a sign-in/],
    ["error=access_denied&state=y", /does not belong to a sign-in/],
  ];
  for (const [query, words] of answers) {
    await page.goto(`${sandbox.webapp}?${query}`);
    await page.getByRole("alert").getByText(words).waitFor();
    assert.equal(page.url(), `${sandbox.webapp}#/`);
  }
  const attempts: [change: (url: URL) => void, words: RegExp][] = [
    [(url) => url.searchParams.set("iss", "https://evil.example"), /does not belong/],
    [(url) => url.searchParams.set("state", "other"), /does not belong/],
  ];
  for (const [change, words] of attempts) {
    await page.goto(sandbox.webapp);
    const asked = page.waitForRequest(/\/oauth2\/auth\?/);
    await page.getByRole("button", { name: "Sign in" }).click();
    const state = new URL((await asked).url()).searchParams.get("state") ?? "";
    assert.ok(state.length >= 22, "128 random bits");
    const back = new URL(sandbox.webapp);
    back.search = String(new URLSearchParams({ code: "stolen", state }));
    change(back);
    await page.goto(back.href);
    await page.getByRole("alert").getByText(words).waitFor();
  }
  assert.deepEqual(requests, []);
});

test("a user who denies access at the authorization server comes back to a message", async () => {
  await page.goto(sandbox.webapp);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Sign up" }).click();
  await page.getByLabel("E-mail address").fill("carol@example.com");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByRole("button", { name: "Deny" }).click();

  await page.getByRole("alert").getByText("You did not allow access.").waitFor();
  await context.clearCookies();
});

test("the token is in the tab's session storage alone; a new tab gets it from the others; signing out reaches all", async () => {
  await signUp(page, sandbox, "alice@example.com");
  const token = await accessToken(page);
  const elsewhere = await page.evaluate(async () => {
    const databases = await indexedDB.databases();
    const texts = [JSON.stringify(localStorage), location.href, document.cookie, document.documentElement.outerHTML];
    for (const { name } of databases) {
      const db = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open(name!);
        request.onsuccess = () => resolve(request.result);
      });
      for (const store of db.objectStoreNames) {
        texts.push(
          await new Promise((resolve) => {
            const request = db.transaction(store).objectStore(store).getAll();
            request.onsuccess = () =>
              resolve(JSON.stringify(request.result, (_, value) => (typeof value === "bigint" ? `${value}` : value)));
          }),
        );
      }
      db.close();
    }
    return texts.join("\n");
  });
  assert.ok(token.length > 20);
  assert.ok(!elsewhere.includes(token));

  const other = await context.newPage();
  await other.goto(sandbox.webapp);
  await other.getByRole("heading", { name: "Overview" }).waitFor();
  assert.equal(await accessToken(other), token);

  await goTo(page, "/settings");
  const revoked = page.waitForResponse(/\/oauth2\/revoke$/);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign out and forget everything" }).click();
  assert.equal((await revoked).status(), 200);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await other.getByRole("button", { name: /^Sign in/ }).waitFor();
  // The page is loaded anew once everything is gone.
  await page.waitForFunction(() => sessionStorage.length === 0);
});

test("a rejected token is renewed by one tab for all, and the user does not notice", async () => {
  await signIn();
  const token = await accessToken(page);
  const other = await context.newPage();
  await other.goto(sandbox.webapp);
  await other.getByRole("heading", { name: "Overview" }).waitFor();
  const requests = watchTokenRequests();
  await context.route(isApi, (route) =>
    route.request().headers().authorization === `Bearer ${token}` ? route.fulfill({ status: 401 }) : route.continue(),
  );

  for (const tab of [page, other]) {
    await tab.bringToFront();
    await tab.getByRole("button", { name: "Reload" }).click();
    await tab.getByText(/Up to date|already doing/).waitFor();
  }
  assert.equal(requests.length, 1);
  assert.match(requests[0]!, /grant_type=refresh_token/);
});

/** The tab that renews the token is the one that the user signs out in, or another one. */
for (const [where, signsOutIn] of [
  ["another tab", 1],
  ["the same tab", 0],
] as const) {
  test(`a token that arrives after the user has signed out in ${where} is revoked and signs nobody in`, async () => {
    await signIn();
    const other = await context.newPage();
    // What the tab loads at first must not be what renews the token.
    await other.goto(sandbox.webapp, { waitUntil: "networkidle" });
    const token = await accessToken(page);
    const received = Promise.withResolvers<string>();
    const signedOut = Promise.withResolvers<void>();
    await context.route(isApi, (route) =>
      route.request().headers().authorization === `Bearer ${token}` ? route.fulfill({ status: 401 }) : route.continue(),
    );
    await context.route(/\/oauth2\/token$/, async (route) => {
      const response = await route.fetch();
      received.resolve((await response.json()).access_token);
      await signedOut.promise;
      await route.fulfill({ response });
    });
    await page.bringToFront();
    const asked = page.waitForRequest(/\/oauth2\/token$/);
    await page.getByRole("button", { name: "Reload" }).click();
    await asked;
    const late = await received.promise;
    const leaving = [page, other][signsOutIn]!;
    await goTo(leaving, "/settings");
    await leaving.getByRole("button", { name: "Sign out" }).click();
    await leaving.getByRole("button", { name: "Sign out, keep the data" }).click();
    await page.waitForFunction(() => sessionStorage.getItem("issuer tokens") === null);

    const revoked = page.waitForRequest(
      (request) => request.url().endsWith("/oauth2/revoke") && request.postData()!.includes(late),
    );
    signedOut.resolve();
    await revoked;
    for (const tab of [page, other]) {
      await tab.getByRole("button", { name: /^Sign in/ }).waitFor();
      assert.equal(await accessToken(tab), undefined);
    }
  });
}

test("a token endpoint that is busy does not sign the user out", async () => {
  await signIn();
  const token = await accessToken(page);
  await context.route(isApi, (route) =>
    route.request().headers().authorization === `Bearer ${token}` ? route.fulfill({ status: 401 }) : route.continue(),
  );
  await context.route(/\/oauth2\/token$/, (route) =>
    route.fulfill({ status: 429, headers: { "access-control-allow-origin": "*" }, body: "" }),
  );
  const reload = page.getByRole("button", { name: "Reload" });
  await Promise.all([page.waitForResponse(/\/oauth2\/token$/), reload.click()]);
  await page.getByText("You have been signed out").waitFor();
  await context.unroute(/\/oauth2\/token$/);
  await reload.click();
  await page.getByText("You have been signed out").waitFor({ state: "hidden" });
  assert.notEqual(await accessToken(page), token);
});

test("a token that cannot be renewed leaves the screen as it is; signing in again brings the form back", async () => {
  await signIn();
  await goTo(page, "/currency");
  await page.getByLabel("Name of the currency").fill("Seven");
  await page.getByLabel("Unit", { exact: true }).fill("SVN");
  await context.route(isApi, (route) => route.fulfill({ status: 401 }));
  await context.route(/\/oauth2\/token$/, (route) =>
    route.fulfill({
      status: 400,
      headers: { "access-control-allow-origin": "*" },
      contentType: "application/json",
      body: '{"error":"invalid_grant"}',
    }),
  );
  await page.getByRole("button", { name: "Reload" }).click();
  await page.getByText("You have been signed out").waitFor();
  assert.equal(await page.getByLabel("Name of the currency").inputValue(), "Seven");
  await context.unrouteAll();

  await page.getByRole("button", { name: "Sign in again" }).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByRole("heading", { name: "Currency", exact: true }).waitFor();
  assert.equal(page.url(), `${sandbox.webapp}#/currency`);
  assert.equal(await page.getByLabel("Name of the currency").inputValue(), "Seven");
  assert.equal(await page.getByLabel("Unit", { exact: true }).inputValue(), "SVN");
  assert.equal(await page.getByText("You have been signed out").count(), 0);
});

test("an issuer whose data are here is told as well why signing in again failed", async () => {
  await signIn();
  await page.evaluate(() => sessionStorage.removeItem("issuer tokens"));
  await page.reload();
  await page.getByRole("button", { name: "Sign in again" }).click();
  await page.getByRole("button", { name: "Deny" }).click();
  await page.getByText("You have been signed out").waitFor();
  await page.getByText("You did not allow access.").waitFor();
});

test("the code is in the address of the page and in its exchange alone, and has left the address before the exchange", async () => {
  const carrying: string[] = [];
  let code: string | undefined;
  context.on("request", async (request) => {
    code ??= new URL(request.url()).searchParams.get("code") ?? undefined;
    if (code === undefined) return;
    const sent = JSON.stringify([request.url(), request.headers(), request.postData()]);
    if (sent.includes(code)) carrying.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  const addresses: string[] = [];
  await context.route(/\/oauth2\/token$/, async (route) => {
    addresses.push(page.url(), await page.evaluate(() => JSON.stringify([location.href, document.referrer])));
    await route.continue();
  });
  await page.goto(sandbox.webapp);
  await page.getByRole("button", { name: "Sign in again" }).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByText("You have been signed out").waitFor({ state: "hidden" });
  await page.waitForFunction(() => sessionStorage.getItem("issuer tokens") !== null);

  assert.ok(code !== undefined && code.length > 10);
  assert.deepEqual(carrying, ["GET /debtors-webapp/", "POST /oauth2/token"]);
  assert.equal(addresses.length, 2);
  for (const address of [...addresses, page.url()]) assert.ok(!address.includes(code), address);
  const kept = await page.evaluate(() =>
    JSON.stringify([localStorage, sessionStorage, history.state, document.referrer]),
  );
  assert.ok(!kept.includes(code));
});

test("what one issuer has typed is not in the form of another one who signs in in the same tab", async () => {
  await signIn();
  await goTo(page, "/pay/by-hand");
  await page.getByLabel("Account").fill("Baker");
  await page.evaluate(() => sessionStorage.removeItem("issuer tokens"));
  await page.reload();
  await context.clearCookies();
  await page.getByRole("button", { name: "Sign in again" }).click();
  await page.getByRole("link", { name: "Sign up" }).click();
  await page.getByLabel("E-mail address").fill("dave@example.com");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByRole("heading", { name: "Type in a payment" }).waitFor();
  await page.waitForFunction(() => Object.keys(sessionStorage).every((key) => !key.startsWith("issuer form ")));
  assert.equal(await page.getByLabel("Account").inputValue(), "");
});

/** The authorization server still knows the browser; it asks for consent each time. Stored data are shown before. */
async function signIn(): Promise<void> {
  await page.goto(sandbox.webapp);
  const buttons = page.getByRole("button", { name: /^(Sign in|Sign in again|Allow)$/ });
  await waitFor(
    async () => {
      if (await buttons.isVisible()) await buttons.click();
      return (await accessToken(page)) !== undefined;
    },
    { what: () => `a token, at ${page.url()}` },
  );
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}
