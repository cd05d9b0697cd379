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

/** Resolves with the document's address at the server. */
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
    assert.match(await page.content(), /shown/);
    assert.equal(await page.evaluate(`document.documentElement.getAttribute("data-ran")`), null);
    // Opaque origins have no storage to read.
    assert.equal(await page.evaluate("self.origin"), "null");
    assert.equal(await page.evaluate(errorNameOf("localStorage.length")), "SecurityError");
    assert.ok(!requested.includes("/debtors/script-has-run"), requested.join(" "));
    await page.close();
    await assertNothingLeft();
  });
}

const page = `<!DOCTYPE html><body onload='${script.replaceAll("'", "&#39;")}'><p>shown</p><script>${script}</script>`;
/** In UTF-7 the angle brackets are letters for everybody else. */
const utf7 = page.replaceAll("<", "+ADw-").replaceAll(">", "+AD4-");
const styled = `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="#s"?><x><xsl:stylesheet id="s" version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><html><body><script>${script}</script></body></html></xsl:template></xsl:stylesheet></x>`;
const nested = `<iframe srcdoc="${page.replaceAll('"', "&quot;")}"></iframe><iframe src="data:text/html,${encodeURIComponent(page)}"></iframe><iframe src="javascript:${encodeURIComponent(script)}"></iframe><object data="data:image/svg+xml,x"></object><embed src="data:text/html,x"><meta http-equiv="refresh" content="0;url=javascript:${encodeURIComponent(script)}"><base href="https://evil.example/">`;
const tricks: readonly (readonly [contentType: string, body: string])[] = [
  ["text/html;", page],
  ["TEXT/HTML;charset=utf-7", utf7],
  ["text/html; charset=utf-7", page],
  ["text/html; charset=utf-16", page],
  // Without a type of its own a document is served as HTML.
  ["", page],
  [" ", page],
  ["text/plain", page],
  ["text/plain, text/html", page],
  ["text/html, application/pdf", page],
  ["unknown/unknown", page],
  ["application/unknown", page],
  ["*/*", page],
  ["/", page],
  ["html", page],
  ["application/octet-stream", page],
  ["text/html", nested],
  ["application/xml", styled],
  ["text/xml; charset=utf-8", styled],
  ["text/xsl", styled],
  ["image/svg+xml; x=y", documents.SVG[1]],
  ["image/png", documents.SVG[1]],
  ["application/rss+xml", documents.XML[1]],
  ["application/pdf, text/html", page],
  ["application/pdf ;x", page],
  ["application/x-pdf", page],
  ["multipart/x-mixed-replace; boundary=b", `--b\r\nContent-Type: text/html\r\n\r\n${page}\r\n--b--`],
  ["multipart/related; boundary=b", `--b\r\nContent-Type: text/html\r\n\r\n${page}\r\n--b--`],
  ["message/rfc822", `Content-Type: text/html\r\n\r\n${page}`],
];

test("no content type, charset, nesting or stylesheet makes a document run, whole or in ranges", async () => {
  const tab = await browser.context.newPage();
  tab.setDefaultTimeout(5_000);
  const requested: string[] = [];
  tab.on("request", (request) => requested.push(new URL(request.url()).pathname));
  for (const [contentType, body] of tricks) {
    const url = await save(contentType, body);
    // What the browser does not show it downloads, which looks like a failed navigation.
    await tab.goto(url, { waitUntil: "commit" }).catch(() => {});
    await tab.waitForLoadState("load", { timeout: 1_000 }).catch(() => {});
    const shown = tab.mainFrame();
    if (shown.url() === url) {
      assert.equal(
        await shown.evaluate(`document.documentElement?.getAttribute("data-ran") ?? null`),
        null,
        contentType,
      );
      assert.equal(await shown.evaluate("self.origin"), "null", contentType);
    }
    const part = await testServer.fetch(new URL(url).pathname, { headers: { range: "bytes=9-" } });
    assert.match(part.headers.get("content-security-policy") ?? "", /^sandbox; default-src 'none'/, contentType);
    assert.equal(part.headers.get("x-content-type-options"), "nosniff");
    await part.body?.cancel();
  }
  assert.ok(!requested.includes("/debtors/script-has-run"), requested.join(" "));
  await tab.close();
  await assertNothingLeft();
});

for (const contentType of ["application/pdf", "text/pdf", "text/html, application/pdf", "x; , Application/PDF;a=b"]) {
  test(`a PDF is offered for download and opens no page in this origin: ${contentType}`, async () => {
    const url = await save(contentType, "%PDF-1.7\n%%EOF");
    const tab = await browser.context.newPage();
    const download = tab.waitForEvent("download");
    await tab.goto(url).catch(() => {}); // A navigation that turns into a download is reported as a failure.
    await (await download).cancel();
    assert.equal(tab.url(), "about:blank");
    await tab.close();
    await assertNothingLeft();
  });
}

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
