/** The page itself: what its policy stops, what it does without a network, and how it takes the place of its predecessor. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { waitFor } from "../../support/wait.ts";
import { EMAIL, goTo, type Issuer, pasteRequest, paymentRequest, signIn, startIssuer } from "./issuer.ts";
import { nodeApiOf } from "./node-api.ts";
import { serveOldClient } from "./old-client.ts";

let issuer: Issuer;
let page: Page;
before(async () => {
  issuer = await startIssuer();
  page = issuer.page;
});
after(() => issuer?.close());

test("the policy blocks inline scripts and styles, requests to other origins, and markup from text", async () => {
  const outcomes = await page.evaluate(async () => {
    const outcome = (act: () => unknown): string => {
      try {
        act();
        return "done";
      } catch (error) {
        return (error as Error).name;
      }
    };
    const element = document.createElement("div");
    document.body.append(element);
    const script = document.createElement("script");
    const isSet = outcome(() => {
      script.text = "document.title = 'ran'";
    });
    document.body.append(script);
    const styled = document.createElement("p");
    styled.setAttribute("style", "color: rgb(1, 2, 3)");
    document.body.append(styled);
    const foreign = await fetch("http://127.0.0.1:1/").catch((error: Error) => error.name);
    return {
      innerHtml: outcome(() => {
        element.innerHTML = "<b>x</b>";
      }),
      script: isSet,
      title: document.title,
      style: getComputedStyle(styled).color,
      foreign,
      worker: outcome(() => new Worker("sw.js")),
      policy: outcome(() =>
        (
          globalThis as unknown as { trustedTypes: { createPolicy(name: string, rules: object): unknown } }
        ).trustedTypes.createPolicy("app", {}),
      ),
    };
  });
  assert.deepEqual(outcomes, {
    innerHtml: "TypeError",
    script: "TypeError",
    title: outcomes.title,
    style: outcomes.style,
    foreign: "TypeError",
    worker: "TypeError",
    policy: "TypeError",
  });
  assert.notEqual(outcomes.title, "ran");
  assert.notEqual(outcomes.style, "rgb(1, 2, 3)");
});

test("a coin info document at another host is read without a token, a cookie or a referrer", async () => {
  const seen: IncomingHttpHeaders[] = [];
  const host = createServer((request, response) => {
    seen.push(request.headers);
    response
      .writeHead(200, {
        "Access-Control-Allow-Origin": "*",
        "Content-Type": "application/vnd.swaptacular.coin-info+json",
      })
      .end(document);
  }).listen(0, "127.0.0.1");
  await once(host, "listening");
  const publicInfo = `${issuer.sandbox.url}/debtors/${issuer.debtorId}/public`;
  const document = JSON.stringify({
    type: "CoinInfo",
    revision: 9,
    latestDebtorInfo: { uri: publicInfo },
    debtorIdentity: { type: "DebtorIdentity", uri: `swpt:${issuer.debtorId}` },
    debtorName: "Kept elsewhere",
    amountDivisor: 100,
    decimalPlaces: 2,
    unit: "ELS",
  });
  const iri = `http://127.0.0.1:${(host.address() as AddressInfo).port}/coin`;
  const sha256 = createHash("sha256").update(document).digest("hex").toUpperCase();
  const api = await nodeApiOf(page, issuer.sandbox.url);
  const before = (await api.config()).configData;
  const contentType = "application/vnd.swaptacular.coin-info+json";
  await api.saveConfig(() =>
    JSON.stringify({ type: "RootConfigData", rate: 0, info: { type: "DebtorInfo", iri, contentType, sha256 } }),
  );

  await goTo(page, "/");
  await page.getByRole("button", { name: "Reload" }).click();
  await page.getByText("Kept elsewhere").first().waitFor();
  assert.ok(seen.length > 0);
  for (const headers of seen) {
    assert.deepEqual([headers.authorization, headers.cookie, headers.referer], [undefined, undefined, undefined]);
  }
  await api.saveConfig(() => before);
  host.close();
  host.closeAllConnections();
});

test("without a network the second visit opens, shows what is stored, and accepts a draft that is sent later", async () => {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await waitFor(async () => (await cacheNames(page)).some((name) => name.startsWith("issuer-")));
  await page.goto(issuer.sandbox.webapp);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.getByText("Seven").first().waitFor();

  await issuer.sandbox.crash();
  await page.goto(issuer.sandbox.webapp);
  await page.getByText("No connection").waitFor();
  await page.getByText("Seven").first().waitFor();
  await pasteRequest(page, paymentRequest(`swpt:${issuer.debtorId}/17`, 500, "OFFLINE"));
  await page.getByRole("heading", { name: "Check and pay" }).waitFor();
  const draft = new URL(page.url()).hash;
  await page.reload();
  await page.getByText("OFFLINE").first().waitFor();

  await issuer.sandbox.start();
  await goTo(page, "/");
  await page.getByRole("button", { name: "Reload" }).click();
  await goTo(page, draft.slice(1));
  await page.getByRole("button", { name: "Pay 5.00" }).click();
  await page.getByText("Done", { exact: true }).waitFor();
  assert.equal(await page.getByText("No connection").count(), 0);
});

test("nothing that the server says about the account is in a cache", async () => {
  const kept = await page.evaluate(async () => {
    const urls: string[] = [];
    for (const name of await caches.keys()) {
      for (const { url } of await (await caches.open(name)).keys()) urls.push(new URL(url).pathname);
    }
    return urls;
  });
  assert.ok(kept.length > 5);
  assert.deepEqual(
    kept.filter((path) => !/^\/debtors-webapp\/(?:assets\/[\w.-]+)?$/.test(path)),
    [],
  );
});

test("where the old client was, the second visit shows this client, with the old history and drafts", async () => {
  await using visitor = await issuer.browser.newStranger();
  const tab = await visitor.newPage();
  tab.setDefaultTimeout(15_000);
  await issuer.sandbox.crash();
  const former = await serveOldClient(Number(new URL(issuer.sandbox.url).port), issuer.debtorId);
  await tab.goto(issuer.sandbox.webapp);
  await tab.waitForFunction(() => document.title === "ready");
  await former.close();
  await issuer.sandbox.start();

  await tab.goto(issuer.sandbox.webapp);
  await waitFor(async () => {
    const names = await cacheNames(tab);
    return names.some((name) => name.startsWith("issuer-")) && !names.includes("swpt-debtors-ui-1");
  });
  await tab.goto(issuer.sandbox.webapp);
  await signIn(tab, EMAIL);
  await goTo(tab, "/payments");
  await tab.getByLabel("Search").fill("OLD-1");
  await tab.getByRole("link", { name: /Old shop.*Done/ }).waitFor();
  await tab.getByLabel("Search").fill("OLD-2");
  await tab.getByRole("link", { name: /Old shop.*Draft/ }).click();
  await tab.getByRole("heading", { name: "Check and pay" }).waitFor();
  assert.match(tab.url(), /123e4567-e89b-42d3-a456-426614174002$/);
  // What had been sent without an answer is repeated with its UUID, once.
  const api = await nodeApiOf(tab, issuer.sandbox.url);
  await waitFor(async () => (await api.transfers()).some(({ transferUuid }) => transferUuid.endsWith("174003")));
  assert.equal((await api.transfers()).filter(({ note }) => note.startsWith("OLD-")).length, 1);
  await goTo(tab, "/settings");
  await tab.getByRole("button", { name: "Remove the previous client’s data" }).click();
  await tab.getByRole("button", { name: "Remove", exact: true }).click();
  await waitFor(() => tab.evaluate(async () => (await indexedDB.databases()).every(({ name }) => name !== "debtors")));
});

const cacheNames = (of: Page): Promise<string[]> => of.evaluate(() => caches.keys());
