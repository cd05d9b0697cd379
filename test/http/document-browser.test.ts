/** Documents of others in a real browser: they are shown, and cannot touch the origin that serves them. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { startBrowser, type TestBrowser } from "../support/browser.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

let testServer: TestServer;
let browser: TestBrowser;
before(async () => {
  testServer = await startTestServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await testServer?.close();
});

async function save(contentType: string, body: string): Promise<string> {
  const headers = { "content-type": contentType };
  const saved = await testServer.fetch("/debtors/7/documents/", { method: "POST", headers, body });
  assert.equal(saved.status, 201);
  await saved.body?.cancel();
  return `${testServer.url}${new URL(saved.headers.get("location")!).pathname}`;
}

/** Leaves marks wherever it can: in the title, in storage, at the server, as a service worker. */
const script = `
  document.documentElement.setAttribute("data-ran", "yes");
  try { localStorage.setItem("stolen", "yes"); } catch {}
  try { navigator.serviceWorker.register("/debtors/7/documents/1/public"); } catch {}
  fetch("/debtors/script-has-run");`;

const documents = {
  HTML: [
    "text/html",
    `<!DOCTYPE html><body onload='${script.replaceAll("'", "&#39;")}'><p>shown</p><script>${script}</script>`,
  ],
  SVG: [
    "image/svg+xml",
    `<svg xmlns="http://www.w3.org/2000/svg"><text y="20">shown</text><script><![CDATA[${script}]]></script></svg>`,
  ],
  XHTML: [
    "application/xhtml+xml",
    `<html xmlns="http://www.w3.org/1999/xhtml"><body><p>shown</p><script><![CDATA[${script}]]></script></body></html>`,
  ],
  XML: ["text/xml", `<x><y>shown</y><script xmlns="http://www.w3.org/1999/xhtml"><![CDATA[${script}]]></script></x>`],
  "HTML that calls itself a PDF": ["application/pdf, text/html", `<p>shown</p><script>${script}</script>`],
} as const;

/** Evaluates to the name of the error that the expression fails with, or to null. */
const errorNameOf = (expression: string): string =>
  `(async () => { try { ${expression}; return null; } catch (error) { return error.name; } })()`;

/** Opens the URL. Returns the paths that the page requests, also later on. */
async function open(page: Page, url: string): Promise<string[]> {
  const requested: string[] = [];
  page.on("request", (request) => requested.push(new URL(request.url()).pathname));
  await page.goto(url, { waitUntil: "load" });
  return requested;
}

for (const [name, [contentType, body]] of Object.entries(documents)) {
  test(`${name} shows its text, and its script does not run`, async () => {
    const page = await browser.context.newPage();
    const requested = await open(page, await save(contentType, body));
    // PDF types are downloaded or shown as text; in either case no script may have run.
    if (!contentType.includes("pdf")) assert.match(await page.content(), /shown/);
    assert.equal(await page.evaluate(`document.documentElement.getAttribute("data-ran")`), null);
    // Opaque origins have no storage to read.
    assert.equal(await page.evaluate("self.origin"), "null");
    assert.equal(await page.evaluate(errorNameOf("localStorage.length")), "SecurityError");
    assert.ok(!requested.includes("/debtors/script-has-run"), requested.join(" "));
    await page.close();
    await assertNothingLeft();
  });
}

test("a PDF is offered for download and opens no page in this origin", async () => {
  const url = await save("application/pdf", "%PDF-1.7\n%%EOF");
  const page = await browser.context.newPage();
  const download = page.waitForEvent("download");
  await page.goto(url).catch(() => {}); // A navigation that turns into a download is reported as a failure.
  await (await download).cancel();
  assert.equal(page.url(), "about:blank");
  await page.close();
  await assertNothingLeft();
});

test("a script that is a document cannot become a service worker of another document", async () => {
  const worker = await save("text/javascript", "self.onfetch = (event) => event.respondWith(new Response('mine'));");
  const { pathname } = new URL(worker);
  const page = await browser.context.newPage();
  await open(page, await save("text/html", `<script>navigator.serviceWorker.register("${pathname}")</script>`));
  const registering = errorNameOf(`await navigator.serviceWorker.register("${pathname}")`);
  assert.notEqual(await page.evaluate(registering), null);
  await page.close();
  await assertNothingLeft();
});

test("styles and pictures of a document are displayed", async () => {
  const picture = await save("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" width="31" height="17"/>');
  const page = await browser.context.newPage();
  await open(page, await save("text/html", `<style>p{color:rgb(1,2,3)}</style><p>x</p><img src="${picture}">`));
  assert.equal(await page.evaluate(`getComputedStyle(document.querySelector("p")).color`), "rgb(1, 2, 3)");
  assert.equal(await page.evaluate(`document.querySelector("img").naturalWidth`), 31);
  await page.close();
});

/** Checks from a page of the product, whose origin the documents must not reach. */
async function assertNothingLeft(): Promise<void> {
  const page = await browser.context.newPage();
  await page.goto(`${testServer.url}/debtors/.docs/`);
  assert.equal(await page.evaluate("self.origin"), testServer.url);
  assert.equal(await page.evaluate(`localStorage.getItem("stolen")`), null);
  assert.equal(await page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)"), 0);
  await page.close();
}
