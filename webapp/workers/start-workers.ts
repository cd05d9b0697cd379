/** Starts the two workers. Only their scripts are named by strings; the policy allows no others. */

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}

const SERVICE_WORKER = "sw.js";
const documentsWorker = document.querySelector<HTMLMetaElement>("meta[name=documents-worker]")?.content ?? "";

const allow = (url: string): string => {
  if (url !== SERVICE_WORKER && url !== documentsWorker) throw new TypeError(`${url} is not a script of this page`);
  return url;
};
const { trustedTypes } = globalThis as unknown as { trustedTypes?: TrustedTypes };
const policy = trustedTypes?.createPolicy("app", { createScriptURL: allow }) ?? { createScriptURL: allow };

/** For `createDocumentFetcher`. */
export const startDocumentsWorker = (): Worker => new Worker(policy.createScriptURL(documentsWorker));

/** Registers the service worker, or finds the one that is there. `undefined` when that fails. */
export async function registerServiceWorker(): Promise<ServiceWorkerRegistration | undefined> {
  return navigator.serviceWorker
    .register(policy.createScriptURL(SERVICE_WORKER), { scope: "./", updateViaCache: "none" })
    .catch(() => undefined);
}
