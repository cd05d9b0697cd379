/** Announces a new version of the page, and switches to it when the user says so. */
import { signal } from "@preact/signals";
import { registerServiceWorker } from "./start-workers.ts";

/** Whether a new version waits. */
export const isNewVersionReady = signal(false);

let registration: ServiceWorkerRegistration | undefined;
let isWanted = false;
const CHECK_MILLIS = 60 * 60 * 1000;

/** Registers the service worker once the page is usable, and checks for a new version every hour. */
export async function watchForNewVersion(): Promise<void> {
  registration = await registerServiceWorker();
  if (registration === undefined) return;
  const look = (): void => {
    isNewVersionReady.value = registration?.waiting != null && navigator.serviceWorker.controller !== null;
  };
  look();
  registration.addEventListener("updatefound", () => registration?.installing?.addEventListener("statechange", look));
  let { controller } = navigator.serviceWorker;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (isWanted) return location.reload();
    // Another tab has taken it: this one should follow, since the parts of its version are gone.
    if (controller !== null) isNewVersionReady.value = true;
    ({ controller } = navigator.serviceWorker);
  });
  setInterval(() => void registration?.update().catch(() => undefined), CHECK_MILLIS);
}

/** The page reloads as soon as the new version is in charge. */
export function takeNewVersion(): void {
  isWanted = true;
  if (registration?.waiting) registration.waiting.postMessage("activate");
  else location.reload();
}
