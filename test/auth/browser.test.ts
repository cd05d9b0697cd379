/** A person with a browser: signs up, consents, and uses a web client that lives on another origin. */
import assert from "node:assert/strict";
import type { Server } from "node:http";
import { after, before, test } from "node:test";
import { pino } from "pino";
import type { Page } from "playwright-core";
import { type AuthorizationServer, startAuthorizationServer } from "../../sandbox/authorization-server/server.ts";
import { readConfig } from "../../src/config.ts";
import { createTokenAuthenticator, type TokenAuthenticator } from "../../src/http/auth/token-authenticator.ts";
import { defaultTokenRules } from "../../src/http/auth/token-rules.ts";
import { createHttpServer } from "../../src/http/server.ts";
import { activateNewDebtor } from "../../src/operations/debtors.ts";
import { INT64_MAX, INT64_MIN } from "../../src/values/int64.ts";
import { parseShard } from "../../src/values/shard.ts";
import { startBrowser, type TestBrowser } from "../support/browser.ts";
import { findFreePort } from "../support/command.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { close, listen } from "../support/http-server.ts";
import { startWebClient, type WebClient } from "./web-client.ts";

const log = pino({}, { write: () => {} });
let database: TestDatabase;
let authorizationServer: AuthorizationServer;
let tokenAuthenticator: TokenAuthenticator & { close(): Promise<void> };
let agent: Server;
let webClient: WebClient;
let browser: TestBrowser;

before(async () => {
  database = await createTestDatabase();
  const port = await findFreePort();
  const nodeUrl = `http://127.0.0.1:${port}`;
  authorizationServer = await startAuthorizationServer({ pool: database.pool, port: 0, nodeUrl, log });
  const { introspectUrl } = authorizationServer;
  tokenAuthenticator = createTokenAuthenticator({
    verification: { kind: "introspection", introspectUrl },
    rules: defaultTokenRules,
    cacheSeconds: 300,
    cacheEntriesMax: 1000,
    log,
  });
  const { limits, subjects } = readConfig({}, []);
  agent = createHttpServer({
    pool: database.pool,
    realm: { minDebtorId: INT64_MIN, maxDebtorId: INT64_MAX, shard: parseShard("#")! },
    limits,
    authentication: { mode: "introspection", introspectUrl },
    tokenAuthenticator,
    subjects,
    enableCors: true,
    trustForwardedHeaders: false,
    log,
  });
  await listen(agent, port);
  await activateNewDebtor(database.pool, 8n);
  webClient = await startWebClient({ issuer: authorizationServer.url, agent: nodeUrl });
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await webClient?.close();
  if (agent) await close(agent);
  await tokenAuthenticator?.close();
  await authorizationServer?.close();
  await database?.close();
});

test("a person signs up, consents, issues money from a page of another origin, and can read the error of a rejected call", async () => {
  const page = await browser.context.newPage();
  await page.goto(webClient.url);
  await page.getByRole("button", { name: "Log in" }).click();

  await page.getByRole("link", { name: "Sign up" }).click();
  await page.getByLabel("E-mail address").fill("alice@example.com");
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Sign up" }).click();

  await page.getByRole("heading", { name: "Allow access" }).waitFor();
  assert.match((await page.locator("main").textContent()) ?? "", /Allow the issuer’s web client to act for you/);
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByText("State: logged in").waitFor();

  const own = await call(page, "GET", "/debtors/.debtor");
  assert.equal(own.status, 200);
  assert.match(own.url, /\/debtors\/\d+\/$/, "the browser has followed the redirect with the token");
  assert.equal(own.headers["content-type"], "application/json");
  const uri = new URL(own.url).pathname;

  const debtorId = uri.split("/")[2];
  const body = JSON.stringify({
    transferUuid: "123e4567-e89b-12d3-a456-426655440000",
    recipient: { uri: `swpt:${debtorId}/1` },
    amount: 1,
  });
  const created = await call(page, "POST", `${uri}transfers/`, { body });
  assert.equal(created.status, 201, created.text);
  assert.match(created.headers.location ?? "", /\/transfers\/123e4567-e89b-12d3-a456-426655440000$/);

  const foreign = await call(page, "GET", "/debtors/8/");
  assert.deepEqual([foreign.status, JSON.parse(foreign.text).code], [403, 403]);
  const invalid = await call(page, "PATCH", `${uri}config`, { body: "{}" });
  assert.equal(invalid.status, 422);
  assert.match(invalid.text, /latestUpdateId/);
  const missing = await call(page, "DELETE", "/debtors/nonsense");
  assert.equal(missing.status, 404);
  const anonymous = await call(page, "GET", uri, { token: null });
  assert.deepEqual([anonymous.status, JSON.parse(anonymous.text).code], [401, 401]);
  const badToken = await call(page, "GET", uri, { token: "bad" });
  assert.equal(badToken.status, 401);
  await page.close();
});

test("a person who denies access is redirected back without a token", async () => {
  const page = await browser.context.newPage();
  await browser.context.clearCookies();
  await page.goto(webClient.url);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("E-mail address").fill("alice@example.com");
  await page.getByLabel("Password").fill("wrong horse");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Deny" }).click();
  await page.getByText("State: access_denied").waitFor();
  await page.close();
});

interface Seen {
  readonly status: number;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly text: string;
}

/** Calls the agent from within the page, with the page's token unless told otherwise. */
const call = (page: Page, method: string, target: string, options: { token?: string | null; body?: string } = {}) =>
  page.evaluate(
    ([method, target, { token, body }]) => {
      const client = globalThis as unknown as {
        token: string;
        call(method: string, target: string, options: object): Promise<Seen>;
      };
      return client.call(method, target, { token: token === null ? undefined : (token ?? client.token), body });
    },
    [method, target, options] as const,
  );
