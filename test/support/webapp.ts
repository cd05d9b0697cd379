/** The web client as it was built, served with settings of a test. */
import { fileURLToPath } from "node:url";
import { buildWebappIfStale } from "../../scripts/build-webapp.ts";
import { createWebapp, type Webapp } from "../../src/http/webapp/webapp.ts";
import type { WebappSettings } from "../../src/values/webapp-config.ts";

/** Settings of which tests change what they are about. */
export const webappSettings: WebappSettings = {
  authorizationUrl: "https://auth.example.com/oauth2/auth",
  tokenUrl: "https://auth.example.com/oauth2/token",
  revocationUrl: null,
  clientId: "debtors-webapp",
  scope: "access",
  resource: null,
  redirectUrl: null,
  siteTitle: "Seven",
  serverApiEntrypoint: "/debtors/.debtor",
  serverApiTimeout: 8000,
  transferDeletionDelaySeconds: 1296000,
  defaultAmountDivisor: "100",
  defaultDecimalPlaces: 2,
  defaultPegAbbr: null,
  defaultPegCoin: null,
  registerIssuerUrl: null,
  installWalletUrl: null,
};

/** Builds the client when it is older than its sources. Documents may be read from this machine. */
export async function buildTestWebapp(changes: Partial<WebappSettings> = {}): Promise<Webapp> {
  await buildWebappIfStale();
  return createWebapp({
    folder: fileURLToPath(new URL("../../webapp/dist/", import.meta.url)),
    settings: { ...webappSettings, ...changes },
    allowLoopbackDocuments: true,
    maxTransfersPerMonth: 20_000,
    documentMaxContentLength: 50_000,
    version: "1.2.3",
  });
}
