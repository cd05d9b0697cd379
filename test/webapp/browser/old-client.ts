/** The client that was served at this address before: its page, its service worker with its cache, and its database. */
import { once } from "node:events";
import { createServer } from "node:http";

const page = `<!doctype html><title>Old client</title><h1>Old client</h1><script src="old.js"></script>`;

const serviceWorker = `
const CACHE = "swpt-debtors-ui-1";
addEventListener("install", (event) => event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(["./", "old.js"])).then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(caches.match(event.request, { ignoreSearch: true }).then((kept) => kept ?? fetch(event.request))));
`;

/** `debtors` is of Dexie, whose version 1 is IndexedDB's version 10. */
const script = (debtorId: string): string => `
const request = indexedDB.open("debtors", 10);
request.onupgradeneeded = () => {
  const db = request.result;
  db.createObjectStore("debtors", { keyPath: "userId", autoIncrement: true });
  for (const name of ["configs", "transfers", "documents"]) db.createObjectStore(name, { keyPath: "uri" });
  db.createObjectStore("actions", { keyPath: "actionId", autoIncrement: true });
  db.createObjectStore("tasks", { keyPath: "taskId", autoIncrement: true });
};
request.onsuccess = async () => {
  const base = location.origin + "/debtors/${debtorId}/";
  const paymentInfo = { payeeName: "Old shop", payeeReference: "OLD-1", description: { contentFormat: "", content: "Bread" } };
  const creationRequest = (transferUuid) => ({ type: "TransferCreationRequest", transferUuid, recipient: { uri: "swpt:${debtorId}/17" }, amount: 1000n, noteFormat: "PAYMENT0", note: "OLD-1\\nOld shop\\n\\nBread" });
  const transaction = request.result.transaction(["debtors", "transfers", "actions"], "readwrite");
  transaction.objectStore("debtors").put({ userId: 1, uri: base, identity: { type: "DebtorIdentity", uri: "swpt:${debtorId}" } });
  const done = "123e4567-e89b-42d3-a456-426614174001";
  transaction.objectStore("transfers").put({ ...creationRequest(done), userId: 1, uri: base + "transfers/" + done, initiatedAt: "2026-11-01T10:00:00.123456+00:00", result: { finalizedAt: "2026-11-01T10:00:01+00:00", committedAmount: 1000n }, time: 1, paymentInfo, originatesHere: true });
  transaction.objectStore("actions").put({ userId: 1, actionType: "CreateTransfer", createdAt: new Date(), paymentInfo: { ...paymentInfo, payeeReference: "OLD-2" }, requestedAmount: 1000n, creationRequest: creationRequest("123e4567-e89b-42d3-a456-426614174002") });
  // Sent ten minutes ago, and no answer came.
  const startedAt = new Date(Date.now() - 600000);
  transaction.objectStore("actions").put({ userId: 1, actionType: "CreateTransfer", createdAt: startedAt, paymentInfo: { ...paymentInfo, payeeReference: "OLD-3" }, requestedAmount: 1000n, creationRequest: creationRequest("123e4567-e89b-42d3-a456-426614174003"), execution: { startedAt, unresolvedRequestAt: startedAt } });
  transaction.oncomplete = async () => {
    request.result.close();
    await navigator.serviceWorker.register("sw.js");
    await navigator.serviceWorker.ready;
    document.title = "ready";
  };
};
`;

/** Serves it at a port until it is closed. */
export async function serveOldClient(port: number, debtorId: string): Promise<{ close(): Promise<void> }> {
  const files: Record<string, [type: string, text: string]> = {
    "/debtors-webapp/": ["text/html", page],
    "/debtors-webapp/old.js": ["text/javascript", script(debtorId)],
    "/debtors-webapp/sw.js": ["text/javascript", serviceWorker],
  };
  const server = createServer((request, response) => {
    const [type, text] = files[request.url!.split("?")[0]!] ?? [];
    if (type === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "Content-Type": type }).end(text);
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
