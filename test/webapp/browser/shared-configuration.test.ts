/** Another client saves the configuration, too: nothing that it wrote is lost, and nothing of ours. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { Page } from "playwright-core";
import { startBrowser, type TestBrowser } from "../../support/browser.ts";
import { waitFor } from "../../support/wait.ts";
import { describeCurrency, goTo, type Sandbox, signUp, startSandbox } from "./issuer.ts";
import { nodeApiOf } from "./node-api.ts";

let sandbox: Sandbox;
let browser: TestBrowser;
let page: Page;
let api: Awaited<ReturnType<typeof nodeApiOf>>;
before(async () => {
  sandbox = await startSandbox();
  browser = await startBrowser({ serviceWorkers: "block" });
  page = await browser.context.newPage();
  await signUp(page, sandbox, "alice@example.com");
  await describeCurrency(page);
  api = await nodeApiOf(page, sandbox.url);
});
afterEach(() => browser.context.unrouteAll({ behavior: "ignoreErrors" }));
after(async () => {
  await browser?.close();
  await sandbox?.close();
});

/** 2^53 + 1: a floating-point number would lose it. */
const LIMIT = "9007199254740993";
const PATCHES = /\/debtors\/\d+\/config$/;

/** The configuration that the node has, with the name in its document. */
async function read(): Promise<{
  name: string;
  divisor: number;
  rate: unknown;
  limit: string | undefined;
  latestUpdateId: bigint;
}> {
  const { configData, latestUpdateId } = await api.config();
  const { rate, info } = JSON.parse(configData) as { rate: number; info: { iri: string } };
  const document = (await (await fetch(info.iri)).json()) as { debtorName: string; amountDivisor: number };
  return {
    name: document.debtorName,
    divisor: document.amountDivisor,
    rate,
    limit: /"limit":([0-9]+)/.exec(configData)?.[1],
    latestUpdateId,
  };
}

async function openForm(): Promise<void> {
  await goTo(page, "/");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await goTo(page, "/currency");
  await page.getByLabel("Name of the currency").waitFor();
}

async function save(): Promise<void> {
  await page.getByRole("button", { name: "Save the currency" }).click();
}

test("a limit beyond 2^53 keeps every digit; what the old client erased is put back with one tap", async () => {
  await openForm();
  await page.getByLabel(/^Limit/).fill("90071992547409.93");
  await save();
  await waitFor(async () => (await read()).limit === LIMIT, { what: "the limit" });

  await api.saveConfig((configData) => configData.replace(/"limit":[0-9]+,?/, ""));
  await page.getByRole("button", { name: "Reload" }).click();
  await page.getByText("Changed elsewhere").first().waitFor();
  await page.getByRole("button", { name: "Put it back" }).click();
  await page.getByText("Changed elsewhere").first().waitFor({ state: "hidden" });
  assert.equal((await read()).limit, LIMIT);
});

test("a limit that nobody touched stays to the token when the smallest part changes", async () => {
  await openForm();
  await page.getByText("How amounts are shown").click();
  await page.getByLabel("Smallest part").fill("1000");
  await save();
  await page.getByRole("button", { name: "Save anyway" }).click();
  const isSaved = async (): Promise<boolean> => (await read()).divisor === 1000;
  await waitFor(isSaved, { what: "the divisor" });
  assert.equal((await read()).limit, LIMIT);
});

test("the rate changed there and the name changed here are both kept", async () => {
  await openForm();
  await page.getByLabel("Name of the currency").fill("Eight");
  await api.saveConfig((configData) => configData.replace(/"rate":[0-9.]+/, '"rate":2.5'));
  await save();
  await page.getByRole("button", { name: "Save anyway" }).click();
  await waitFor(async () => (await read()).name === "Eight", { what: "the name" });
  const { rate, limit } = await read();
  assert.deepEqual([rate, limit], [2.5, LIMIT]);
});

test("the same name changed by both is compared, and nothing is sent before the user decides", async () => {
  await openForm();
  await page.getByLabel("Name of the currency").fill("Ours");
  const { configData } = await api.config();
  const { info } = JSON.parse(configData) as { info: { iri: string; contentType: string; sha256: string } };
  const theirs = (await (await fetch(info.iri)).text()).replace('"Eight"', '"Theirs"');
  const iri = await api.saveDocument(theirs, info.contentType);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(theirs)));
  await api.saveConfig((text) => text.replace(info.iri, iri).replace(info.sha256, digest.toHex().toUpperCase()));
  const { latestUpdateId } = await read();
  await save();
  const agree = page.getByRole("button", { name: "Save anyway" });
  const heading = page.getByRole("heading", { name: "Someone else changed the same things" });
  await agree.or(heading).first().waitFor();
  if (await agree.isVisible()) await agree.click();
  await heading.waitFor();
  await page.getByRole("dialog").getByText("Theirs").last().waitFor();
  assert.equal((await read()).latestUpdateId, latestUpdateId);

  await page.getByRole("button", { name: "Save mine" }).click();
  await waitFor(async () => (await read()).name === "Ours", { what: "the name" });
});

test("an answer to a configuration that is lost is repeated with its number, which is used once", async () => {
  await openForm();
  const { latestUpdateId } = await read();
  const bodies: string[] = [];
  await browser.context.route(PATCHES, async (route) => {
    if (route.request().method() !== "PATCH") return route.continue();
    bodies.push(route.request().postData()!);
    if (bodies.length > 1) return route.continue();
    await route.fetch();
    return route.abort();
  });
  await page.getByLabel(/^Interest rate/).fill("3.5");
  await save();
  await waitFor(() => bodies.length === 2, { what: "the repetition" });
  await page.getByText("Accepted").first().waitFor();
  const saved = await read();
  assert.deepEqual([saved.rate, saved.latestUpdateId], [3.5, latestUpdateId + 1n]);
  assert.equal(bodies[0], bodies[1]);
});
