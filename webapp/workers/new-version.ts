/** Announces a new version of the page, and switches to it when the user says so. */
import { signal } from "@preact/signals";
import { registerServiceWorker } from "./start-workers.ts";

/** Whether a new version waits. */
export const isNewVersionReady = signal(false);

let registration: ServiceWorkerRegistration | undefined;
let isWanted = false;
const CHECK_MILLIS = 60 * 60 * 1000;

/**
 * Registers the service worker when the page has had time to become usable, and checks for a new version every hour. Until then
 * the browser may find one by itself, and another tab may take it.
 */
export function watchForNewVersion(delayMillis: number): void {
  if (!("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  let { controller } = serviceWorker;
  serviceWorker.addEventListener("controllerchange", () => {
    if (isWanted) return location.reload();
    // Another tab has taken it: this one should follow, since the parts of its version are gone.
    if (controller !== null) isNewVersionReady.value = true;
    ({ controller } = serviceWorker);
  });
  setTimeout(() => void register(), delayMillis);
}

async function register(): Promise<void> {
  const registered = await registerServiceWorker();
  if (registered === undefined) return;
  registration = registered;
  const look = (): void => {
    if (registered.waiting !== null && navigator.serviceWorker.controller !== null) isNewVersionReady.value = true;
  };
  const watchInstallation = (): void => registered.installing?.addEventListener("statechange", look);
  look();
  watchInstallation();
  registered.addEventListener("updatefound", watchInstallation);
  setInterval(() => void registered.update().catch(() => undefined), CHECK_MILLIS);
}

/** The page reloads as soon as the new version is in charge. */
export function takeNewVersion(): void {
  isWanted = true;
  if (registration?.waiting) registration.waiting.postMessage("activate");
  else location.reload();
}
