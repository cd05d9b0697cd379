/** A new version of the page is announced, and taken when the user says so, in all tabs. */
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { buildWebappIfStale } from "../../../scripts/build-webapp.ts";
import { createWebapp, type Webapp } from "../../../src/http/webapp/webapp.ts";
import { startTestServer, type TestServer } from "../../http/test-server.ts";
import { startBrowser, type TestBrowser } from "../../support/browser.ts";
import { webappSettings } from "../../support/webapp.ts";

const built = fileURLToPath(new URL("../../../webapp/dist/", import.meta.url));
let folder: string;
let current: Webapp;
let server: TestServer;
let browser: TestBrowser;
before(async () => {
  await buildWebappIfStale();
  folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-version-"));
  current = webappOf(built);
  server = await startTestServer({}, { webapp: { answer: (request) => current.answer(request) } });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

const webappOf = (files: string): Webapp =>
  createWebapp({
    folder: files,
    settings: {
      ...webappSettings,
      authorizationUrl: "http://127.0.0.1:1/auth",
      tokenUrl: "http://127.0.0.1:1/token",
    },
    maxTransfersPerMonth: 300,
    documentMaxContentLength: 50000,
    version: "1",
  });

/** The same files, but for a page that says which version it is. */
async function makeVersion(version: number): Promise<Webapp> {
  const files = path.join(folder, String(version));
  await cp(built, files, { recursive: true });
  const page = path.join(files, "index.html");
  await writeFile(page, (await readFile(page, "utf8")).replace("<body>", `<body data-version="${version}">`));
  const worker = path.join(files, "sw.js");
  const hash = String(version).padStart(8, "0");
  await writeFile(worker, (await readFile(worker, "utf8")).replace(/\.\/\?[0-9a-f]{8}/, `./?${hash}`));
  for (const file of [page, worker]) for (const ending of [".br", ".gz"]) await rm(file + ending);
  return webappOf(files);
}

const versionOf = (page: Page): Promise<string | null> => page.locator("body").getAttribute("data-version");

const showsVersion = (page: Page, version: number): Promise<void> =>
  page.locator(`body[data-version="${version}"]`).waitFor({ state: "attached" });

test("a new version waits until the user agrees in one tab, and the other tabs follow", async () => {
  const url = `${server.url}/debtors-webapp/`;
  const [page, other] = [await browser.context.newPage(), await browser.context.newPage()];
  for (const tab of [page, other]) {
    await tab.goto(url);
    await tab.getByRole("button", { name: "Sign in" }).waitFor();
    await tab.waitForFunction(() => navigator.serviceWorker.controller !== null);
  }
  current = await makeVersion(2);
  await page.reload();
  assert.equal(await versionOf(page), null, "what was kept is shown");
  await page.evaluate(async () => void (await (await navigator.serviceWorker.getRegistration())?.update()));

  await page.getByRole("button", { name: "Update now" }).click();
  await showsVersion(page, 2);
  await other.bringToFront();
  await other.getByRole("button", { name: "Update now" }).click();
  await showsVersion(other, 2);
});

test("one that the browser finds, and another tab takes, before a page has registered its worker is announced too", async () => {
  const url = `${server.url}/debtors-webapp/`;
  const [page, other] = [await browser.context.newPage(), await browser.context.newPage()];
  await page.addInitScript(() => {
    const register = navigator.serviceWorker.register.bind(navigator.serviceWorker);
    navigator.serviceWorker.register = async (...args) => {
      const registration = await register(...args);
      const found = new Promise((resolve) => registration.addEventListener("updatefound", resolve));
      void registration.update();
      if (registration.installing === null && registration.waiting === null) await found;
      return registration;
    };
  });
  await other.addInitScript(() => {
    navigator.serviceWorker.register = () => new Promise(() => {});
  });
  await other.goto(url);
  await showsVersion(other, 2);
  await other.getByRole("button", { name: "Sign in" }).waitFor();
  current = await makeVersion(3);
  await page.goto(url);
  await page.getByRole("button", { name: "Update now" }).click();
  await showsVersion(page, 3);
  await other.bringToFront();
  await other.getByRole("button", { name: "Update now" }).click();
  await showsVersion(other, 3);
});
