/**
 * The web client in a browser with a slow network and a slow processor: how much it loads, and how long its users wait.
 * Spec: issuer-webapp, "Budgets".
 */
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { CDPSession, Page } from "playwright-core";
import { startBrowser } from "../test/support/browser.ts";
import {
  debtorIdOf,
  describeCurrency,
  goTo,
  openRequest,
  requestText,
  type Sandbox,
  signUp,
  startSandbox,
} from "../test/webapp/browser/issuer.ts";
import type { Figure } from "./figures.ts";
import type { Bench } from "./plan.ts";
import { median } from "./rounds.ts";

const NETWORK = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 100_000 };
const PROCESSOR_SLOWED = 4;
const PAYMENTS = 10_000;

/** All of it, in a sandbox of its own. */
export async function benchWebapp({ plan }: Bench): Promise<Figure[]> {
  const sandbox = await startSandbox();
  try {
    const first = await repeat(plan.rounds, () => visitFirst(sandbox));
    const second = await repeat(plan.rounds, () => visitAgain(sandbox));
    const used = await useLongHistory(sandbox, plan.rounds);
    const millis = (name: string, values: readonly number[], below: number): Figure => ({
      name: `web client: ${name}`,
      unit: "ms",
      value: median(values),
      target: { of: "value", below },
      rounds: { millis: values },
    });
    return [
      millis(
        "first visit, until usable",
        first.map(({ millis: value }) => value),
        2_000,
      ),
      size("first visit, transferred", median(first.map(({ bytes }) => bytes)), 100),
      {
        name: "web client: first visit, requests",
        unit: "",
        value: median(first.map(({ requests }) => requests)),
        target: { of: "value", below: 8.5 },
      },
      millis(
        "second visit, until usable",
        second.map(({ online }) => online),
        700,
      ),
      millis(
        "second visit without a network",
        second.map(({ offline }) => offline),
        700,
      ),
      size("scanner, loaded on use", scannerBytes(), 25),
      millis("a code in a picture is read", used.scan, 1_000),
      millis(`search among ${PAYMENTS.toLocaleString("en")} payments, a key`, used.search, 100),
      millis("scrolling through them, a frame", used.scroll, 100),
    ];
  } finally {
    await sandbox.close();
  }
}

const size = (name: string, bytes: number, below: number): Figure => ({
  name: `web client: ${name}`,
  unit: "KB",
  value: bytes / 1024,
  target: { of: "value", below },
});

async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < times; i++) results.push(await work());
  return results;
}

/** As a phone in a place with poor reception. */
async function slowDown(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", NETWORK);
  await session.send("Emulation.setCPUThrottlingRate", { rate: PROCESSOR_SLOWED });
  return session;
}

/** From the request of the page until its button can be pressed. */
async function timeVisit(page: Page, { webapp }: Sandbox): Promise<number> {
  const startedAt = performance.now();
  await page.goto(webapp, { waitUntil: "commit" });
  await page.getByRole("button", { name: "Sign in" }).click({ trial: true });
  return performance.now() - startedAt;
}

async function visitFirst(sandbox: Sandbox): Promise<{ millis: number; bytes: number; requests: number }> {
  await using browser = await startBrowser();
  const page = await browser.context.newPage();
  const session = await slowDown(page);
  let bytes = 0;
  let requests = 0;
  session.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    requests++;
  });
  const millis = await timeVisit(page, sandbox);
  await page.waitForLoadState("load");
  return { millis, bytes, requests };
}

async function visitAgain(sandbox: Sandbox): Promise<{ online: number; offline: number }> {
  await using browser = await startBrowser();
  const page = await browser.context.newPage();
  await page.goto(sandbox.webapp);
  await page.evaluate("navigator.serviceWorker.ready.then(() => undefined)");
  const session = await slowDown(page);
  await page.goto("about:blank");
  const online = await timeVisit(page, sandbox);
  await page.goto("about:blank");
  await session.send("Network.emulateNetworkConditions", { ...NETWORK, offline: true });
  const offline = await timeVisit(page, sandbox);
  return { online, offline };
}

/** The history of an issuer who has used it for years. */
async function useLongHistory(sandbox: Sandbox, rounds: number) {
  await using browser = await startBrowser();
  const page = await browser.context.newPage();
  await signUp(page, sandbox, `${randomUUID()}@example.com`);
  await describeCurrency(page);
  const debtorId = await debtorIdOf(page);
  const picture = await pictureOfRequest(page, sandbox, debtorId);
  await page.bringToFront();
  await slowDown(page);
  const scan = await timeScans(page, picture, rounds);
  await fillHistory(page, `swpt:${debtorId}`);
  await page.reload();
  await goTo(page, "/payments");
  await page.getByLabel("Search").waitFor();
  // With the drafts of the scans.
  await page.getByText(/^10,\d{3} payments/).waitFor();
  return { scan, search: await timeSearch(page), scroll: await timeScroll(page) };
}

async function pictureOfRequest(page: Page, sandbox: Sandbox, debtorId: string): Promise<Buffer> {
  const holder = await page.context().newPage();
  await openRequest(holder, sandbox, debtorId);
  await requestText(holder);
  const picture = await holder.locator("svg.qr").screenshot();
  await holder.close();
  return picture;
}

/** The first scan loads the scanner; the others show how fast it reads. */
async function timeScans(page: Page, buffer: Buffer, rounds: number): Promise<number[]> {
  const millis: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    await goTo(page, "/pay");
    await page.getByRole("heading", { name: "New payment" }).waitFor();
    const startedAt = performance.now();
    await page.locator("input[type=file]").setInputFiles({ name: "code.png", mimeType: "image/png", buffer });
    await page.getByRole("heading", { name: "Check and pay" }).waitFor();
    if (round > 0) millis.push(performance.now() - startedAt);
  }
  return millis;
}

/** What the scanner adds: its own file and those that it imports, but for the page's. */
function scannerBytes(): number {
  const assets = new URL("../webapp/dist/assets/", import.meta.url);
  const names = readdirSync(assets);
  const scanner = names.find((name) => /^read-qr-code-\w+\.js$/.test(name))!;
  const imported = readFileSync(new URL(scanner, assets), "utf8").matchAll(/"\.\/(chunk-\w+\.js)"/g);
  const files = [scanner, ...Array.from(imported, ([, name]) => name!)];
  return files.reduce((sum, name) => sum + statSync(new URL(`${name}.br`, assets)).size, 0);
}

/** Puts finished payments of many years into the page's database. */
async function fillHistory(page: Page, debtor: string): Promise<void> {
  await page.evaluate(`(async () => {
    const db = await new Promise((resolve) => {
      const request = indexedDB.open("swpt-debtors-webapp");
      request.onsuccess = () => resolve(request.result);
    });
    const transaction = db.transaction("payments", "readwrite");
    const store = transaction.objectStore("payments");
    for (let i = 0; i < ${PAYMENTS}; i++) {
      const uuid = crypto.randomUUID();
      const createdAt = Date.now() - i * 3_600_000;
      const at = new Date(createdAt).toISOString();
      const recipientUri = "${debtor}/" + (17 + (i % 500));
      const [name, reference, reason] = ["Shop " + (i % 500), "INV-" + (100_000 + i), "Bread and butter"];
      const request = { recipientUri, amount: 1000n, noteFormat: "PAYMENT0", note: [reference, name, "", reason].join("\\n") };
      const result = { finalizedAt: at, committedAmount: 1000n };
      const order = { accountUri: recipientUri, name, amount: 1000n, deadline: "", reference, format: "", reason };
      const state = { origin: "here", revision: 1, chosenAmount: 0n, isTryOpen: false, isGone: true };
      const times = { createdAt, firstTryAt: createdAt, lastTryAt: createdAt };
      const transfer = { ...request, initiatedAt: at, result };
      store.put({ debtor: "${debtor}", uuid, order, request, transfer, ...state, ...times }, ["${debtor}", uuid]);
    }
    await new Promise((resolve) => { transaction.oncomplete = resolve; });
    db.close();
  })()`);
}

const DRAWN = "await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))";

/** From each key until the list is drawn. */
const timeSearch = (page: Page): Promise<number[]> =>
  page.evaluate(`(async () => {
    const field = document.querySelector("input[type=search]");
    const type = async (text) => {
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      ${DRAWN};
    };
    const times = [];
    let typed = "";
    for (const key of "inv-10420") {
      typed += key;
      const startedAt = performance.now();
      await type(typed);
      times.push(performance.now() - startedAt);
    }
    await type("");
    return times;
  })()`);

/** From each step of the wheel until the rows are drawn. */
const timeScroll = (page: Page): Promise<number[]> =>
  page.evaluate(`(async () => {
    const times = [];
    for (let step = 1; step <= 60; step++) {
      const startedAt = performance.now();
      scrollTo(0, step * 1500);
      ${DRAWN};
      times.push(performance.now() - startedAt);
    }
    return times;
  })()`);
