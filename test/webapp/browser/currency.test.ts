/** The currency: pegged to another one, and configured by two clients at the same time. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, test } from "node:test";
import type { Page } from "playwright-core";
import { waitFor } from "../../support/wait.ts";
import { goTo, type Issuer, startIssuer } from "./issuer.ts";
import { nodeApiOf } from "./node-api.ts";

let issuer: Issuer;
let page: Page;
let api: Awaited<ReturnType<typeof nodeApiOf>>;
before(async () => {
  issuer = await startIssuer({ serviceWorkers: "block" });
  page = issuer.page;
  api = await nodeApiOf(page, issuer.sandbox.url);
});
afterEach(() => page.context().unrouteAll({ behavior: "ignoreErrors" }));
after(() => issuer?.close());

/** 2^53 + 1: a floating-point number would lose it. */
const LIMIT = "9007199254740993";
const PATCHES = /\/debtors\/\d+\/config$/;

interface DocumentOfCurrency {
  readonly debtorName: string;
  readonly amountDivisor: number;
  readonly peg?: {
    readonly exchangeRate: number;
    readonly display: { readonly unit: string; readonly amountDivisor: number };
  };
}

/** The configuration that the node has, with its document. */
async function read() {
  const { configData, latestUpdateId } = await api.config();
  const { rate, info } = JSON.parse(configData) as { rate: number; info: { iri: string } };
  const { debtorName, amountDivisor, peg } = (await (await fetch(info.iri)).json()) as DocumentOfCurrency;
  return {
    rate,
    limit: /"limit":([0-9]+)/.exec(configData)?.[1],
    latestUpdateId,
    name: debtorName,
    divisor: amountDivisor,
    peg: peg && { rate: peg.exchangeRate, display: peg.display },
  };
}

/** Another client of the same debtor changes the name of the currency, which is in the document. */
async function renameElsewhere(before: string, name: string): Promise<void> {
  const { configData } = await api.config();
  const { info } = JSON.parse(configData) as { info: { iri: string; contentType: string; sha256: string } };
  const theirs = (await (await fetch(info.iri)).text()).replace(`"${before}"`, `"${name}"`);
  const iri = await api.saveDocument(theirs, info.contentType);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(theirs)));
  await api.saveConfig((text) => text.replace(info.iri, iri).replace(info.sha256, digest.toHex().toUpperCase()));
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

/** Somewhere else: the document of a currency that a browser may read, one that it may not, and one behind a redirect. */
async function startPegHost(): Promise<{ readonly url: string; close(): void }> {
  const document = (url: string): string =>
    JSON.stringify({
      type: "CoinInfo",
      revision: 1,
      latestDebtorInfo: { uri: url },
      debtorIdentity: { type: "DebtorIdentity", uri: "swpt:8" },
      debtorName: "Eight",
      amountDivisor: 1000,
      decimalPlaces: 3,
      unit: "EGT",
    });
  const host = createServer(({ url }, response) => {
    const own = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
    if (url !== "/silent") response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Content-Type", "application/vnd.swaptacular.coin-info+json");
    if (url === "/moved") response.writeHead(302, { Location: "/behind" }).end();
    else response.end(document(`${own}${url === "/behind" ? "/moved" : url}`));
  }).listen(0, "127.0.0.1");
  await once(host, "listening");
  const url = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
  return { url, close: () => void host.close().closeAllConnections() };
}

test("a peg is read from its coin, also behind a redirect; a document that is another coin's or unreadable is rejected", async (t) => {
  const host = await startPegHost();
  t.after(() => host.close());
  await openForm();
  await page.getByRole("button", { name: "Choose a peg" }).click();
  const dialog = page.getByRole("dialog");
  const readCoin = async (coin: string): Promise<void> => {
    await dialog.getByLabel("Coin of the other currency").fill(coin);
    await dialog.getByRole("button", { name: "Read the coin" }).click();
  };
  await readCoin(`${host.url}/coin#swpt:9`);
  await dialog.getByText(/belongs to another coin/).waitFor();
  await readCoin(`${host.url}/silent#swpt:8`);
  await dialog.getByText(/cannot be read/).waitFor();
  await readCoin(`PR0\n\nswpt:8/17\nShop\n1000`);
  await dialog.getByText(/not the text of a coin|payment request/).waitFor();
  await readCoin(`${host.url}/moved#swpt:8`);
  await page.getByLabel("1 SVN is worth").fill("2");
  await save();
  const { rate, display } = await waitFor(async () => (await read()).peg, { what: "the peg" });
  assert.deepEqual([rate, display.unit, display.amountDivisor], [20, "EGT", 1000]);
});

test("a peg that is read after the user has canceled changes nothing of what was typed since", async (t) => {
  const host = await startPegHost();
  t.after(() => host.close());
  const answered = Promise.withResolvers<void>();
  await page.context().route(`${host.url}/coin`, async (route) => {
    await answered.promise;
    await route.continue();
  });
  const dialog = page.getByRole("dialog");
  const readCoin = async (path: string): Promise<void> => {
    await page.getByRole("button", { name: "Choose another peg" }).click();
    await dialog.getByLabel("Coin of the other currency").fill(`${host.url}${path}#swpt:8`);
    await dialog.getByRole("button", { name: "Read the coin" }).click();
  };
  await openForm();
  await readCoin("/coin");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.getByLabel(/^Summary/).fill("Typed since");
  const arrived = page.context().waitForEvent("response", (response) => response.url() === `${host.url}/coin`);
  answered.resolve();
  await arrived;
  await readCoin("/moved");
  await dialog.waitFor({ state: "hidden" });
  assert.equal(await page.getByLabel(/^Summary/).inputValue(), "Typed since");
  await page.getByRole("button", { name: "Undo the changes" }).click();
});

test("a limit beyond 2^53 keeps every digit; one that the old client erased is restored with one tap", async () => {
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

test("an untouched limit keeps its tokens when the divisor changes", async () => {
  await openForm();
  await page.getByText("How amounts are shown").click();
  const limit = page.getByLabel(/^Limit/);
  assert.equal(await limit.inputValue(), "90071992547409.93");
  await page.getByLabel("Tokens per unit").fill("1000");
  assert.equal(await limit.inputValue(), "9007199254740.993");
  await save();
  const isSaved = async (): Promise<boolean> => (await read()).divisor === 1000;
  await waitFor(isSaved, { what: "the divisor" });
  const saved = await read();
  assert.deepEqual([saved.limit, saved.peg?.rate], [LIMIT, 2]);
});

test("what the server rejects as a whole is said, though no field is wrong", async () => {
  await openForm();
  await page.getByLabel(/^Interest rate/).fill("3");
  await page
    .context()
    .route(PATCHES, (route) =>
      route.fulfill({ status: 422, json: { errors: { json: { configData: ["Invalid."] } } } }),
    );
  await save();
  await page.getByRole("alert").getByText("Nothing was saved").waitFor();
  await page.getByRole("button", { name: "Undo the changes" }).click();
});

test("what is typed while the currency is being saved stays in the form", async () => {
  await openForm();
  const name = page.getByLabel("Name of the currency");
  const typed = Promise.withResolvers<void>();
  const sent = Promise.withResolvers<void>();
  await issuer.browser.context.route(PATCHES, async (route) => {
    sent.resolve();
    await typed.promise;
    return route.continue();
  });
  await page.getByLabel(/^Interest rate/).fill("1.5");
  await save();
  await sent.promise;
  await name.fill("Eight and a half");
  typed.resolve();
  await waitFor(async () => (await read()).rate === 1.5, { what: "the rate" });
  await page.getByRole("button", { name: "Save the currency" }).waitFor();
  assert.equal(await name.inputValue(), "Eight and a half");
  await page.getByRole("button", { name: "Undo the changes" }).click();
});

test("a rate changed elsewhere and a name changed here are both kept", async () => {
  await openForm();
  await page.getByLabel("Name of the currency").fill("Eight");
  await api.saveConfig((configData) => configData.replace(/"rate":[0-9.]+/, '"rate":2.5'));
  await save();
  await waitFor(async () => (await read()).name === "Eight", { what: "the name" });
  const { rate, limit } = await read();
  assert.deepEqual([rate, limit], [2.5, LIMIT]);
});

test("a name changed by two clients is compared, and nothing is sent before the user decides", async () => {
  await openForm();
  await page.getByLabel("Name of the currency").fill("Ours");
  await renameElsewhere("Eight", "Theirs");
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

test("what is put back while it is changed elsewhere again is compared first, and then put back", async () => {
  await renameElsewhere("Ours", "Theirs");
  await page.getByRole("button", { name: "Reload" }).click();
  const putBack = page.getByRole("button", { name: "Put it back" });
  await putBack.waitFor();
  let isOvertaken = false;
  await issuer.browser.context.route(PATCHES, async (route) => {
    if (route.request().method() === "PATCH" && !isOvertaken) {
      isOvertaken = true;
      await renameElsewhere("Theirs", "Others");
    }
    return route.continue();
  });
  await putBack.click();
  await page.getByRole("heading", { name: "Someone else changed the same things" }).waitFor();
  assert.equal((await read()).name, "Others");
  await page.getByRole("button", { name: "Save mine" }).click();
  await waitFor(async () => (await read()).name === "Ours", { what: "the name" });
  await page.getByText("Changed elsewhere").first().waitFor({ state: "hidden" });
});

test("an answer to a configuration that is lost is repeated with its number, which is used once", async () => {
  await openForm();
  const { latestUpdateId } = await read();
  const bodies: string[] = [];
  await issuer.browser.context.route(PATCHES, async (route) => {
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
