/** Removes what the page has stored on this device besides the model's database: settings and cached files. */

export async function forgetDevice(): Promise<void> {
  for (const storage of [localStorage, sessionStorage]) {
    for (const key of Object.keys(storage)) if (key.startsWith("issuer ")) storage.removeItem(key);
  }
  const registration = await navigator.serviceWorker?.getRegistration();
  await registration?.unregister();
  for (const name of await caches.keys()) if (name.startsWith("issuer-")) await caches.delete(name);
  location.reload();
}
