/** The client as a program of its own: installed, opened with files, heard of while it is in the background, and printed. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, test } from "node:test";
import type { Page } from "playwright-core";
import { parseJson, stringifyJson } from "../../../src/values/json.ts";
import { startBrowser, type TestBrowser } from "../../support/browser.ts";
import { waitFor } from "../../support/wait.ts";
import {
  debtorIdOf,
  describeCurrency,
  goTo,
  pasteRequest,
  paymentRequest,
  type Sandbox,
  signUp,
  startSandbox,
} from "./issuer.ts";
import { nodeApiOf } from "./node-api.ts";

interface Fakes {
  readonly badges: number[];
  launch(params: { targetURL?: string; files: readonly { getFile(): Promise<File> }[] }): void;
}

let sandbox: Sandbox;
let browser: TestBrowser;
let page: Page;
let debtorId: string;
before(async () => {
  sandbox = await startSandbox();
  browser = await startBrowser();
  // No system installs the client here: the launch queue and the badge are fakes that record and are called by the tests.
  await browser.context.addInitScript(() => {
    const badges: number[] = [];
    Object.assign(globalThis, { badges });
    Object.assign(navigator, { setAppBadge: async (count: number) => void badges.push(count) });
    const value = { setConsumer: (launch: Fakes["launch"]) => Object.assign(globalThis, { launch }) };
    Object.defineProperty(globalThis, "launchQueue", { value });
  });
  page = await browser.context.newPage();
  await signUp(page, sandbox, "alice@example.com");
  await describeCurrency(page);
  debtorId = await debtorIdOf(page);
});
afterEach(async () => {
  await page.unrouteAll();
  await setHidden(false);
  await page.emulateMedia({ media: "screen" });
});
after(async () => {
  await browser?.close();
  await sandbox?.close();
});

const setHidden = (isHidden: boolean): Promise<void> =>
  page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { get: () => value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);

const notifications = (): Promise<string[]> =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).map(({ title, body }) => `${title}: ${body}`);
  });

/**
 * The client hears of a transfer when it is over. In the background it would look for 15 seconds, and then hours later; a busy
 * machine may take longer.
 */
async function answerWhenOver(): Promise<void> {
  const api = await nodeApiOf(page, sandbox.url);
  await page.route(/\/debtors\/\d+\/transfers\/$/, async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    const response = await route.fetch();
    const areOver = async (): Promise<boolean> => (await api.transfers()).every(({ result }) => result !== undefined);
    await waitFor(areOver, { what: "the end of the transfers" });
    return route.fulfill({ response });
  });
}

/** Pays while the page is in the background, from a draft on the screen. */
async function payHidden(reference: string): Promise<void> {
  await pasteRequest(page, paymentRequest(`swpt:${debtorId}/17`, 1000, reference));
  const pay = page.getByRole("button", { name: "Pay 10.00" });
  await pay.waitFor();
  await setHidden(true);
  await pay.click();
}

test("the browser finds nothing that keeps the client from being installed", async () => {
  const session = await browser.context.newCDPSession(page);
  const { errors, data = "", url } = await session.send("Page.getAppManifest");
  assert.deepEqual(errors, []);
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  assert.deepEqual(installabilityErrors, []);

  const manifest = JSON.parse(data) as {
    id: string;
    scope: string;
    icons: { src: string; sizes: string; type: string; purpose: string }[];
    shortcuts: { url: string }[];
    file_handlers: { action: string; accept: Record<string, string[]> }[];
  };
  assert.equal(new URL(manifest.id, url).href, sandbox.webapp);
  assert.equal(new URL(manifest.scope, url).href, sandbox.webapp);
  assert.deepEqual(manifest.file_handlers[0]?.accept, { "application/vnd.swaptacular.pr0": [".pr0"] });
  for (const { url: place } of [...manifest.shortcuts, { url: manifest.file_handlers[0]!.action }]) {
    assert.ok(new URL(place, url).href.startsWith(`${sandbox.webapp}#/`), place);
  }
  assert.ok(manifest.icons.some(({ purpose }) => purpose === "maskable"));
  for (const { src, sizes, type } of manifest.icons) {
    const response = await fetch(new URL(src, url));
    assert.equal(response.headers.get("content-type")?.split(";")[0], type);
    if (type !== "image/png") continue;
    const png = Buffer.from(await response.arrayBuffer());
    assert.equal(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`, sizes);
  }
});

test("a file that the system opens with the client leads to its confirmation; a shortcut leads to its screen", async () => {
  const launch = (params: { files: string[]; targetURL?: string }): Promise<void> =>
    page.evaluate(({ files, ...others }) => {
      const handles = files.map((text) => ({ getFile: async () => new File([text], "request.pr0") }));
      (globalThis as unknown as Fakes).launch({ ...others, files: handles });
    }, params);
  await goTo(page, "/settings");
  await launch({ files: [paymentRequest(`swpt:${debtorId}/17`, 1000, "LAUNCHED")] });
  await page.getByRole("heading", { name: "Check and pay" }).waitFor();
  await page.getByText("LAUNCHED").first().waitFor();

  await launch({ files: [], targetURL: `${sandbox.webapp}#/coin` });
  await page.getByRole("heading", { name: "Your coin" }).waitFor();
  await launch({ files: ["no request"] });
  await page.getByText("This payment request cannot be used").waitFor();
});

test("without the browser's permission there are no notifications, and the settings say so", async () => {
  await goTo(page, "/settings");
  await page.evaluate(() => {
    Notification.requestPermission = async () => "denied";
  });
  const wanted = page.getByLabel("Notify me");
  await wanted.click();
  await page.getByText("The browser does not allow notifications for this page.").waitFor();
  assert.equal(await wanted.isChecked(), false);
});

test("a payment that ends in the background is told, and a click on the notification shows it", async () => {
  await browser.context.grantPermissions(["notifications"]);
  await page.reload();
  // Before it is there, notifications are the page's own, which a test cannot list.
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await goTo(page, "/settings");
  await page.getByLabel("Notify me").click();
  await page.getByRole("checkbox", { name: "Notify me", checked: true }).waitFor();
  await answerWhenOver();
  await payHidden("HIDDEN");
  await waitFor(async () => (await notifications()).includes("Seven: 10.00\u00a0SVN paid to Shop"));

  await setHidden(false);
  await goTo(page, "/journal");
  const [worker] = browser.context.serviceWorkers();
  await worker!.evaluate(async () => {
    const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration };
    const [notification] = await registration.getNotifications();
    dispatchEvent(Object.assign(new Event("notificationclick"), { notification, waitUntil: (): void => {} }));
  });
  await page.getByRole("heading", { name: "Payment", exact: true }).waitFor();
  await page.getByText("HIDDEN").first().waitFor();
  assert.equal(await page.title(), "Payment – Seven");
  assert.deepEqual(await notifications(), []);
});

test("a batch that ends in the background is told once", async () => {
  await goTo(page, "/batch");
  const buffer = Buffer.from(`recipient,amount\nswpt:${debtorId}/17,0.01\nswpt:${debtorId}/18,0.02\n`);
  await page.locator("input[type=file]").setInputFiles({ name: "wages.csv", mimeType: "text/csv", buffer });
  await answerWhenOver();
  await setHidden(true);
  await page.getByRole("button", { name: "Make 2 payments" }).click();
  await waitFor(async () => (await notifications()).length > 0);
  assert.deepEqual(await notifications(), ["Seven: wages: 2 done, 0 failed"]);
});

test("on paper the history is complete, and nothing is there to be pressed", async () => {
  await goTo(page, "/settings");
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save a backup" }).click();
  const backup = parseJson((await (await (await saving).createReadStream()).toArray()).join("")) as {
    payments: object[];
  };
  const [payment] = backup.payments;
  const copies = Array.from({ length: 100 }, () => ({ ...payment, uuid: randomUUID() }));
  const buffer = Buffer.from(stringifyJson({ ...backup, payments: copies }));
  await page.locator("input[type=file]").setInputFiles({ name: "backup.json", mimeType: "application/json", buffer });
  await page.getByText("100 added").waitFor();

  await goTo(page, "/payments");
  const rows = page.locator(".long-list li");
  await rows.first().waitFor();
  const all = backup.payments.length + copies.length;
  assert.ok((await rows.count()) < all);
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  assert.equal(await rows.count(), all);
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.getByRole("button").count(), 0);
  assert.equal(await page.getByRole("navigation").count(), 0);
  await page.locator(".print-brand", { hasText: "Seven" }).waitFor();
  await page.emulateMedia({ media: "screen" });
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  assert.ok((await rows.count()) < all);
});

test("a configuration that is refused in the background is told, and counts on the badge", async () => {
  const api = await nodeApiOf(page, sandbox.url);
  await api.saveConfig((configData) => configData.replace("{", '{"unknown":1,'));
  await goTo(page, "/");
  await setHidden(true);
  await waitFor(async () => {
    await page.getByRole("button", { name: "Reload" }).click();
    return (await notifications()).includes("Seven: The accounting authority rejected your configuration");
  });
  const badges = await page.evaluate(() => (globalThis as unknown as Fakes).badges);
  assert.equal(badges[0], 0);
  assert.ok((badges.at(-1) ?? 0) > 0, "what another program has changed needs attention");
});
