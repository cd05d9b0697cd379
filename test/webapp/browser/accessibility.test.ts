/** Every screen, in both themes: axe-core finds nothing, nothing is wider than the narrowest window, all works by keyboard. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { sidewaysScroll } from "../../browser/watched-page.ts";
import {
  debtorIdOf,
  describeCurrency,
  goTo,
  pasteRequest,
  paymentRequest,
  type SandboxInBrowser,
  signUp,
  startSandboxInBrowser,
} from "./issuer.ts";

const { source } = createRequire(import.meta.url)("axe-core") as { source: string };
let started: SandboxInBrowser;
let page: Page;
let paid: string;
let draft: string;
let batch: string;

before(async () => {
  started = await startSandboxInBrowser();
  page = await started.browser.context.newPage();
});
after(() => started?.close());

/** What axe-core says against the page as it is, in one line for each kind of violation. */
async function violations(): Promise<string[]> {
  if (!(await page.evaluate("'axe' in globalThis"))) await page.evaluate(source);
  const { violations: found } = (await page.evaluate("axe.run({ resultTypes: ['violations'] })")) as AxeResults;
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}

/** Looks at what is on the screen in both themes, narrow and wide. */
async function inspect(name: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const [colorScheme, width] of [
    ["light", 320],
    ["dark", 1280],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: 800 });
    const found = [...(await violations())];
    if ((await sidewaysScroll(page)) > 0) found.push("scrolls to the side");
    wrong.push(...found.map((problem) => `${name}, ${colorScheme}, ${width}: ${problem}`));
  }
  return wrong;
}

test("the sign-in is accessible, also after a rejection", async () => {
  await page.goto(started.sandbox.webapp);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  assert.deepEqual(await inspect("sign in"), []);
  await page.evaluate(() => document.documentElement.removeAttribute("lang"));
  assert.match((await inspect("without a language")).join(), /html-has-lang/);
  await page.goto(`${started.sandbox.webapp}?error=access_denied&state=x`);
  await page.getByRole("alert").waitFor();
  assert.deepEqual(await inspect("refused"), []);
});

test("the screens of a new issuer are accessible", async () => {
  await signUp(page, started.sandbox, "alice@example.com");
  for (const place of ["/", "/guide", "/currency", "/payments", "/contacts", "/templates", "/journal", "/batch"]) {
    await goTo(page, place);
    await page.locator("h1").waitFor();
    assert.deepEqual(await inspect(place), []);
  }
});

test("the screens of an issuer with payments, a draft, a template and a batch are accessible", async () => {
  await describeCurrency(page);
  const debtorId = await debtorIdOf(page);
  await pasteRequest(page, paymentRequest(`swpt:${debtorId}/17`, 1000, "INV-1"));
  await page.getByRole("button", { name: /^Pay 10/ }).click();
  await page.getByText("Done", { exact: true }).waitFor();
  paid = new URL(page.url()).hash;
  await page.getByRole("button", { name: "Make a template" }).click();
  await page.getByLabel("Title").fill("Rent");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Rent").first().waitFor();
  await goTo(page, "/batch");
  await page.locator("input[type=file]").setInputFiles({
    name: "wages.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(`recipient,amount,reference\nswpt:${debtorId}/18,1,A\nswpt:${debtorId}/19,2,B\n`),
  });
  await page.getByRole("button", { name: "Make 2 payments" }).waitFor();
  assert.deepEqual(await inspect("checked batch"), []);
  await page.getByRole("button", { name: "Make 2 payments" }).click();
  await page.getByText("2 of 2 sent").waitFor();
  await page.getByText("2 done, 0 failed").waitFor();
  batch = new URL(page.url()).hash;
  await pasteRequest(page, paymentRequest(`swpt:${debtorId}/17`, 0, "INV-2"));
  await page.getByRole("heading", { name: "Check and pay" }).waitFor();
  draft = new URL(page.url()).hash;

  const places = ["/", "/guide", "/currency", "/coin", "/pay", "/pay/by-hand", "/payments", "/contacts", "/templates"];
  places.push(
    "/journal",
    "/settings",
    "/more",
    "/batch",
    "/nothing",
    ...[paid, batch, draft].map((hash) => hash.slice(1)),
  );
  for (const place of places) {
    await goTo(page, place);
    await page.locator("h1").waitFor();
    await page.waitForFunction(
      () => document.querySelector("svg.qr path") !== null || !location.hash.startsWith("#/coin"),
    );
    assert.deepEqual(await inspect(place), []);
  }
});

test("dialogs and errors are accessible", async () => {
  const open: Record<string, () => Promise<unknown>> = {
    paste: async () => {
      await goTo(page, "/pay");
      await page.getByRole("button", { name: "Paste" }).click();
    },
    "wrong form": async () => {
      await goTo(page, "/pay/by-hand");
      await page.getByRole("button", { name: "Continue" }).click();
    },
    "address book": async () => {
      await goTo(page, "/contacts");
      await page.getByRole("button", { name: "Add an account" }).click();
    },
    template: async () => {
      await goTo(page, "/templates");
      await page.getByRole("button", { name: "New template" }).click();
    },
    peg: async () => {
      await goTo(page, "/currency");
      await page.getByRole("button", { name: "Choose a peg" }).click();
    },
    keys: async () => {
      await goTo(page, "/");
      await page.locator("h1").waitFor();
      await page.keyboard.press("?");
    },
    "sign out": async () => {
      await goTo(page, "/settings");
      await page.getByRole("button", { name: "Sign out" }).click();
    },
  };
  for (const [name, show] of Object.entries(open)) {
    await show();
    assert.deepEqual(await inspect(name), []);
    await page.keyboard.press("Escape");
    assert.equal(await page.getByRole("dialog").count(), 0, name);
  }
});

test("a new screen has the focus on its heading, and a dialog gives the focus back", async () => {
  await goTo(page, "/contacts");
  await page.getByRole("heading", { name: "Address book", level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Address book");
  const button = page.getByRole("button", { name: "Add an account" });
  await button.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await button.evaluate((element) => element === document.activeElement), true);
});

test("letters change nothing under a dialog, wherever the focus is", async () => {
  await goTo(page, "/coin");
  await page.getByRole("heading", { name: "Your coin" }).waitFor();
  await page.keyboard.press("?");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading").click();
  await page.keyboard.press("p");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  assert.match(page.url(), /#\/coin$/);
});

test("letters lead to screens, unless they are switched off or typed into a field", async () => {
  await goTo(page, "/");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.keyboard.press("p");
  await page.getByRole("heading", { name: "Payments" }).waitFor();
  await page.keyboard.press("/");
  await page.waitForFunction(() => document.activeElement?.matches("input[type=search]"));
  await page.keyboard.type("np");
  assert.equal(await page.getByLabel("Search").inputValue(), "np");
  await page.getByLabel("Search").fill("");
  await goTo(page, "/settings");
  await page.getByLabel("Single-letter keys").uncheck();
  await page.locator("h1").focus();
  await page.keyboard.press("n");
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  await page.getByLabel("Single-letter keys").check();
});

test("what the browser draws around the page has the color of the chosen theme", async () => {
  const colors = (): Promise<string[]> =>
    page.evaluate(() =>
      [...document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]")].map(({ content }) => content),
    );
  for (const [theme, color] of [
    ["Light", "#f6f5f2"],
    ["Dark", "#12181a"],
  ] as const) {
    await page.getByLabel("Theme").selectOption({ label: theme });
    assert.deepEqual(await colors(), [color, color]);
  }
  await page.getByLabel("Theme").selectOption({ label: "As on this device" });
});

test("every text exists in German, and right-to-left layouts work", async () => {
  await page.getByLabel("Language").selectOption({ label: "Deutsch" });
  await page.getByRole("heading", { name: "Einstellungen" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
  await page.setViewportSize({ width: 320, height: 800 });
  for (const dir of ["ltr", "rtl"]) {
    await page.evaluate((value) => {
      document.documentElement.dir = value;
    }, dir);
    for (const place of [
      "/",
      "/guide",
      "/currency",
      "/coin",
      "/pay",
      "/payments",
      "/batch",
      "/settings",
      paid.slice(1),
    ]) {
      await goTo(page, place);
      await page.locator("h1").waitFor();
      assert.equal(await sidewaysScroll(page), 0, `${dir} ${place}`);
    }
  }
  await goTo(page, "/");
  await page.locator(".big-amount", { hasText: /\d,\d\d/ }).waitFor();
});
