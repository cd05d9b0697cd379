/**
 * Keeps the files of the page, so that it opens at once and without a network. It answers for these files and for nothing
 * else: what the server says about an account is never kept here.
 */
declare const __FILES__: readonly string[];

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Clicked extends Extendable {
  readonly notification: { readonly data: unknown; close(): void };
}
interface Page {
  readonly url: string;
  postMessage(message: unknown): void;
  focus(): Promise<unknown>;
}
interface Worker {
  readonly registration: { readonly scope: string };
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { type: "window"; includeUncontrolled: boolean }): Promise<readonly Page[]>;
    openWindow(url: string): Promise<unknown>;
  };
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  addEventListener(type: "notificationclick", listener: (event: Clicked) => void): void;
  skipWaiting(): Promise<void>;
}

const worker = globalThis as unknown as Worker;
/** The first is the page itself; its query is a hash, so that a new page makes a new cache. */
const files = __FILES__.map((file) => new URL(file, worker.registration.scope).href);
const page = files[0]!;
const kept = new Set(files);
const PREFIX = "issuer-";
const cacheName = PREFIX + fingerprintOf(files.join(" "));
/** The caches of the client that was served here before this one. */
const FORMER_PREFIX = "swpt-debtors-ui-";

worker.addEventListener("install", (event) => event.waitUntil(keepFiles()));
worker.addEventListener("activate", (event) => event.waitUntil(deleteOtherCaches().then(() => worker.clients.claim())));
worker.addEventListener("message", ({ data }) => {
  if (data === "activate") void worker.skipWaiting();
});
worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openPage(String(event.notification.data ?? "/")));
});
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  url.hash = "";
  if (request.mode === "navigate") {
    url.search = "";
    if (url.href === worker.registration.scope) event.respondWith(answerFromCache(request, page));
  } else if (kept.has(url.href)) {
    event.respondWith(answerFromCache(request, url.href));
  }
});

/** A page of the former client is not asked whether it agrees: its files are no longer there. */
async function keepFiles(): Promise<void> {
  const cache = await caches.open(cacheName);
  await Promise.all(
    files.map(async (file) => {
      const response = await fetch(file, file === page ? { cache: "no-cache" } : {});
      if (!response.ok) throw new Error(`${file}: ${response.status}`);
      await cache.put(file, response);
    }),
  );
  const isReplacingFormer = (await caches.keys()).some((name) => name.startsWith(FORMER_PREFIX));
  if (isReplacingFormer) await worker.skipWaiting();
}

async function deleteOtherCaches(): Promise<void> {
  const names = await caches.keys();
  const isOurs = (name: string): boolean => name.startsWith(PREFIX) || name.startsWith(FORMER_PREFIX);
  await Promise.all(names.filter((name) => isOurs(name) && name !== cacheName).map((name) => caches.delete(name)));
}

async function answerFromCache(request: Request, file: string): Promise<Response> {
  // Browsers lose what they keep, and say so by an error.
  const kept = await caches.match(file, { cacheName }).catch(() => undefined);
  return kept ?? fetch(request);
}

/** Shows a screen in a page that is open, else in a new one. */
async function openPage(place: string): Promise<void> {
  const { scope } = worker.registration;
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const open = pages.find(({ url }) => url.startsWith(scope));
  if (open === undefined) return void (await worker.clients.openWindow(`${scope}#${place}`));
  open.postMessage({ place });
  await open.focus();
}

/** FNV-1a: tells versions apart, and protects nothing. */
function fingerprintOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
