/** A certified OpenID provider that knows nothing of debtors: from signing up to issued money, by settings alone. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { startBrowser, type TestBrowser } from "../support/browser.ts";
import { findFreePort } from "../support/command.ts";
import { pasteRequest, paymentRequest } from "../webapp/browser/issuer.ts";
import { type OpenIdNode, startNode } from "./node.ts";
import { type OrdinaryProvider, RESOURCE, startOrdinaryProvider } from "./ordinary-provider.ts";

let browser: TestBrowser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

/** The settings of an operator whose provider has other names for the scopes. */
const settingsFor = ({ issuer, authorizationUrl, tokenUrl }: OrdinaryProvider) => ({
  OAUTH2_ISSUER: issuer,
  OAUTH2_AUDIENCE: RESOURCE,
  OAUTH2_SCOPE_NAMES: "access=debtors:issue access.readonly=debtors:read",
  OAUTH2_PROVISION: "yes",
  OAUTH2_PROVISION_CLAIM: "email_verified=true",
  // People choose their names, which must not be those of the program.
  APP_DEBTOR_SUBJECT_REGEX: "(?!)()",
  APP_SUPERUSER_SUBJECT_REGEX: "(?!)",
  APP_SUPERVISOR_SUBJECT_REGEX: "(?!)",
  WEBAPP_AUTHORIZATION_URL: authorizationUrl,
  WEBAPP_TOKEN_URL: tokenUrl,
  WEBAPP_RESOURCE: RESOURCE,
  SWAGGER_UI_CLIENT_ID: "debtors-swagger",
});

async function signUp(page: Page, name: string): Promise<void> {
  await page.getByPlaceholder("Enter any login").fill(name);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}

/** Issues money by the web client, as the debtor that the node has made. */
async function issueInWebapp(page: Page, node: OpenIdNode, name: string): Promise<string> {
  await page.goto(node.webapp);
  await page.getByRole("button", { name: "Sign in" }).click();
  await signUp(page, name);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const { standardOutput } = await node.run("subjects", "list", "--json");
  const { subject, debtorId } = JSON.parse(standardOutput) as { subject: string; debtorId: string };
  assert.equal(subject, name);
  await pasteRequest(page, paymentRequest(`swpt:${debtorId}/17`, 1000));
  await page.getByRole("button", { name: /^Pay 1/ }).click();
  await page.getByText("Done", { exact: true }).waitFor();
  return debtorId;
}

for (const [format, settings] of [
  ["opaque", ({ introspectUrl }: OrdinaryProvider) => ({ OAUTH2_INTROSPECT_URL: introspectUrl })],
  ["jwt", ({ jwksUrl }: OrdinaryProvider) => ({ OAUTH2_JWKS_URL: jwksUrl })],
] as const) {
  test(`with ${format} tokens a person signs up in the web client and issues money, and sees it in Swagger UI`, async () => {
    const port = await findFreePort();
    const provider = await startOrdinaryProvider(`http://127.0.0.1:${port}`, format);
    await using _ = { [Symbol.asyncDispose]: () => provider.close() };
    await using node = await startNode(port, { ...settingsFor(provider), ...settings(provider) });
    const page = await browser.context.newPage();
    page.setDefaultTimeout(20_000);

    // No name gives rights that nobody has granted.
    const debtorId = await issueInWebapp(page, node, "debtors-superuser");

    await page.goto(node.swaggerUi);
    await page.getByRole("button", { name: "Authorize", exact: true }).click();
    const form = page.locator(".auth-container").filter({ hasText: "oauth2AuthorizationCode" });
    const opened = page.waitForEvent("popup");
    await form.getByRole("button", { name: "Apply given OAuth2 credentials" }).click();
    const popup = await opened;
    const closed = popup.waitForEvent("close");
    // The provider knows the browser from the web client.
    await popup.getByRole("button", { name: "Continue" }).click();
    await closed;
    await page.getByRole("button", { name: "Close", exact: true }).last().click();
    const operation = page.locator("#operations-debtors-redirectToDebtor");
    await operation
      .getByRole("button", { name: /\.debtor/ })
      .first()
      .click();
    await operation.getByRole("button", { name: "Try it out" }).click();
    await operation.getByRole("button", { name: "Execute" }).click();
    await operation.getByText(`swpt:${debtorId}`).first().waitFor();
    await browser.context.clearCookies();
    await page.close();
  });
}
