/** Glewlwyd with its introspection, and with its JWTs: from logging in to issued money, by settings alone. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { activateNewDebtor } from "../../src/operations/debtors.ts";
import { startBrowser, type TestBrowser } from "../support/browser.ts";
import { findFreePort } from "../support/command.ts";
import { pasteRequest, paymentRequest } from "../webapp/browser/issuer.ts";
import { CLIENT_SECRET, type Glewlwyd, PASSWORD, RESOURCE, startGlewlwyd } from "./glewlwyd.ts";
import { type OpenIdNode, startNode } from "./node.ts";

let glewlwyd: Glewlwyd;
let browser: TestBrowser;
before(async () => {
  glewlwyd = await startGlewlwyd();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await glewlwyd?.close();
});

/** A node for which these settings make Glewlwyd the authorization server. */
async function nodeWith(
  settings: Readonly<Record<string, string>>,
  command: "all" | "webserver" = "webserver",
): Promise<OpenIdNode> {
  const port = await findFreePort();
  await glewlwyd.addPublicClient(`webapp-${port}`, `http://127.0.0.1:${port}/debtors-webapp/`);
  const environment = {
    OAUTH2_ISSUER: glewlwyd.issuer,
    OAUTH2_PROVISION: "yes",
    WEBAPP_AUTHORIZATION_URL: glewlwyd.authorizationUrl,
    WEBAPP_TOKEN_URL: glewlwyd.tokenUrl,
    WEBAPP_CLIENT_ID: `webapp-${port}`,
    WEBAPP_RESOURCE: RESOURCE,
    OAUTH2_JWKS_URL: glewlwyd.jwksUrl,
    OAUTH2_AUDIENCE: RESOURCE,
    ...settings,
  };
  return startNode(port, environment, command);
}

/** From the web client's first screen over Glewlwyd's pages, back to what the client shows then. */
async function logIn(page: Page, node: OpenIdNode, username: string): Promise<void> {
  await page.goto(node.webapp);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Login").fill(username);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "OK" }).click();
  await page.getByLabel("access", { exact: true }).check();
  await page.getByRole("button", { name: "Grant access" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}

/** A page in which nobody has logged in. */
async function newPage(): Promise<Page> {
  for (const page of browser.context.pages().slice(1)) await page.close();
  await browser.context.clearCookies();
  const page = await browser.context.newPage();
  page.setDefaultTimeout(15_000);
  return page;
}

const tokenOf = (page: Page): Promise<string> =>
  page.evaluate(() => JSON.parse(sessionStorage.getItem("issuer tokens")!).accessToken as string);

/** What a program gets with its secret. */
async function programToken(clientId: string): Promise<string> {
  const response = await fetch(glewlwyd.tokenUrl, {
    method: "POST",
    headers: { Authorization: `Basic ${btoa(`${clientId}:${CLIENT_SECRET}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials", scope: "access activate", resource: RESOURCE }),
  });
  const { access_token: token } = (await response.json()) as { access_token: string };
  return token;
}

const call = (node: OpenIdNode, method: string, path: string, token: string, body?: object): Promise<Response> =>
  fetch(new URL(path, node.url), {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });

test("a newcomer logs in with a code and PKCE, becomes an issuer, and issues money", async () => {
  await using node = await nodeWith({ OAUTH2_PROVISION_CLAIM: "email=alice@example.com" }, "all");
  await glewlwyd.addUser("alice", "alice@example.com");
  const page = await newPage();

  await logIn(page, node, "alice");

  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const token = await tokenOf(page);
  const own = await call(node, "GET", "/debtors/.debtor", token);
  const [, debtorId] = /\/debtors\/(\d+)\/$/.exec(own.url)!;
  await pasteRequest(page, paymentRequest(`swpt:${debtorId}/17`, 1000));
  await page.getByRole("button", { name: /^Pay 1/ }).click();
  await page.getByText("Done", { exact: true }).waitFor();
  const list = await node.run("subjects", "list", "--json");
  assert.partialDeepStrictEqual(JSON.parse(list.standardOutput), {
    issuer: glewlwyd.issuer,
    debtorId,
    isProvisioned: true,
  });
});

test("a user without the required e-mail address is told in the web client that they are not an issuer", async () => {
  await using node = await nodeWith({ OAUTH2_PROVISION_CLAIM: "email=carol@example.com" });
  await glewlwyd.addUser("bob", "bob@example.com");
  const page = await newPage();

  await logIn(page, node, "bob");

  await page.getByRole("heading", { name: "This account does not issue a currency" }).waitFor();
  await page.getByText("It does not meet the conditions for becoming one.").waitFor();
  assert.equal((await node.run("subjects", "list")).standardOutput, "");
});

test("a program with client credentials is the superuser by its JWT", async () => {
  await glewlwyd.addProgram("debtors-superuser", ["access", "activate"]);
  await using node = await nodeWith({});
  const token = await programToken("debtors-superuser");

  assert.equal((await call(node, "POST", "/debtors/7/activate", token, {})).status, 200);
  assert.equal((await call(node, "GET", "/debtors/7/", token)).status, 200);
  assert.equal((await call(node, "GET", "/debtors/7/", `${token}x`)).status, 401);
});

test("by introspection a confidential client's user is bound by an operator; a program has no name", async () => {
  await glewlwyd.addUser("dora", undefined);
  await glewlwyd.addProgram("shop", ["access"], "http://127.0.0.1:1/");
  const { introspectUrl } = glewlwyd;
  const settings = { OAUTH2_JWKS_URL: "", OAUTH2_INTROSPECT_URL: introspectUrl("shop"), OAUTH2_PROVISION: "" };
  await using node = await nodeWith(settings);
  const token = await glewlwyd.userToken("dora", "shop", "http://127.0.0.1:1/");
  assert.equal((await call(node, "GET", "/debtors/.debtor", token)).status, 403);

  await activateNewDebtor(node.database.pool, 7n);
  const { sub } = JSON.parse(atob(token.split(".")[1]!)) as { sub: string };
  assert.equal((await node.run("subjects", "bind", sub, "7")).code, 0);

  assert.equal((await call(node, "GET", "/debtors/.debtor", token)).url, `${node.url}/debtors/7/`);
  assert.equal((await call(node, "GET", "/debtors/8/", token)).status, 403);
  assert.equal((await call(node, "GET", "/debtors/.list", await programToken("shop"))).status, 403);
});
