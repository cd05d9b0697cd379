/** The old client was here before: its service worker, its caches and its database. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { startBrowser, type TestBrowser } from "../../support/browser.ts";
import { waitFor } from "../../support/wait.ts";
import { debtorIdOf, describeCurrency, goTo, type Sandbox, signUp, startSandbox } from "./issuer.ts";
import { nodeApiOf } from "./node-api.ts";

let sandbox: Sandbox;
let browser: TestBrowser;
let page: Page;
let debtorId: string;
before(async () => {
  sandbox = await startSandbox();
  browser = await startBrowser();
  page = await browser.context.newPage();
});
after(async () => {
  await browser?.close();
  await sandbox?.close();
});

const [DONE, OPEN, DRAFT] = [1, 2, 3].map((digit) => `123e4567-e89b-42d3-a456-42661417400${digit}`) as [
  string,
  string,
  string,
];

/** The database that the old client left, of Dexie's version 1. */
const leaveOldClient = (debtor: string): Promise<void> =>
  page.evaluate(
    async ([id, done, open, draft]) => {
      const creation = (uuid: string) => ({
        type: "TransferCreationRequest",
        transferUuid: uuid,
        recipient: { uri: `swpt:${id}/17` },
        amount: 900n,
        noteFormat: "PAYMENT0",
        note: `OLD-${uuid.at(-1)}\nOld Shop\n\n`,
      });
      const paymentInfo = {
        payeeName: "Old Shop",
        payeeReference: "OLD",
        description: { contentFormat: "", content: "" },
      };
      const startedAt = new Date(Date.now() - 3_600_000);
      const action = {
        userId: 1,
        actionType: "CreateTransfer",
        createdAt: startedAt,
        paymentInfo,
        requestedAmount: 900n,
      };
      const request = indexedDB.open("debtors", 10);
      await new Promise<void>((resolve, reject) => {
        request.onerror = () => reject(request.error);
        request.onupgradeneeded = () => {
          const db = request.result;
          db.createObjectStore("debtors", { keyPath: "userId", autoIncrement: true });
          for (const name of ["configs", "transfers", "documents"]) db.createObjectStore(name, { keyPath: "uri" });
          db.createObjectStore("actions", { keyPath: "actionId", autoIncrement: true });
          db.createObjectStore("tasks", { keyPath: "taskId", autoIncrement: true });
        };
        request.onsuccess = () => {
          const transaction = request.result.transaction(["debtors", "transfers", "actions"], "readwrite");
          transaction
            .objectStore("debtors")
            .add({ userId: 1, uri: "x", identity: { type: "DebtorIdentity", uri: `swpt:${id}` } });
          transaction.objectStore("transfers").add({
            ...creation(done),
            userId: 1,
            uri: `transfers/${done}`,
            initiatedAt: "2025-01-01T10:00:00+00:00",
            result: { finalizedAt: "2025-01-01T10:00:01+00:00", committedAmount: 900n },
            paymentInfo,
            originatesHere: true,
          });
          const execution = { startedAt, unresolvedRequestAt: startedAt };
          transaction.objectStore("actions").add({ ...action, creationRequest: creation(open), execution });
          transaction.objectStore("actions").add({ ...action, creationRequest: creation(draft) });
          transaction.oncomplete = () => {
            request.result.close();
            resolve();
          };
        };
      });
    },
    [debtor, DONE, OPEN, DRAFT] as const,
  );

/** As if ours had never been here. */
async function forgetOurs(): Promise<void> {
  await goTo(page, "/settings");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign out and forget everything" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  const blank = await browser.context.newPage();
  await blank.goto(`${sandbox.url}/debtors/health/check/public`);
  await page.close();
  page = blank;
  await page.evaluate(async () => {
    await new Promise((resolve) => {
      indexedDB.deleteDatabase("swpt-debtors-webapp").onsuccess = resolve;
    });
    for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister();
    for (const name of await caches.keys()) await caches.delete(name);
  });
}

/** At the address of ours: a page with a service worker that answers for it from a cache of its own. */
async function serveFormerClient(): Promise<{ close(): Promise<void> }> {
  const scripts = {
    "/debtors-webapp/": `<p>The former client</p><script>navigator.serviceWorker.register("sw.js")</script>`,
    "/debtors-webapp/sw.js": `
      self.addEventListener("install", (event) => event.waitUntil(
        caches.open("swpt-debtors-ui-1").then((cache) => cache.add("./")).then(() => self.skipWaiting())));
      self.addEventListener("activate", (event) => event.waitUntil(clients.claim()));
      self.addEventListener("fetch", (event) => {
        if (event.request.mode === "navigate") event.respondWith(caches.match("./"));
      });`,
  };
  const server = createServer(({ url }, response) => {
    const text = scripts[url as keyof typeof scripts];
    const contentType = url?.endsWith(".js") ? "text/javascript" : "text/html";
    response.writeHead(text === undefined ? 404 : 200, { "Content-Type": contentType }).end(text);
  });
  server.listen(Number(new URL(sandbox.url).port), "127.0.0.1");
  await once(server, "listening");
  return {
    async close() {
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const hasNoFormerCache = async (): Promise<boolean> =>
  !(await caches.keys()).some((name) => name.startsWith("swpt-debtors-ui-"));

test("the second visit shows ours, with its history and drafts; what it had sent without an answer is repeated with its UUID, once", async () => {
  await signUp(page, sandbox, "alice@example.com");
  await describeCurrency(page);
  debtorId = await debtorIdOf(page);
  await forgetOurs();
  await sandbox.crash();
  const former = await serveFormerClient();
  await page.goto(sandbox.webapp);
  await page.getByText("The former client").waitFor();
  await leaveOldClient(debtorId);
  await former.close();
  await sandbox.start();

  // The first visit may still show the former client, while its service worker is replaced.
  await page.goto(sandbox.webapp);
  await waitFor(() => page.evaluate(hasNoFormerCache), { what: "the end of the former caches" });
  await page.goto(sandbox.webapp);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const api = await nodeApiOf(page, sandbox.url);
  const sent = await waitFor(async () => {
    const transfers = await api.transfers();
    return transfers.length > 0 && transfers;
  });
  assert.deepEqual(
    sent.map(({ transferUuid, amount }) => [transferUuid, amount]),
    [[OPEN, 900n]],
  );

  await goTo(page, "/payments");
  await page.getByLabel("Search").fill("Old Shop");
  await page.getByText(/^3 payments/).waitFor();
  await goTo(page, `/payments/${DONE}`);
  await page.getByText("Done", { exact: true }).waitFor();
  assert.equal((await api.transfers()).length, 1);
});

test("the database of the old client stays until the user removes it", async () => {
  const databases = (): Promise<(string | undefined)[]> =>
    page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  assert.ok((await databases()).includes("debtors"));
  await goTo(page, "/settings");
  const remove = { name: "Remove the former client’s data" };
  await page.getByRole("button", remove).click();
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /^Remove/ })
    .click();
  await waitFor(async () => !(await databases()).includes("debtors"));
});

test("the second visit opens without a network, shows what is stored, and takes drafts that are sent afterwards", async () => {
  await waitFor(() =>
    page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active !== undefined),
  );
  await browser.context.setOffline(true);
  await page.goto(sandbox.webapp);
  await page.getByText("Old Shop").first().waitFor();
  await goTo(page, "/pay");
  await page.getByRole("button", { name: "Paste" }).click();
  await page.getByLabel("Text of the request").fill(`PR0\n\nswpt:${debtorId}/17\nShop\n1000\n\nOFFLINE\n\n`);
  await page.getByRole("button", { name: "Use it" }).click();
  await page.getByRole("heading", { name: "Check and pay" }).waitFor();
  const place = page.url();
  await page.reload();
  await page.getByText("OFFLINE").first().waitFor();

  await browser.context.setOffline(false);
  await page.goto(place);
  await page.getByRole("button", { name: "Pay 10.00" }).click();
  await page.getByText("Done", { exact: true }).waitFor();
});

test("the page's policy blocks inline scripts, foreign requests and markup made of text", async () => {
  const blocked = await page.evaluate(async () => {
    const violation = new Promise<string>((resolve) => {
      document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
        if (effectiveDirective === "connect-src") resolve(effectiveDirective);
      });
    });
    const script = document.createElement("script");
    let markup = "taken";
    try {
      script.text = "window.injected = true";
      document.head.append(script);
    } catch {
      markup = "refused";
    }
    let html = "taken";
    try {
      document.createElement("div").innerHTML = "<b>x</b>";
    } catch {
      html = "refused";
    }
    const foreign = await fetch("https://other.example/").then(
      () => "sent",
      () => "refused",
    );
    return { markup, html, foreign, injected: "injected" in window, violation: await violation };
  });
  const refused = { markup: "refused", html: "refused", foreign: "refused", injected: false, violation: "connect-src" };
  assert.deepEqual(blocked, refused);
});
