/** What a new user does after `npm start`: from an empty account to money in a holder's hands, reading nothing but the screens. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { Page } from "playwright-core";
import { type Watch, watch } from "../../browser/watched-page.ts";
import {
  debtorIdOf,
  EMAIL,
  goTo,
  openRequest,
  requestText,
  type SandboxInBrowser,
  signUp,
  startSandboxInBrowser,
} from "./issuer.ts";

let started: SandboxInBrowser;
let watched: Watch;
let page: Page;
before(async () => {
  started = await startSandboxInBrowser();
  watched = watch(started.browser.context);
  page = await started.browser.context.newPage();
  await page.setViewportSize({ width: 360, height: 740 });
});
afterEach(() => assert.deepEqual(watched.problems.splice(0), []));
after(() => started?.close());

test("the guide leads from the sign-up to the coin, and to a payment that a holder receives", async () => {
  await signUp(page, started.sandbox, EMAIL);

  await page.getByRole("link", { name: "Begin" }).click();
  await page.getByRole("link", { name: "Describe the currency" }).click();
  await page.getByRole("button", { name: "Save the currency" }).click();
  assert.equal(
    await page.getByLabel("Name of the currency").evaluate((field) => field === document.activeElement),
    true,
  );
  await page.getByText("Please fill this in.").first().waitFor();
  await page.getByLabel("Name of the currency").fill("Seven");
  await page.getByLabel("Unit", { exact: true }).fill("SVN");
  await page.getByRole("button", { name: "Save the currency" }).click();
  await page.getByText("Without a peg nobody knows").waitFor();
  await page.getByRole("button", { name: "Save anyway" }).click();
  await page.getByText("In effect").waitFor();

  await page.getByRole("link", { name: "Show the coin" }).click();
  await page.getByRole("img", { name: "QR code of the coin of Seven" }).waitFor();
  const debtorId = await debtorIdOf(page);
  assert.equal(
    await page.locator(".coin-text").textContent(),
    `${started.sandbox.url}/debtors/${debtorId}/public#swpt:${debtorId}`,
  );
  await page.getByRole("link", { name: "Continue with the guide" }).click();
  await page.getByRole("link", { name: "Make a payment" }).click();

  const holder = await started.browser.context.newPage();
  await openRequest(holder, started.sandbox, debtorId);
  const picture = await holder.locator("svg.qr").screenshot();
  await page.bringToFront();
  await page.locator("input[type=file]").setInputFiles({ name: "code.png", mimeType: "image/png", buffer: picture });
  await page.getByRole("heading", { name: "Check and pay" }).waitFor();
  for (const text of ["10.00", "Corner Bakery", "INV-1", "Bread", "You have not paid this account before."]) {
    await page.getByText(text).first().waitFor();
  }
  await page.getByRole("button", { name: "Pay 10.00" }).click();
  await page.getByText("Done", { exact: true }).waitFor();
  await holder.bringToFront();
  await holder.getByText("1000 tokens have arrived.").waitFor();
  await holder.close();
  await goTo(page, "/guide");
  await page.getByText("Your currency is ready").waitFor();
});

test("the overview shows what is in circulation, and the account is in the address book by its name", async () => {
  await page.bringToFront();
  await goTo(page, "/");
  await page.locator(".big-amount", { hasText: "10.00" }).waitFor();

  await goTo(page, "/contacts");
  await page.getByText("Corner Bakery", { exact: true }).first().waitFor();
});

test("a request is accepted as text, as a file, by pasting and by dropping; one without an amount asks for it", async () => {
  const debtorId = await debtorIdOf(page);
  const holder = await started.browser.context.newPage();
  await openRequest(holder, started.sandbox, debtorId, { amount: 0, reference: "INV-2" });
  const text = await requestText(holder);
  await holder.close();
  await page.bringToFront();

  const take: Record<string, () => Promise<unknown>> = {
    "a text": async () => {
      await page.getByRole("button", { name: "Paste" }).click();
      await page.getByLabel("Text of the request").fill(text);
      await page.getByRole("button", { name: "Use it" }).click();
    },
    "a file": () =>
      page
        .locator("input[type=file]")
        .setInputFiles({ name: "anything.txt", mimeType: "text/plain", buffer: Buffer.from(text) }),
    pasting: () => transfer("paste", text),
    dropping: () => transfer("drop", text),
  };
  for (const [way, act] of Object.entries(take)) {
    await goTo(page, "/pay");
    await page.getByRole("heading", { name: "New payment" }).waitFor();
    await act();
    await page.getByRole("heading", { name: "Check and pay" }).waitFor();
    await page.getByText("INV-2").first().waitFor({ timeout: 5000 });
    await page.getByRole("button", { name: "Discard the draft" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Discard the draft" }).click();
    await page.getByRole("heading", { name: "New payment" }).waitFor();
    assert.equal(await page.getByText("Unsent drafts").count(), 0, way);
  }
  await goTo(page, "/pay");
  await take["a text"]!();
  await page.getByRole("button", { name: "Pay", exact: true }).click();
  await page.getByText("Enter an amount.").waitFor();
  await page.getByLabel("Amount").fill("0.015");
  await page.getByRole("button", { name: "Pay", exact: true }).click();
  await page.getByText("The nearest are 0.01 and 0.02.").waitFor();
  await page.getByLabel("Amount").fill("2.5");
  await page.getByRole("button", { name: "Pay 2.50" }).click();
  await page.getByText("Done", { exact: true }).waitFor();
});

/** Pastes or drops text on the page. */
const transfer = (kind: "paste" | "drop", text: string): Promise<void> =>
  page.evaluate(
    ([type, content]) => {
      const data = new DataTransfer();
      data.setData("text/plain", content);
      const options = { bubbles: true, cancelable: true };
      document.body.dispatchEvent(
        type === "paste"
          ? new ClipboardEvent("paste", { ...options, clipboardData: data })
          : new DragEvent("drop", { ...options, dataTransfer: data }),
      );
    },
    [kind, text] as const,
  );

test("anything but a request of this currency is rejected with an explanation", async () => {
  const debtorId = await debtorIdOf(page);
  const refusals: [text: string, words: RegExp][] = [
    [`https://x.example/debtors/7/public#swpt:7`, /This is a coin/],
    ["PR0\n\nswpt:9/17\nShop\n1000", /another currency/],
    ["PR0\ndeadbeef\nswpt:7/17\nShop\n1000", /checksum does not match/],
    [`PR0\n\nswpt:${debtorId}/17\nShop\n1.5`, /Line 5 is wrong/],
    ["hello", /does not begin with PR0/],
  ];
  for (const [text, words] of refusals) {
    await goTo(page, "/pay");
    await page.locator("input[type=file]").setInputFiles({ name: "x.pr0", mimeType: "", buffer: Buffer.from(text) });
    await page.getByRole("alert").getByText(words).waitFor();
    await goTo(page, "/");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
  }
});

test("pasted text that is not a request stays in its dialog, with the error beside it", async () => {
  await goTo(page, "/pay");
  await page.getByRole("button", { name: "Paste" }).click();
  const text = page.getByLabel("Text of the request");
  await page.getByRole("button", { name: "Use it" }).click();
  await page.getByText("Please fill this in.").waitFor();
  await text.fill("hello");
  await page.getByRole("button", { name: "Use it" }).click();
  await page.getByText("does not begin with PR0").waitFor();

  const dialog = page.getByRole("dialog");
  const { x, y, width } = (await dialog.boundingBox())!;
  await page.mouse.click(x + width / 2, y + 6);
  const { x: left, y: top } = (await text.boundingBox())!;
  await page.mouse.move(left + 20, top + 20);
  await page.mouse.down();
  await page.mouse.move(4, 4);
  await page.mouse.up();
  assert.equal(await text.inputValue(), "hello", "neither its margin nor a selection that ends beside it closes it");
  await page.mouse.click(4, 4);
  await dialog.waitFor({ state: "detached" });
});

test("the history is searched, filtered, and saved as CSV with exactly the rows that are shown", async () => {
  await goTo(page, "/payments");
  await page.getByLabel("Search").fill("INV-2");
  await page.getByText("1 payment, 2.50").waitFor();
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as CSV" }).click();
  const stream = await (await downloading).createReadStream();
  const csv = (await stream.toArray()).join("");
  assert.deepEqual(
    csv
      .trim()
      .split("\r\n")
      .map((line) => line.split(",")[9]),
    ["reference", "INV-2"],
  );
});
