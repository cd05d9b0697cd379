/** The files of the web client: public, at exactly their names, compressed, and with restrictive headers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildWebappIfStale } from "../../scripts/build-webapp.ts";
import { createWebapp } from "../../src/http/webapp/webapp.ts";
import { webappSettings } from "../support/webapp.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

const settings = { ...webappSettings, serverApiEntrypoint: "https://api.example.com/debtors/.debtor" };
const folder = fileURLToPath(new URL("../../webapp/dist/", import.meta.url));

let server: TestServer;
before(async () => {
  await buildWebappIfStale();
  const limits = { maxTransfersPerMonth: 300, documentMaxContentLength: 50000, version: "1.2.3" };
  // Without a token.
  server = await startTestServer(
    {},
    {
      authentication: { mode: "trusted proxy", anonymousIsSuperuser: false },
      webapp: createWebapp({ folder, settings, ...limits }),
    },
  );
});
after(() => server?.close());

const get = (path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Response> =>
  server.fetch(path, { method, headers });
const assetsIn = (page: string): string[] =>
  Array.from(page.matchAll(/(?:href|src|content)="(assets\/[^"]+)"/g), ([, name]) => name!);

test("the page, its files, the manifest and the service worker are served, each with its caching", async () => {
  const page = await get("/debtors-webapp/");
  const html = await page.text();
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(page.headers.get("cache-control"), "no-cache");
  assert.doesNotMatch(html, /<script(?![^>]*src=)|<style|style=|onload=/, "nothing inline");

  const assets = assetsIn(html);
  assert.ok(assets.length >= 5, html);
  for (const name of assets) {
    const response = await get(`/debtors-webapp/${name}`);
    assert.equal(response.status, 200, name);
    assert.equal(response.headers.get("cache-control"), "max-age=31536000, immutable");
    assert.match(name, /-[0-9A-Za-z]{8}\.\w+$/);
  }
  for (const name of ["manifest.json", "sw.js"]) {
    const response = await get(`/debtors-webapp/${name}`);
    assert.deepEqual([response.status, response.headers.get("cache-control")], [200, "no-cache"]);
  }
});

test("config.json has the settings, the limits of the server and its version, and is not cached", async () => {
  const response = await get("/debtors-webapp/config.json");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.deepEqual(await response.json(), {
    ...settings,
    maxTransfersPerMonth: 300,
    documentMaxContentLength: 50000,
    version: "1.2.3",
  });
});

test("each encoding of a file has its own ETag, and is not sent again to a client that has it", async () => {
  for (const path of ["", "config.json", "manifest.json", "sw.js"]) {
    const tags = new Set<string>();
    for (const [accepted, used] of [
      ["br, gzip", "br"],
      ["gzip", "gzip"],
      ["identity", null],
      ["br;q=0, gzip", "gzip"],
    ] as const) {
      const headers = { "accept-encoding": accepted };
      const full = await get(`/debtors-webapp/${path}`, headers);
      assert.equal(full.headers.get("content-encoding"), used, `${path} ${accepted}`);
      assert.equal(full.headers.get("vary"), "accept-encoding");
      await full.text();
      const etag = full.headers.get("etag")!;
      tags.add(etag);
      for (const known of [`"x", W/${etag}`, "*"]) {
        const again = await get(`/debtors-webapp/${path}`, { ...headers, "if-none-match": known });
        assert.deepEqual([again.status, await again.text()], [304, ""], known);
      }
    }
    assert.equal(tags.size, 3);
  }
});

test("the page may load only its own scripts and connect only to its own servers", async () => {
  const { headers } = await get("/debtors-webapp/");
  assert.equal(
    headers.get("content-security-policy"),
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' https://auth.example.com https://api.example.com; worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types app",
  );
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.equal(headers.get("referrer-policy"), "no-referrer");
  assert.equal(headers.get("cross-origin-opener-policy"), "same-origin");
  assert.equal(headers.get("permissions-policy"), "camera=(self)");
  assert.equal(headers.get("access-control-allow-origin"), null);
});

test("the worker that reads documents of others has a policy of its own", async () => {
  const name = assetsIn(await (await get("/debtors-webapp/")).text()).find((asset) => asset.includes("worker"))!;
  const { headers } = await get(`/debtors-webapp/${name}`);
  assert.equal(headers.get("content-security-policy"), "default-src 'none'; connect-src https:");
});

test("the address without its slash is redirected, other names are unknown, and nothing can be written", async () => {
  const redirect = await get("/debtors-webapp?code=x");
  assert.deepEqual([redirect.status, redirect.headers.get("location")], [308, "/debtors-webapp/?code=x"]);
  for (const path of [
    "index.html",
    "assets/",
    "assets/none.js",
    "sw.js.br",
    "../debtors/",
    "%2e%2e/package.json",
    "x",
  ]) {
    const response = await get(`/debtors-webapp/${path}`);
    assert.notEqual(response.status, 200, path);
  }
  assert.equal((await get("/debtors-webapp/x")).status, 404);
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const response = await get("/debtors-webapp/", {}, method);
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD"], method);
  }
  const head = await get("/debtors-webapp/", {}, "HEAD");
  assert.deepEqual([head.status, await head.text()], [200, ""]);
});

test("a query does not change the page", async () => {
  const [one, other] = await Promise.all([get("/debtors-webapp/"), get("/debtors-webapp/?code=1&state=2")]);
  assert.equal(await other.text(), await one.text());
});

test("without its settings the web client is not served", async () => {
  await using plain = await startTestServerDisposable();
  assert.equal((await plain.fetch("/debtors-webapp/")).status, 404);
});

async function startTestServerDisposable(): Promise<TestServer & AsyncDisposable> {
  const started = await startTestServer();
  return { ...started, [Symbol.asyncDispose]: () => started.close() };
}
